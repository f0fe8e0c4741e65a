"""What is written down of payout runs: each of its own list, and whose turn it is while one is not finished."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.domain.payout_runs import LOST_AFTER, RunIsNotPossible, RunIsOutdated, RunWasUsed
from portal.models import User
from portal.services.run_records import RunRecord
from tests.services.line import Killed, Line
from tests.services.programme import TEST, Programme
from tests.services.running import confirm, look, outcomes, record, work

AN_INSTANT = timedelta(microseconds=1)


def dies_at_the_first_transfer(line: Line) -> None:
    line.dies_before("POST", "/v1/transfers")


def heard_of(programme: Programme, run_id: UUID) -> datetime:
    """When whoever does a run gave the last sign of life."""
    alive_at = record(programme, run_id).run.alive_at
    assert alive_at is not None
    return alive_at


def newest(programme: Programme) -> RunRecord:
    (record,) = programme.services.run_records.newest(limit=1)
    return record


def test_a_run_lists_nothing_that_an_earlier_one_has_sent(programme: Programme) -> None:
    first = programme.approved()
    programme.run()
    programme.clock.advance(hours=1)
    second = programme.approved(5_000)
    programme.run()
    later, earlier = programme.services.run_records.newest(limit=2)
    assert outcomes(programme, earlier.run.id) == {first: "paid"}
    assert outcomes(programme, later.run.id) == {second: "paid"}
    assert (later.run.listed, later.run.totals, later.sent) == (1, {"usd": 5_000}, {"usd": 5_000})


def test_what_a_later_run_sends_changes_nothing_of_an_earlier_record(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.set_balance(usd=0)
    programme.run()
    programme.stripe.set_balance(usd=10_000)
    programme.clock.advance(hours=1)
    programme.run()
    later, earlier = programme.services.run_records.newest(limit=2)
    assert outcomes(programme, earlier.run.id) == {payout_id: "waiting"}
    assert outcomes(programme, later.run.id) == {payout_id: "paid"}


def test_a_finished_run_is_never_taken_again(programme: Programme) -> None:
    programme.approved()
    run_id = look(programme)
    confirm(programme, run_id)
    assert work(programme) == 1
    finished_at = record(programme, run_id).run.finished_at
    programme.clock.advance(days=1)
    assert work(programme) == 0
    assert record(programme, run_id).run.finished_at == finished_at


def test_an_operators_run_is_another_workers_after_five_minutes_of_silence_and_not_before(
    programme: Programme, line: Line
) -> None:
    programme.approved()
    run_id, other = look(programme), look(programme)
    confirm(programme, run_id)
    taken_at = programme.clock.now()
    dies_at_the_first_transfer(line)
    with pytest.raises(Killed):
        work(programme)
    lost_at = heard_of(programme, run_id) + LOST_AFTER
    programme.clock.set(lost_at - AN_INSTANT)
    assert work(programme) == 0
    with pytest.raises(RunIsNotPossible, match="under way"):
        confirm(programme, other)
    programme.clock.set(lost_at)
    with pytest.raises(RunIsOutdated):
        confirm(programme, other)
    assert not record(programme, run_id).is_left(lost_at)
    assert work(programme) == 1
    done = record(programme, run_id).run
    assert (done.taken_at, done.alive_at, done.paid) == (taken_at, lost_at, 1)


def test_whoever_does_a_run_gives_a_sign_of_life_that_puts_off_its_loss(
    programme: Programme, line: Line
) -> None:
    programme.approved()
    dies_at_the_first_transfer(line)
    with pytest.raises(Killed):
        programme.run()
    run_id, begun_at = newest(programme).run.id, heard_of(programme, newest(programme).run.id)
    programme.clock.advance(seconds=60)
    programme.services.payout_runs.renew(run_id)
    assert heard_of(programme, run_id) == begun_at + timedelta(seconds=60)
    assert not newest(programme).is_left(begun_at + LOST_AFTER)


def test_another_run_is_left_after_five_minutes_of_silence_unless_it_is_finished(
    programme: Programme, line: Line
) -> None:
    programme.approved()
    dies_at_the_first_transfer(line)
    with pytest.raises(Killed):
        programme.run()
    broken_off = newest(programme)
    lost_at = heard_of(programme, broken_off.run.id) + LOST_AFTER
    assert not broken_off.is_left(lost_at - AN_INSTANT)
    assert broken_off.is_left(lost_at)
    programme.clock.advance(hours=1)
    programme.approved()
    programme.run()
    assert not newest(programme).is_left(programme.clock.now() + timedelta(days=1))


def test_a_run_is_alarming_only_once_it_is_over_and_only_if_it_sent_none_of_many(
    programme: Programme,
) -> None:
    for _ in range(2):
        programme.approved()
    run_id = look(programme)
    confirm(programme, run_id, "200.00")
    programme.stripe.goes_away()
    assert not record(programme, run_id).is_alarming
    work(programme)
    assert record(programme, run_id).is_alarming
    programme.stripe.comes_back()
    programme.clock.advance(minutes=1)
    programme.run()
    assert not newest(programme).is_alarming


def test_the_payouts_of_a_run_are_read_page_by_page_or_of_one_outcome_alone(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(3)]
    programme.stripe.set_balance(usd=20_000)
    programme.run()
    run_id = newest(programme).run.id
    programme.approved()
    programme.run()  # its lines are another's

    def read(outcome: Outcome | None = None, *, after: int | None = None, limit: int = 9) -> list[UUID]:
        lines = programme.services.run_records.lines(run_id, outcome=outcome, after=after, limit=limit)
        return [line.payout.id for line in lines]

    assert read() == payouts
    assert read(limit=2) == payouts[:2]
    assert read(after=programme.payout(payouts[0]).number) == payouts[1:]
    assert (read(Outcome.paid), read(Outcome.waiting)) == (payouts[:2], payouts[2:])


def test_a_record_names_who_confirmed_the_run_and_so_does_the_refusal_of_another(
    programme: Programme,
) -> None:
    programme.approved()
    olga = programme.person()
    programme.execute(sa.update(User).where(User.id == olga).values(name="Olga"))
    run_id = look(programme)
    confirm(programme, run_id, by=olga)
    with pytest.raises(RunWasUsed, match="This list was run before: Olga began it with 1 payout"):
        confirm(programme, run_id)
    work(programme)
    programme.approved()
    programme.run()
    assert [each.by for each in programme.services.run_records.newest(limit=2)] == ["", "Olga"]
    assert record(programme, run_id).by == "Olga"


def test_what_was_called_off_in_the_moment_of_the_look_is_named(programme: Programme) -> None:
    programme.approved()
    meanwhile = programme.approved()
    run_id = programme.services.payout_previews.next().run_id
    programme.services.payouts.cancel(meanwhile, cause=TEST)
    with pytest.raises(RunIsOutdated, match=f"{programme.payout(meanwhile).reference} became canceled"):
        confirm(programme, run_id, "200.00")
