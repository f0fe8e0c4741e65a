"""Days on which people and banks work: all but Saturdays and Sundays. Holidays nobody knows for every country."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeVar

_SATURDAY = 5

D = TypeVar("D", bound=date)


def business_days_after(day: D, count: int) -> D:
    """So many business days after a day, or after a moment at the same time of day."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
