"""When somebody who has something to do at Stripe is reminded: a few times, each once, then no more."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Days after the beginning; whoever has not finished a week later has decided, or needs a person.
SETUP_DAYS = (1, 3, 7)

#: A reminder that is later than this says too little about the day that it is for.
LATE_DAYS = 3

#: Days before a deadline.
DEADLINE_DAYS = (14, 7, 1)


def setup_reminder(begun_at: datetime, now: datetime) -> int | None:
    """The day (of SETUP_DAYS) whose reminder is due, None for none; those that were missed are not made up for."""
    days = (now - begun_at) / timedelta(days=1)
    passed = [day for day in SETUP_DAYS if day <= days]
    return passed[-1] if passed and days < passed[-1] + LATE_DAYS else None


def deadline_reminder(deadline_at: datetime, now: datetime) -> int | None:
    """How many days before the deadline (of DEADLINE_DAYS) the reminder is for that is due, None for none; a deadline
    that came up late begins with the one that it is in time for."""
    left = (deadline_at - now) / timedelta(days=1)
    return min((days for days in DEADLINE_DAYS if left <= days), default=None) if left > 0 else None
