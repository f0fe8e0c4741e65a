"""Idempotency keys as Stripe keeps them: https://docs.stripe.com/api/idempotent_requests

A result is saved once execution has begun, whatever it was, and replayed to the same key. What was refused before
execution (parameters, a wrong key, 429, a key in use) is not saved. Keys may be pruned; then they run again.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Any

from portal.sandbox.errors import StripeRefusal
from portal.sandbox.store import Store

LONGEST_KEY = 255
_KIND = "idempotency_key"


@dataclass(frozen=True)
class KeyUse:
    """One request under one key: whose key, which endpoint, which parameters."""

    key: str
    scope: str
    path: str
    params: dict[str, Any]

    @property
    def name(self) -> str:
        """The key within its scope (API key and account)."""
        return hashlib.sha256(f"{self.scope}\0{self.key}".encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """The parameters, in whatever order they came."""
        return hashlib.sha256(json.dumps(self.params, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class SavedAnswer:
    """What was answered the first time."""

    status: int
    body: dict[str, Any]
    request_id: str


class IdempotencyKeys:
    """Saved answers, and the keys that are being worked on at this moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_use: set[str] = set()

    def begin(self, use: KeyUse) -> SavedAnswer | None:
        """Claim a key, or get what it answered before; end a claim with `save` or `release`.

        Raises StripeRefusal for a key in use, too long, or first used for something else.
        """
        if len(use.key) > LONGEST_KEY:
            raise StripeRefusal(
                f"Idempotency keys can be up to {LONGEST_KEY} characters long.", kind="idempotency_error"
            )
        with self._lock:
            if use.name in self._in_use:
                raise key_in_use(use.key)
            saved = self._store.get(_KIND, use.name)
            if saved is None:
                self._in_use.add(use.name)
                return None
        if saved["path"] != use.path:
            raise StripeRefusal(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{use.path}' vs '{saved['path']}'). Try using a key other than '{use.key}' if you meant to execute "
                "a different request.",
                kind="idempotency_error",
            )
        if saved["fingerprint"] != use.fingerprint:
            raise StripeRefusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{use.key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return SavedAnswer(saved["status"], saved["body"], saved["request_id"])

    @property
    def in_use(self) -> int:
        """How many keys are being worked on at this moment."""
        with self._lock:
            return len(self._in_use)

    def save(self, use: KeyUse, answer: SavedAnswer) -> None:
        """Keep the answer; in the caller's transaction, so that effect and answer stand or fall together."""
        self._store.put(
            _KIND,
            use.name,
            {
                "key": use.key,
                "path": use.path,
                "fingerprint": use.fingerprint,
                "status": answer.status,
                "body": answer.body,
                "request_id": answer.request_id,
            },
        )

    def release(self, use: KeyUse) -> None:
        """The request is over; without `save` the key is as new."""
        with self._lock:
            self._in_use.discard(use.name)

    def prune(self) -> int:
        """Forget all saved answers, as Stripe may after 24 hours; answers how many."""
        return self._store.remove(_KIND)


def key_in_use(key: str) -> StripeRefusal:
    """Another request with this key is still going through."""
    return StripeRefusal(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        status=409,
        code="idempotency_key_in_use",
    )
