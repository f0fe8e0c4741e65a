"""Two clocks: the business clock, which a rehearsal may shift, and the real one, which nothing shifts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Clock:
    """`now` is the business clock (holds, schedules, cooldowns, rates, the age of a key); `real_now` is for webhook
    timestamps, tokens, sessions and leases. Both are UTC and timezone-aware."""

    offset_seconds: int = 0

    def now(self) -> datetime:
        return self.real_now() + timedelta(seconds=self.offset_seconds)

    def real_now(self) -> datetime:
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Wait for so long; negative is not at all."""
        time.sleep(max(seconds, 0))
