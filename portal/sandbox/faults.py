"""Failures on demand: what Stripe, or the network between, may do to a request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What goes wrong. `before`: nothing was executed; `after`: it was, and its result saved under its key."""

    ERROR_500_BEFORE = "500_before"
    ERROR_500_BEFORE_SAVED = "500_before_saved"
    """Nothing was executed, and the 500 is what the key answers from now on."""
    ERROR_500_AFTER = "500_after"
    ERROR_500_AFTER_SAVED = "500_after_saved"
    """It was executed, and the 500 is what the key answers from now on."""
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_AFTER = "reset_after"
    TRUNCATED_AFTER = "truncated_after"
    HTML_502_BEFORE = "html_502_before"
    HTML_502_AFTER = "html_502_after"
    RATE_LIMITED = "429"
    CONFLICT = "409"
    UNAUTHORIZED = "401"
    LATE = "late"
    """The line drops at once; the request lands when it is told to."""
    REFUSED_SAVED = "400_saved"
    """Nothing was executed, and the refusal is what the key answers from now on."""
    SLOW = "slow"
    """It takes `seconds`, and its key is in use meanwhile."""


class FaultRefused(ValueError):
    """The description of a fault makes no sense; the text says why."""


@dataclass
class PlannedFault:
    """One fault waiting for requests: the next `times` that match, after `skip` of them went through."""

    fault: Fault
    method: str
    path_prefix: str
    times: int
    skip: int = 0
    seconds: float = 1.0
    code: str = "balance_insufficient"
    message: str = "You have insufficient available funds in your Stripe account."

    def matches(self, method: str, path: str) -> bool:
        """Whether it is meant for this request."""
        return self.times > 0 and self.method in ("*", method) and path.startswith(self.path_prefix)

    def described(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "fault": self.fault.value,
            "method": self.method,
            "path_prefix": self.path_prefix,
            "times": self.times,
            "skip": self.skip,
        }


def planned(description: Any) -> PlannedFault:
    """Read a description from the control API; raises FaultRefused."""
    if not isinstance(description, dict):
        raise FaultRefused("a fault is an object with method, path_prefix, fault and times")
    unknown = set(description) - {
        "fault", "method", "path_prefix", "times", "skip", "seconds", "code", "message"
    }  # fmt: skip
    if unknown:
        raise FaultRefused(f"unknown names: {', '.join(sorted(unknown))}")
    try:
        fault = Fault(str(description.get("fault", "")))  # a form makes a number of `429`
    except ValueError:
        known = ", ".join(entry.value for entry in Fault)
        raise FaultRefused(f"unknown fault {description.get('fault')!r}; known: {known}") from None
    method = description.get("method", "*")
    if method not in ("*", "GET", "POST", "DELETE"):
        raise FaultRefused("method is GET, POST, DELETE or *")
    prefix = description.get("path_prefix", "/v1/")
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        raise FaultRefused("path_prefix begins with /")
    times, skip = description.get("times", 1), description.get("skip", 0)
    if type(times) is not int or type(skip) is not int or times < 1 or skip < 0:
        raise FaultRefused("times is a positive integer, skip an integer of at least 0")
    seconds = description.get("seconds", 1.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 300:
        raise FaultRefused("seconds is a number from 0 to 300")
    plan = PlannedFault(fault, method, prefix, times, skip, float(seconds))
    plan.code = str(description.get("code", plan.code))
    plan.message = str(description.get("message", plan.message))
    return plan


@dataclass
class Faults:
    """The faults that wait, and the requests that are still on their way (`late`)."""

    waiting: list[PlannedFault] = field(default_factory=list)
    on_their_way: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, fault: PlannedFault) -> None:
        """Let it wait for its requests."""
        with self._lock:
            self.waiting.append(fault)

    def clear(self) -> None:
        """Nothing goes wrong any more; what is on its way stays so."""
        with self._lock:
            self.waiting.clear()

    def take(self, method: str, path: str) -> PlannedFault | None:
        """The fault for this request, counted; the oldest that matches."""
        with self._lock:
            for fault in self.waiting:
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times == 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def delay(self, request: Callable[[], None]) -> None:
        """Keep a request that the caller believes lost."""
        with self._lock:
            self.on_their_way.append(request)

    def land(self) -> int:
        """Let every delayed request arrive now; answers how many."""
        with self._lock:
            arriving, self.on_their_way = self.on_their_way, []
        for request in arriving:
            request()
        return len(arriving)
