"""Whatever happens on the line, at Stripe, to workers and to clocks: paid exactly once."""

from __future__ import annotations

import pytest

from tests.simulation.policies import THE_PORTALS, WRONG, Policy
from tests.simulation.schedule import Fault, Schedule, told

#: CI's share; `python -m tests.simulation --schedules 100000 --seed 1` tries as many as anybody likes.
SCHEDULES = 3_000

#: A wrong policy shows within so many schedules that somebody is paid twice, or not at all.
CAUGHT_WITHIN = 2_500

#: Each tries so many, so that several processes share them.
SHARE = 500


@pytest.mark.parametrize("first", range(1, SCHEDULES, SHARE))
def test_under_any_schedule_a_payout_is_paid_exactly_once(first: int) -> None:
    for seed in range(first, first + SHARE):
        if Schedule(seed, THE_PORTALS).run().faults:
            pytest.fail(told(seed, THE_PORTALS))


@pytest.mark.parametrize("policy", WRONG, ids=lambda policy: policy.name)
def test_a_wrong_policy_is_caught(policy: Policy) -> None:
    costs = {Fault.paid_twice, Fault.not_paid}
    assert any(Schedule(seed, policy).run().faults & costs for seed in range(1, CAUGHT_WITHIN))


def test_a_schedule_is_the_same_each_time() -> None:
    seeds = range(1, 40)
    assert [told(seed, THE_PORTALS) for seed in seeds] == [told(seed, THE_PORTALS) for seed in seeds]


def test_the_schedules_reach_what_they_are_for() -> None:
    """Troubles that never happen would prove nothing."""
    tales = "\n".join(told(seed, THE_PORTALS) for seed in range(1, 400))
    for happening in (
        "dies", "clock_jumps", "late", "failed_after", "too_many", "key_refused", "g2 is posted", "processing → failed",
        "approved → held", "held → approved", "approved → canceled", "requested → rejected", "0002 processing → paid",
    ):  # fmt: skip
        assert happening in tales, happening
