"""When a reminder is due: each at its day, late by a little, never in a heap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reminders import DEADLINE_DAYS, LATE_DAYS, SETUP_DAYS, deadline_reminder, setup_reminder

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "reminder"),
    [
        (0, None), (0.99, None), (1, 1), (2.99, 1), (3, 3), (5.99, 3), (6, None), (6.99, None), (7, 7), (9.99, 7),
        (10, None), (400, None), (-1, None),
    ],
)  # fmt: skip
def test_set_up_is_spoken_of_after_one_three_and_seven_days(days: float, reminder: int | None) -> None:
    assert setup_reminder(NOW - timedelta(days=days), NOW) == reminder


@pytest.mark.parametrize(
    ("days", "reminder"),
    [
        (14.01, None), (14, 14), (10, 14), (7.01, 14), (7, 7), (1.01, 7), (1, 1), (0.01, 1), (0, None), (-1, None),
    ],
)  # fmt: skip
def test_a_deadline_is_spoken_of_fourteen_seven_and_one_days_before(
    days: float, reminder: int | None
) -> None:
    assert deadline_reminder(NOW + timedelta(days=days), NOW) == reminder


@given(st.floats(-50, 50), st.lists(st.floats(0.5, 1.5), min_size=80, max_size=80))
def test_a_worker_that_comes_about_daily_reminds_of_each_day_in_order(
    first: float, pauses: list[float]
) -> None:
    now, setups, deadlines = NOW + timedelta(days=first), [], []
    for pause in pauses:
        setups.append(setup_reminder(NOW, now))
        deadlines.append(deadline_reminder(NOW, now))
        now += timedelta(days=pause)
    assert [day for day in dict.fromkeys(setups) if day] == sorted({day for day in setups if day})
    assert [day for day in dict.fromkeys(deadlines) if day] == sorted(
        {day for day in deadlines if day}, reverse=True
    )
    if first <= 0 and now > NOW + timedelta(days=SETUP_DAYS[-1] + LATE_DAYS):
        assert {day for day in setups if day} == set(SETUP_DAYS)
    if first <= -DEADLINE_DAYS[0] - 1.5 and now > NOW:
        assert {14, 7} <= {day for day in deadlines if day}
