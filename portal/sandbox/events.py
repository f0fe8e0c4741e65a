"""Events: what changed, as Stripe tells it. https://docs.stripe.com/api/events"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from portal.sandbox.identifiers import new_id
from portal.sandbox.store import Document, Store, public

API_VERSION = "2026-10-28.endive"
PLATFORM = "platform"
"""The owner of what belongs to the platform itself, where a connected account's id would stand."""


@dataclass(frozen=True)
class Cause:
    """The API request that made a change; a change made by Stripe itself has none."""

    request_id: str | None = None
    idempotency_key: str | None = None


_cause: ContextVar[Cause] = ContextVar("sandbox_cause")


@contextmanager
def caused_by(cause: Cause) -> Iterator[None]:
    """Events recorded inside name this request."""
    token = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(token)


class Events:
    """The list of events; each new one is handed to whoever delivers, in the same transaction."""

    def __init__(
        self, store: Store, clock: Callable[[], float], announce: Callable[[Document], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce

    def record(
        self,
        event_type: str,
        subject: Document,
        *,
        account: str | None = None,
        previous: Document | None = None,
    ) -> Document:
        """Write one event about `subject`; `account` is the connected account it happened on."""
        cause = _cause.get(Cause())
        data: dict[str, Any] = {"object": public(subject)}
        if previous:
            data["previous_attributes"] = previous
        event: Document = {
            "id": new_id("evt", 24),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self._clock()),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": cause.request_id, "idempotency_key": cause.idempotency_key},
            "type": event_type,
            "_owner": account or PLATFORM,
            "_delivered": True,
        }
        if account:
            event["account"] = account
        self._store.put("event", event["id"], event)
        self._announce(event)
        return event


def changes(before: Document, after: Document) -> Document:
    """`previous_attributes`: the former values of the fields that differ, objects field by field."""
    differing: Document = {}
    for name, old in public(before).items():
        new = after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            inner = {key: value for key, value in old.items() if new.get(key) != value}
            inner.update(dict.fromkeys((key for key in new if key not in old), None))
            differing[name] = inner
        else:
            differing[name] = old
    return differing
