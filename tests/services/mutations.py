"""Webhooks as nobody should send them: events in their real shapes, spoiled byte by byte, in their structure and in
their headers. Everything is drawn from one seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.gateways.stripe_signatures import sign
from tests.stripe_description.description import Schema, resolved, schema

#: Values that have no business where they end up.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 1.5, -0.0, float("nan"), float("inf"), "", " ", "0", "null",
    "\x00", "\ud800", "\u202e", "é" * 300, "x" * 100_000, "evt_1", "acct_1", "' OR 1=1 --", "<script>", "{{ 7*7 }}",
    "../..", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", [], [[]], [None], {}, {"id": {}},
    {"object": []}, ["event"], {"": {"": {}}},
)  # fmt: skip

_DEEP = b"[" * 5_000
_BYTES = (
    b"\x00",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b'"',
    b"{",
    b"}",
    b"\\u0000",
    b"\\ud800",
    b"\r\n",
    b"9" * 5_000,
    _DEEP,
)

#: Objects of Stripe's that events are about, as its description has them.
_DESCRIBED = (
    "account",
    "transfer",
    "payout",
    "capability",
    "bank_account",
    "person",
    "balance",
    "transfer_reversal",
)
_TYPES = (
    "account.updated", "account.application.deauthorized", "account.external_account.deleted", "capability.updated",
    "payout.paid", "payout.failed", "transfer.created", "transfer.reversed", "balance.available", "person.updated",
    "v1.account.updated", "v2.core.account[requirements].updated", "v2.core.account_person.created",
    "v2.core.account_link.returned", "customer.created", "from.the.future",
)  # fmt: skip


@dataclass(frozen=True)
class Webhook:
    """One request; `is_signed` says that its body is signed with one of our secrets, at this moment."""

    body: bytes
    headers: dict[str, str]
    is_signed: bool


class Mutations:
    """Draws webhooks, from `events` that were really sent, from Stripe's description, and from thin ones."""

    def __init__(self, seed: int, events: Sequence[dict[str, Any]], *, secrets: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._secrets = secrets
        described = [self._described(name) for name in _DESCRIBED]
        self._events = [*events, *described, *(self._thin(kind) for kind in _TYPES)]

    def draw(self, now: datetime) -> Webhook:
        """One of them, two thirds not signed, or wrongly."""
        body = self._body()
        header = sign(body, secret=self._random.choice(self._secrets), at=now)
        is_signed = self._random.random() < 1 / 3
        if not is_signed:
            body, header = self._forged(body, header, now)
        headers = {"Stripe-Signature": header, **self._further_headers()}
        return Webhook(body, headers, is_signed)

    def _body(self) -> bytes:
        event = copy.deepcopy(self._random.choice(self._events))
        event["id"] = f"evt_{self._random.getrandbits(64):x}"
        for _ in range(self._random.choice((0, 1, 1, 2, 5))):
            self._spoil(event)
        body = json.dumps(event, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")
        if self._random.random() < 0.4:
            body = self._random.choice((self._flipped, self._cut, self._grown, self._doubled))(body)
        return body

    def _spoil(self, event: dict[str, Any]) -> None:
        """Change one member somewhere."""
        inside: Any = event
        while True:
            keys: list[Any] = list(inside) if isinstance(inside, dict) else [*range(len(inside))]
            key = self._random.choice(keys) if keys else "new"
            deeper = inside[key] if keys else None
            if not isinstance(deeper, dict | list) or not deeper or self._random.random() < 0.5:
                break
            inside = deeper
        change = self._random.randrange(3)
        if change == 0 and keys:
            del inside[key]
        elif isinstance(inside, dict):
            inside[key if change == 1 else f"new_{key}"] = copy.deepcopy(self._random.choice(ODD))
        else:
            inside.append(copy.deepcopy(self._random.choice(ODD)))

    def _flipped(self, body: bytes) -> bytes:
        spoiled = bytearray(body)
        for _ in range(self._random.randrange(1, 4)):
            spoiled[self._random.randrange(len(spoiled))] = self._random.randrange(256)
        return bytes(spoiled)

    def _cut(self, body: bytes) -> bytes:
        return body[: self._random.randrange(len(body))]

    def _grown(self, body: bytes) -> bytes:
        at = self._random.randrange(len(body))
        return body[:at] + self._random.choice(_BYTES) + body[at:]

    def _doubled(self, body: bytes) -> bytes:
        return body + body

    def _forged(self, body: bytes, header: str, now: datetime) -> tuple[bytes, str]:
        moment, _, signature = header.partition(",")
        headers: tuple[Callable[[], str], ...] = (
            lambda: sign(body, secret="whsec_somebody_elses", at=now),
            lambda: f"{moment},v1={'0' * 64}",
            lambda: f"{moment},v0={signature[3:]}",
            lambda: f"{moment},{moment},{signature}",
            lambda: f"t={int(now.timestamp()) - 301},{signature}",
            lambda: f"t={int(now.timestamp()) + 301},{signature}",
            lambda: f"t={'9' * self._random.randrange(1, 40)},{signature}",
            lambda: signature,
            lambda: moment,
            lambda: "",
            lambda: header[: self._random.randrange(len(header) - 1)],
            lambda: "".join(chr(self._random.randrange(32, 256)) for _ in range(self._random.randrange(80))),
            lambda: "v1=," * 1_000 + moment,
            lambda: header.replace("v1=", "v1=é"),
        )
        chosen = self._random.randrange(len(headers) + 1)
        if chosen == len(headers):  # the body is another than was signed
            return body + b" ", header
        return body, headers[chosen]()

    def _further_headers(self) -> dict[str, str]:
        names = ("Content-Type", "Content-Encoding", "Accept", "User-Agent", "HX-Request", "Cookie", "Authorization",
                 "Stripe-Account", "X-Forwarded-Host", "Origin")  # fmt: skip
        values = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "gzip",
                  "true", "portal_session=x", "Bearer x", "null", "\xe9", "")  # fmt: skip
        chosen = self._random.sample(names, self._random.randrange(3))
        return {name: self._random.choice(values) for name in chosen}

    def _described(self, name: str) -> dict[str, Any]:
        kind = next((each for each in _TYPES if each.startswith(name)), "account.updated")
        return {
            "id": "evt_1", "object": "event", "type": kind, "livemode": False, "account": "acct_1",
            "created": 1_795_000_000, "data": {"object": self._filled(schema(name), 3)},
        }  # fmt: skip

    def _filled(self, described: Schema, depth: int) -> Any:
        """Something that fits a schema: every member that it describes, as deep as this."""
        described = resolved(described)
        for choice in described.get("anyOf") or described.get("oneOf") or ():
            return self._filled(choice, depth)
        match described.get("type"):
            case "object":
                members = described.get("properties", {}) if depth else {}
                return {name: self._filled(each, depth - 1) for name, each in members.items()}
            case "array":
                return [self._filled(described["items"], depth - 1)] if depth else []
            case "integer" | "number":
                return self._random.randrange(10**6)
            case "boolean":
                return self._random.random() < 0.5
            case _:
                return (described.get("enum") or [f"text_{self._random.getrandbits(32):x}"])[0]

    def _thin(self, kind: str) -> dict[str, Any]:
        account = "acct_1"
        return {
            "id": "evt_1", "object": "v2.core.event", "type": kind, "livemode": False,
            "created": "2026-11-01T00:00:00.000Z", "context": f"org_1/{account}",
            "reason": {"type": "request", "request": {"id": "req_1", "idempotency_key": "key"}},
            "related_object": {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"},
        }  # fmt: skip
