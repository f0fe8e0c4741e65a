"""Counting days on which people work."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portal.domain.business_days import business_days_after

FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("count", "day"),
    [
        (0, date(2026, 11, 27)),
        (1, date(2026, 11, 30)),
        (2, date(2026, 12, 1)),
        (5, date(2026, 12, 4)),
        (6, date(2026, 12, 7)),
    ],
)
def test_a_weekend_does_not_count(count: int, day: date) -> None:
    assert business_days_after(FRIDAY, count) == day


def test_from_a_weekend_the_next_monday_is_the_first_and_the_time_of_day_stays() -> None:
    assert business_days_after(date(2026, 11, 28), 1) == date(2026, 11, 30)
    assert business_days_after(datetime(2026, 11, 29, 23, 59, tzinfo=UTC), 1) == datetime(
        2026, 11, 30, 23, 59, tzinfo=UTC
    )
