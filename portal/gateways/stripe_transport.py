"""How requests travel to Stripe: each at its own turn, and each answer with a line in the log.

What is seen here is every single try, also of one that is tried again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

import stripe
import structlog

log = structlog.get_logger(__name__)

#: Connecting is quick or hopeless; reading is longer than Stripe usually takes for its slowest call, and short enough
#: that a worker notices that it is away.
CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 25

#: No more is asked for this long after a 429 that names no time, and at most this long after one that does.
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

_TOO_MANY = 429
_FIRST_ERROR = 400

#: How requests travel; the SDK's own by default.
StripeTransport = stripe.HTTPClient


class Lane(StrEnum):
    """What a pace is kept for."""

    everything = "everything"
    transfers = "transfers"
    """Making transfers, beside being a request like any other."""


#: The narrower one last: what comes out of it leaves at once, as far apart as it was kept there.
_TRANSFER_LANES = (Lane.everything, Lane.transfers)


class StripePace(Protocol):
    """Keeps requests apart, for all processes together."""

    def take_turn(self, *lanes: Lane) -> float:
        """Wait until a request may leave; for so many seconds. Raises StripeBusyError where that would take too
        long."""

    def hold(self, lane: Lane, *, seconds: float) -> None:
        """Let nobody's request leave for so long."""

    def pause(self, seconds: float) -> None:
        """Wait before something is tried again."""


class PacedTransport(stripe.HTTPClient):
    """Hands a request on to another transport when its turn has come."""

    name = "paced"

    def __init__(self, inner: StripeTransport, pace: StripePace) -> None:
        super().__init__()
        self._inner = inner
        self._pace = pace
        self._ahead = threading.local()

    def take_turn_ahead(self) -> float:
        """Wait now for the turn of the next transfer that this thread asks for; for so many seconds. Raises
        StripeBusyError."""
        waited = self._pace.take_turn(*_TRANSFER_LANES)
        self._ahead.is_taken = True
        return waited

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One try; raises stripe.APIConnectionError, or StripeBusyError where nothing left."""
        path = urlsplit(url).path
        lanes = _lanes(method, path)
        if not (lanes == _TRANSFER_LANES and self._has_turn()):
            self._pace.take_turn(*lanes)
        tell = _Telling(method.upper(), path)
        try:
            text, status, told = self._inner.request(method, url, headers, post_data)
        except stripe.APIConnectionError as problem:
            tell.unheard(problem)
            raise
        named = {name.lower(): value for name, value in told.items()}
        tell.answered(status, named)
        if status == _TOO_MANY and (lane := _held_by(named, text, lanes)) is not None:
            self._pace.hold(lane, seconds=_hold_seconds(named))
        return text, status, told

    def _has_turn(self) -> bool:
        """Whether a turn was taken ahead; it is used up by that."""
        is_taken, self._ahead.is_taken = getattr(self._ahead, "is_taken", False), False
        return is_taken

    def close(self) -> None:
        """End what the other one keeps open."""
        self._inner.close()  # type: ignore[no-untyped-call] # the SDK declares no types there


class _Telling:
    """One request's line in the log: never its parameters, never what came back."""

    def __init__(self, method: str, path: str) -> None:
        self._facts: dict[str, object] = {"method": method, "path": path}
        self._makes = method != "GET"
        self._begun_at = time.monotonic()

    def unheard(self, problem: stripe.APIConnectionError) -> None:
        reason = type(problem.__cause__ or problem).__name__
        log.warning("stripe.unheard", **self._facts, reason=reason, seconds=self._seconds())

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        facts = {
            **self._facts,
            "status": status,
            "request_id": headers.get("request-id"),
            "seconds": self._seconds(),
        }
        if reason := headers.get("stripe-rate-limited-reason"):
            facts["rate_limited"] = reason[:64]
        tell: Callable[..., object] = log.info if self._makes else log.debug
        if status >= _FIRST_ERROR:
            tell = log.warning
        tell("stripe.answered", **facts)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._begun_at, 3)


def _lanes(method: str, path: str) -> tuple[Lane, ...]:
    makes_transfer = (method.upper(), path) == ("POST", "/v1/transfers")
    return _TRANSFER_LANES if makes_transfer else (Lane.everything,)


def _held_by(headers: Mapping[str, str], text: str | bytes, lanes: tuple[Lane, ...]) -> Lane | None:
    """Which lane a 429 speaks of; None where it is one object that is busy, which is no matter of pace.
    https://docs.stripe.com/rate-limits"""
    reason = headers.get("stripe-rate-limited-reason", "")
    body = text if isinstance(text, bytes) else text.encode()
    if reason == "resource-specific" or b"lock_timeout" in body:
        return None
    return lanes[-1] if reason.startswith("endpoint-") else Lane.everything


def _hold_seconds(headers: Mapping[str, str]) -> float:
    asked = seconds_of(headers.get("retry-after", "")) or PAUSE_SECONDS
    # whoever waits for the same moment elsewhere shall not come with us
    return min(asked + random.uniform(0, PAUSE_SECONDS / 2), LONGEST_PAUSE_SECONDS)  # noqa: S311 - no secret


def seconds_of(retry_after: str) -> int | None:
    """The seconds of a `Retry-After` header, if it names some."""
    is_number = retry_after.isascii() and retry_after.isdigit()
    return int(retry_after[:9]) if is_number else None
