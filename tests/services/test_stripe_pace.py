"""The pace at which Stripe is asked: one for all processes, never caught up with, held back for everybody by a 429."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.gateways.stripe import Lane, StripeBusyError
from portal.models import StripeLane
from portal.services.stripe_pace import A_LITTLE_MORE, DatabasePace
from portal.wiring import session
from tests.clocks import MovableClock
from tests.services.programme import Programme

ALL, TRANSFERS = Lane.everything, Lane.transfers
STEP = A_LITTLE_MORE / 5


class Asker(DatabasePace):
    """One process of several; what it waits for, in seconds, comes back."""

    def __init__(self, clock: MovableClock, patience: float = 60) -> None:
        self.clock = clock
        super().__init__(session, clock=clock, per_second={ALL: 5, TRANSFERS: 2}, patience=lambda: patience)

    def waits(self, *lanes: Lane) -> float:
        before = len(self.clock.pauses)
        self.take_turn(*lanes)
        return sum(self.clock.pauses[before:])


@pytest.fixture
def ask(programme: Programme) -> Callable[..., Asker]:
    """Each is another process; a turn takes it a few milliseconds at the most, on PostgreSQL by the server's clock."""
    return lambda **more: Asker(programme.clock, **more)


def test_processes_share_one_pace(ask: Callable[..., Asker]) -> None:
    one, another = ask(), ask()
    waited = [asker.waits(ALL) for asker in (one, another, one, another, one)]
    assert waited == pytest.approx([number * STEP for number in range(5)], abs=0.15)
    assert waited == sorted(waited)


def test_what_was_not_used_is_not_caught_up_with(programme: Programme, ask: Callable[..., Asker]) -> None:
    asker = ask()
    asker.waits(ALL)
    earlier(programme, 3_600)
    assert [asker.waits(ALL) for _ in range(3)] == pytest.approx([0, STEP, 2 * STEP], abs=0.15)


def test_transfers_keep_a_pace_of_their_own_and_the_common_one(ask: Callable[..., Asker]) -> None:
    asker = ask()
    assert [asker.waits(ALL, TRANSFERS) for _ in range(3)] == pytest.approx(
        [0, 2.5 * STEP, 5 * STEP], abs=0.15
    )
    # reads went on beside them all the while
    assert asker.waits(ALL) == pytest.approx(3 * STEP, abs=0.15)


def test_whoever_would_wait_for_too_long_is_told_and_takes_no_turn(ask: Callable[..., Asker]) -> None:
    page, worker = ask(patience=STEP * 1.5), ask()
    page.hold(ALL, seconds=10)
    for _ in range(3):
        with pytest.raises(StripeBusyError):
            page.take_turn(ALL)
    assert worker.waits(ALL) == pytest.approx(10, abs=0.15)


def test_a_hold_is_for_everybody_and_for_its_lane_alone(ask: Callable[..., Asker]) -> None:
    one, another = ask(), ask()
    one.hold(TRANSFERS, seconds=30)
    assert another.waits(ALL) == pytest.approx(0, abs=0.15)
    assert another.waits(ALL, TRANSFERS) == pytest.approx(30, abs=0.15)
    one.hold(ALL, seconds=5)
    one.hold(ALL, seconds=1)  # shortens nothing
    assert another.waits(ALL) == pytest.approx(5, abs=0.15)


def test_a_clock_that_is_set_back_stops_nothing(programme: Programme, ask: Callable[..., Asker]) -> None:
    asker = ask()
    asker.waits(ALL)
    earlier(programme, -6 * 3_600)
    assert asker.waits(ALL) == pytest.approx(0, abs=0.15)


def test_a_database_that_takes_nothing_lets_nothing_through(
    programme: Programme, ask: Callable[..., Asker]
) -> None:
    programme.execute(sa.text("DROP TABLE stripe_lanes"))
    with pytest.raises(StripeBusyError):
        ask().take_turn(ALL)


def earlier(programme: Programme, seconds: float) -> None:
    """Every lane was free so much earlier."""
    programme.execute(sa.update(StripeLane).values(free_at_epoch=StripeLane.free_at_epoch - seconds))
