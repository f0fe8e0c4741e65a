"""Idempotency keys that Stripe forgets earlier than the day it promises: from 17 hours on that costs nothing, and what
it costs before is noticed. https://docs.stripe.com/api/idempotent_requests"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.config import Settings
from portal.models import Payout
from tests.clocks import MovableClock
from tests.services.breaking import to_be_broken
from tests.services.differing import is_halted
from tests.services.line import Line
from tests.services.programme import Programme

#: Stripe makes the transfer, and nobody is told: the line drops each time, or a 500 is kept under the key.
UNHEARD = ["timeout_after", "500_after_saved"]


Work = Callable[[Programme], object]


def tried_until(programme: Programme, fault: str, work: Work, *, pruned_after_hours: float) -> None:
    """A payout is approved and sent at once, and tried now and then until Stripe forgets its key and is well again."""
    programme.approved()
    programme.stripe.fault(fault, times=100)
    programme.run()
    for hours in (pruned_after_hours / 2, pruned_after_hours / 2):
        work(programme)
        programme.clock.advance(hours=hours)
    programme.stripe.prune_keys()
    programme.stripe.comes_back()


def assert_paid_once(programme: Programme, work: Work) -> None:
    for _ in range(3):
        work(programme)
        programme.clock.advance(hours=4)
    assert len(programme.stripe.transfers()) == 1
    assert programme.rows(sa.select(Payout.status)) == [("paid",)]


@pytest.mark.parametrize("fault", UNHEARD)
@pytest.mark.parametrize("pruned_after_hours", [17, 22.9])
def test_a_key_that_is_pruned_after_17_hours_is_not_paid_again(
    programme: Programme, fault: str, pruned_after_hours: float
) -> None:
    """Although nobody compared the books with Stripe in all that time."""
    tried_until(programme, fault, Programme.retry, pruned_after_hours=pruned_after_hours)
    assert_paid_once(programme, Programme.retry)


def test_where_books_are_compared_every_hour_a_key_may_be_pruned_after_an_hour(programme: Programme) -> None:
    tried_until(programme, "500_after_saved", Programme.run, pruned_after_hours=1)
    assert_paid_once(programme, Programme.run)


def test_a_key_that_is_pruned_before_that_may_be_paid_again_and_stops_all_sending(
    settings: Settings, clock: MovableClock, stand_in: Flask, line: Line
) -> None:
    """No policy that repeats a request survives a Stripe that forgets it at once; the next pass finds both."""
    with to_be_broken(settings, clock, line, stand_in) as programme:
        tried_until(programme, "500_after_saved", Programme.retry, pruned_after_hours=16.9)
        programme.retry()
        assert len(programme.stripe.transfers()) == 2
        waiting = programme.approved()
        programme.run()
        assert is_halted(programme)
        assert programme.payout(waiting).status == "approved"
