"""Delivering events to the portal, signed and tried again, as Stripe does: https://docs.stripe.com/webhooks

Two endpoints with two secrets: the platform's own events, and those of connected accounts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Sequence
from typing import Any

import requests

from portal.sandbox.config import SandboxConfig
from portal.sandbox.disorder import DisorderPlans
from portal.sandbox.events import PLATFORM
from portal.sandbox.store import Document, Store, public
from portal.sandbox.thin_events import thin

_TIMEOUT_SECONDS = 10
_AT_ONCE = 100
"""How many deliveries one round takes, so that a long queue doesn't keep the heartbeat from its other work."""


class Webhooks:
    """The queue of deliveries; nothing is sent inside a transaction."""

    def __init__(self, store: Store, config: SandboxConfig) -> None:
        self._store = store
        self._config = config
        self._sending = threading.Lock()
        self.paused = False
        self.disorder = DisorderPlans()
        self.thin_endpoints = set(config.thin_endpoints)
        """Of `platform` and `connect`: those that get thin events and nothing else."""
        # those whose plan a restart has forgotten
        held = store.select("delivery", where={"_state": "held"}, oldest_first=True)
        self._put([{**delivery, "_state": "pending"} for delivery in held])

    def announce(self, event: Document) -> None:
        """Queue an event for its endpoint, or mark it as never delivered while deliveries are paused."""
        endpoint = _endpoint_of(event)
        if self._config.webhook_url is None or self._shown(event, endpoint) is None:
            return
        lost = self.paused or self._config.deliver is None
        self._mark(event, delivered=False)
        delivery = {
            "event": event["id"],
            "type": event["type"],
            "endpoint": endpoint,
            "attempts": [],
            "next_at": self._config.clock(),
            "_state": "dropped" if lost else "pending",
        }
        self._put([delivery] if lost else self.disorder.meet(delivery))

    def put_in_order(self) -> None:
        """Let no disorder wait any more, and what was held go on."""
        self._put(self.disorder.clear())

    def deliver_due(self) -> int:
        """Send what is due now; answers how many attempts were made. A second caller meanwhile does nothing."""
        if self._config.deliver is None or not self._sending.acquire(blocking=False):
            return 0
        try:
            made = 0
            while due := self._due():
                for delivery in due:
                    self._attempt(delivery)
                    made += 1
                if made >= _AT_ONCE:
                    break
            return made
        finally:
            self._sending.release()

    def redeliver(self, event_id: str, *, times: int = 1) -> list[int | str]:
        """Send one event again and again, now; answers the statuses. KeyError for an unknown event."""
        event = self._store.get("event", event_id)
        if event is None:
            raise KeyError(event_id)
        outcomes = [self._send(event, _endpoint_of(event)) for _ in range(times)]
        delivery = self._store.get("delivery", event_id)
        if delivery is not None:
            self._note(event, delivery, outcomes, is_by_hand=True)
        return outcomes

    def _put(self, deliveries: Sequence[Document]) -> None:
        for delivery in deliveries:
            self._store.put("delivery", delivery["event"], delivery)

    def _due(self) -> list[Document]:
        due = self._store.select(
            "delivery",
            where={"_state": "pending"},
            due=("next_at", self._config.clock()),
            oldest_first=True,
            limit=_AT_ONCE,
        )
        return sorted(due, key=lambda delivery: delivery["next_at"])

    def _attempt(self, delivery: Document) -> None:
        event = self._store.get("event", delivery["event"])
        if event is None:
            self._store.remove("delivery", delivery["event"])
            return
        copies = delivery.pop("_copies", 1)
        self._note(event, delivery, [self._send(event, delivery["endpoint"]) for _ in range(copies)])

    def _note(
        self, event: Document, delivery: Document, outcomes: Sequence[int | str], *, is_by_hand: bool = False
    ) -> None:
        """What came of sending; what is sent by hand takes none of the tries away."""
        now, delays = self._config.clock(), self._config.retry_delays_seconds
        attempts: list[Document] = delivery["attempts"]
        by_hand = {"by_hand": True} if is_by_hand else {}
        attempts += [{"at": int(now), "outcome": outcome, **by_hand} for outcome in outcomes]
        tries = sum(not attempt.get("by_hand") for attempt in attempts)
        with self._store.transaction():
            if isinstance(outcomes[-1], int) and 200 <= outcomes[-1] < 300:
                delivery["_state"] = "delivered"
                self._mark(event, delivered=True)
            elif is_by_hand:
                pass  # its next try by itself stays where it is
            elif tries > len(delays):
                delivery["_state"] = "failed"
            else:
                delivery["next_at"] = now + delays[tries - 1]
            self._store.put("delivery", event["id"], delivery)

    def _shown(self, event: Document, endpoint: str) -> Document | None:
        """What is sent to an endpoint; None if it gets thin events and there is none of this."""
        if endpoint in self.thin_endpoints:
            return thin(event)
        return {**public(event), "pending_webhooks": 1}

    def _send(self, event: Document, endpoint: str) -> int | str:
        secret = (
            self._config.platform_webhook_secret
            if endpoint == "platform"
            else self._config.connect_webhook_secret
        )
        url = self._config.webhook_url
        shown = self._shown(event, endpoint)
        if url is None or self._config.deliver is None or shown is None:
            return "no endpoint"
        body = json.dumps(shown, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, secret, int(self._config.clock())),
        }
        try:
            return self._config.deliver(url, body, headers)
        except OSError as problem:
            return type(problem).__name__

    def _mark(self, event: Document, *, delivered: bool) -> None:
        event["_delivered"] = delivered
        event["pending_webhooks"] = 0 if delivered else 1
        self._store.put("event", event["id"], event)


def _endpoint_of(event: Document) -> str:
    return "platform" if event["_owner"] == PLATFORM else "connect"


def signature(body: bytes, secret: str, moment: int) -> str:
    """The Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually"""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def post_over_http(url: str, body: bytes, headers: Any) -> int:
    """Send one webhook over the network; redirects count as failures, as they do with Stripe."""
    answer = requests.post(
        url, data=body, headers=dict(headers), timeout=_TIMEOUT_SECONDS, allow_redirects=False
    )
    return answer.status_code
