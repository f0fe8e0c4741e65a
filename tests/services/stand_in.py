"""Stripe's stand-in as a test tells it what to do, and what it has seen."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from portal.clock import Clock
from portal.sandbox.state import Sandbox
from portal.sandbox.store import public

#: One of the two signing secrets of the tests' settings.
WEBHOOK_SECRET = "whsec_platform_test"


class StandIn:
    """The stand-in's control, by the names of what happens at Stripe."""

    def __init__(self, sandbox: Flask) -> None:
        self._client: FlaskClient = sandbox.test_client()
        self._app = sandbox

    def fault(
        self, fault: str, *, path: str = "/v1/transfers", method: str = "POST", times: int = 1, **more: Any
    ) -> None:
        """What goes wrong with the next such requests."""
        self._ask(
            "POST", "faults", {"fault": fault, "path_prefix": path, "method": method, "times": times, **more}
        )

    def goes_away(self) -> None:
        """Nobody answers any more, until `comes_back`."""
        self.fault("timeout_before", path="/v", method="*", times=1_000)

    def comes_back(self) -> None:
        """Nothing goes wrong any more."""
        self._ask("DELETE", "faults")

    def land(self) -> None:
        """What was late arrives now."""
        self._ask("POST", "land")

    def fate(self, account_id: str, fate: str, **more: Any) -> None:
        """Something happens to an account."""
        self._ask("POST", f"accounts/{account_id}/fate", {"fate": fate, **more})

    def loses_metadata(self, account_id: str) -> None:
        """Somebody empties what the portal has noted at an account."""
        answer = self._client.post(
            f"/v1/accounts/{account_id}",
            data={"metadata": ""},
            headers={"Authorization": "Bearer sk_test_portal"},
        )
        assert answer.status_code == 200, answer.text

    def set_balance(self, **amounts: int) -> None:
        """The platform's balance from now on, in minor units by currency."""
        self._ask("POST", "balance", amounts)

    def lets_make(self, **rules: Any) -> None:
        """What Stripe lets the platform make from now on; what is not named is allowed."""
        self._ask("POST", "platform", rules)

    def prune_keys(self) -> None:
        """Stripe forgets its idempotency keys, as it may after 24 hours."""
        self._ask("POST", "prune-keys")

    def forget_requests(self) -> None:
        self._ask("DELETE", "requests")

    def requests(self, method: str, path_prefix: str) -> list[dict[str, Any]]:
        """What was asked since the start or the last forgetting, oldest first."""
        return [
            request
            for request in self._log()
            if request["method"] == method and request["path"].startswith(path_prefix)
        ]

    def transfers(self) -> list[dict[str, Any]]:
        return self._list("transfers")

    def gone(self) -> set[str]:
        """Accounts that the platform can't reach any more."""
        return {account["id"] for account in self._documents("account") if account.get("_gone")}

    def accounts(self) -> list[dict[str, Any]]:
        return self._list("accounts")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What Stripe would tell, oldest first."""
        return [event for event in self._list("events") if kind is None or event["type"] == kind]

    def transfer_by_hand(
        self, account_id: str, amount: int, *, group: str, metadata: dict[str, str] | None = None
    ) -> None:
        """Somebody makes a transfer of US cents outside the portal."""
        named = {f"metadata[{name}]": value for name, value in (metadata or {}).items()}
        asked = {"amount": amount, "currency": "usd", "destination": account_id, "transfer_group": group}
        answer = self._client.post(
            "/v1/transfers", data=asked | named, headers={"Authorization": "Bearer sk_test_portal"}
        )
        assert answer.status_code == 200, answer.text

    def reverse(self, transfer_id: str, amount: int) -> None:
        """Somebody takes so much of a transfer back in Stripe's dashboard."""
        self._ask("POST", f"transfers/{transfer_id}/reversals", {"amount": amount})

    def balance_of(self, account_id: str, currency: str) -> int:
        """What an account has at Stripe, in minor units."""
        return int(self.everything()["balances"][account_id].get(currency, 0))

    def pay_to_bank(self, account_id: str, **more: Any) -> str:
        """Stripe pays what an account has to its bank, or `amount` of it; the bank payout's id."""
        return str(self._ask("POST", f"accounts/{account_id}/payouts", more)["payout"]["id"])

    def bank_payouts(self) -> list[dict[str, Any]]:
        return self._list("payouts")

    def settle_at_bank(self, payout_id: str, status: str, **more: Any) -> None:
        """A bank payout goes on: `in_transit`, `paid`, `failed` with a `failure_code` (also after paid), `canceled`."""
        self._ask("POST", f"payouts/{payout_id}", {"status": status, **more})

    def reconcile_at_bank(self, payout_id: str) -> None:
        """From now on Stripe says what is in a bank payout that was made with `reconciled=False`."""
        self._ask("POST", f"payouts/{payout_id}/reconcile", {})

    def everything(self) -> dict[str, Any]:
        """All that Stripe has, each kind oldest first."""
        return self._ask("GET", "state")

    def reversals(self) -> list[dict[str, Any]]:
        return self._list("reversals")

    def _list(self, kind: str) -> list[dict[str, Any]]:
        return [public(document) for document in self._documents(kind.removesuffix("s"))]

    def _documents(self, kind: str) -> list[dict[str, Any]]:
        """Read past the control's API, which takes its time over everything there is."""
        sandbox: Sandbox = self._app.extensions["sandbox"]
        return sandbox.store.select(kind, oldest_first=True)

    def _log(self) -> list[dict[str, Any]]:
        sandbox: Sandbox = self._app.extensions["sandbox"]
        return [{**vars(request)} for request in sandbox.requests]

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._client.open(f"/sandbox/api/{path}", method=method, json=body)
        assert answer.status_code < 300, answer.text
        document: dict[str, Any] = answer.get_json()
        return document


def begin_anew(sandbox: Flask, *, clock: Clock | None = None, memory: bytes | None = None) -> None:
    """Forget everything that the stand-in ever knew, or all but a `memory`; from now on it goes by this clock."""
    old: Sandbox = sandbox.extensions["sandbox"]
    old.store.close()
    goes_by = (lambda: clock.real_now().timestamp()) if clock else time.time
    new = Sandbox(replace(old.config, clock=goes_by))
    if memory is not None:
        _database_of(new).deserialize(memory)
    sandbox.extensions["sandbox"] = new


def memory_of(sandbox: Flask) -> bytes:
    """All that the stand-in knows, for `begin_anew`."""
    return _database_of(sandbox.extensions["sandbox"]).serialize()


def _database_of(sandbox: Sandbox) -> sqlite3.Connection:
    database: sqlite3.Connection = vars(sandbox.store)["_database"]
    return database


def signed(event: object, *, at: datetime, secret: str = WEBHOOK_SECRET) -> tuple[bytes, str]:
    """A body and its Stripe-Signature header. https://docs.stripe.com/webhooks/signature"""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    moment = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={moment},v1={digest}"
