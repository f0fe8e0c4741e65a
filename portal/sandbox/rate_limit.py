"""Stripe's limit on requests a second, off unless it is asked for. https://docs.stripe.com/rate-limits"""

from __future__ import annotations

import threading
from collections import deque

from portal.sandbox.errors import StripeRefusal

_WINDOW_SECONDS = 1.0


class RateLimit:
    """So many requests in any second of the sandbox's clock; None: as many as come."""

    def __init__(self, per_second: int | None) -> None:
        self.per_second = per_second
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, now: float) -> None:
        """Count a request; raises Stripe's refusal of one too many, which is not counted."""
        if self.per_second is None:
            return
        with self._lock:
            while self._taken and self._taken[0] <= now - _WINDOW_SECONDS:
                self._taken.popleft()
            if len(self._taken) >= self.per_second:
                raise rate_limited("global-rate")
            self._taken.append(now)


def rate_limited(reason: str) -> StripeRefusal:
    """429, with what was too much of what."""
    return StripeRefusal(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason, "Retry-After": "1"},
    )
