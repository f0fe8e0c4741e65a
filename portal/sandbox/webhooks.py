"""Delivering events to the portal, signed and tried again, as Stripe does: https://docs.stripe.com/webhooks

Two endpoints with two secrets: the platform's own events, and those of connected accounts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from typing import Any

import requests

from portal.sandbox.config import SandboxConfig
from portal.sandbox.events import PLATFORM
from portal.sandbox.store import Document, Store, public

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

    def announce(self, event: Document) -> None:
        """Queue an event for its endpoint, or mark it as never delivered while deliveries are paused."""
        if self._config.webhook_url is None:
            return
        lost = self.paused or self._config.deliver is None
        self._mark(event, delivered=False)
        self._store.put(
            "delivery",
            event["id"],
            {
                "event": event["id"],
                "type": event["type"],
                "endpoint": "platform" if event["_owner"] == PLATFORM else "connect",
                "attempts": [],
                "next_at": self._config.clock(),
                "_state": "dropped" if lost else "pending",
            },
        )

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
        endpoint = "platform" if event["_owner"] == PLATFORM else "connect"
        return [self._send(event, endpoint) for _ in range(times)]

    def _due(self) -> list[Document]:
        return self._store.select(
            "delivery",
            where={"_state": "pending"},
            due=("next_at", self._config.clock()),
            oldest_first=True,
            limit=_AT_ONCE,
        )

    def _attempt(self, delivery: Document) -> None:
        event = self._store.get("event", delivery["event"])
        if event is None:
            self._store.remove("delivery", delivery["event"])
            return
        outcome = self._send(event, delivery["endpoint"])
        now = self._config.clock()
        delivery["attempts"].append({"at": int(now), "outcome": outcome})
        delays = self._config.retry_delays_seconds
        with self._store.transaction():
            if isinstance(outcome, int) and 200 <= outcome < 300:
                delivery["_state"] = "delivered"
                self._mark(event, delivered=True)
            elif len(delivery["attempts"]) > len(delays):
                delivery["_state"] = "failed"
            else:
                delivery["next_at"] = now + delays[len(delivery["attempts"]) - 1]
            self._store.put("delivery", event["id"], delivery)

    def _send(self, event: Document, endpoint: str) -> int | str:
        secret = (
            self._config.platform_webhook_secret
            if endpoint == "platform"
            else self._config.connect_webhook_secret
        )
        url = self._config.webhook_url
        if url is None or self._config.deliver is None:
            return "no endpoint"
        body = json.dumps({**public(event), "pending_webhooks": 1}, indent=2).encode()
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
