"""A business clock that a test sets and moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from portal.clock import Clock


class MovableClock(Clock):
    """Stands still until it is moved; both its times move together unless an offset keeps them apart. Nobody waits:
    `pauses` says for how long they would have, and `meanwhile`, told the seconds, is what happens in that time."""

    pauses: list[float]
    meanwhile: Callable[[float], None]

    def __init__(self, at: datetime | None = None, *, offset_seconds: int = 0) -> None:
        super().__init__(offset_seconds=offset_seconds)
        # The class above is frozen so that no code moves the clock by accident; a test does so on purpose.
        object.__setattr__(self, "_at", (at or datetime.now(UTC)).astimezone(UTC))
        object.__setattr__(self, "pauses", [])
        self.in_a_pause(lambda _seconds: None)

    def real_now(self) -> datetime:
        at: datetime = object.__getattribute__(self, "_at")
        return at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.meanwhile(seconds)

    def in_a_pause(self, happens: Callable[[float], None]) -> None:
        object.__setattr__(self, "meanwhile", happens)

    def set(self, at: datetime) -> None:
        """Stand at `at`, which carries its offset."""
        if at.tzinfo is None:
            raise ValueError("a time without an offset")
        object.__setattr__(self, "_at", at.astimezone(UTC))

    def advance(self, **parts: float) -> None:
        """Move on, by the parts of a timedelta: `clock.advance(days=30, seconds=1)`."""
        self.set(self.real_now() + timedelta(**parts))


class RunningClock(MovableClock):
    """Goes as real clocks do; what is shifted is the business clock alone, as by `PORTAL_CLOCK_OFFSET`."""

    def real_now(self) -> datetime:
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        Clock.pause(self, seconds)

    def shift(self, offset_seconds: int) -> None:
        """Be so far ahead of the real time from now on."""
        object.__setattr__(self, "offset_seconds", offset_seconds)

    def advance(self, **parts: float) -> None:
        self.shift(self.offset_seconds + int(timedelta(**parts).total_seconds()))
