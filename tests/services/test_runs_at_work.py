"""Payout runs while they are done: by one worker, after another was lost, with the same record whoever began them."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.domain.payout_runs import RunIsNotPossible, RunIsOutdated, RunTrigger
from portal.gateways.stripe import StripeKeyRefusedError
from portal.jobs.work import everything_due
from portal.models import PayoutRun
from portal.models.base import new_id
from portal.services.journal import Cause
from tests.services.line import Answer, Killed, Line
from tests.services.programme import Programme
from tests.services.running import confirm, look, outcomes, posts, record, work


def test_of_two_who_confirm_at_once_one_does(programme: Programme) -> None:
    for _ in range(2):
        programme.approved()
    ids = [look(programme), look(programme)]
    heard: list[object] = []
    barrier = threading.Barrier(2)
    people = [programme.person(), programme.person()]

    def press(run_id: UUID, person: UUID) -> None:
        with programme.app.app_context():
            barrier.wait()
            try:
                heard.append(confirm(programme, run_id, "200.00", by=person).id)
            except (RunIsNotPossible, RunIsOutdated) as refusal:
                heard.append(type(refusal))

    threads = [threading.Thread(target=press, args=pair) for pair in zip(ids, people, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(ids) & {*heard}) == 1
    assert len(programme.rows(sa.select(PayoutRun.id))) == 1


def test_two_workers_do_a_run_once(programme: Programme) -> None:
    for _ in range(3):
        programme.approved()
    run_id = look(programme)
    confirm(programme, run_id, "300.00")
    barrier, done = threading.Barrier(2), []

    def do() -> None:
        with programme.app.app_context():
            barrier.wait()
            done.append(work(programme))

    workers = [threading.Thread(target=do) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(done) == [0, 1]
    assert posts(programme) == len(programme.stripe.transfers()) == 3
    assert record(programme, run_id).run.paid == 3


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_lost_worker_is_followed_by_another_and_nobody_is_paid_twice(
    programme: Programme, line: Line, is_answered: bool
) -> None:
    """The worker dies at the second transfer: before it has left, or once Stripe has made it."""
    payouts = [programme.approved() for _ in range(3)]
    run_id = look(programme)
    confirm(programme, run_id, "300.00")
    seen: list[str] = []

    def die(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/transfers"):
            seen.append(path)
            if len(seen) == 2:
                raise Killed

    def die_of_the_answer(method: str, path: str, answer: Answer) -> Answer:
        die(method, path)
        return answer

    if is_answered:
        line.on_answer = die_of_the_answer
    else:
        line.on_request = die
    with pytest.raises(Killed):
        work(programme)
    line.is_quiet_again()
    assert work(programme) == 0
    programme.clock.advance(minutes=5, seconds=1)
    assert work(programme) == 1
    assert outcomes(programme, run_id) == dict.fromkeys(payouts, "paid")
    assert len(programme.stripe.transfers()) == 3
    assert record(programme, run_id).run.sent == {"usd": 30_000}


def test_a_record_that_cannot_be_written_stands_in_nobodys_way(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(2)]
    run_id = look(programme)
    confirm(programme, run_id, "200.00")

    def fail(*_args: object) -> None:
        raise OSError("the disk is full")

    runs = programme.services.payout_runs
    vars(runs)["_note"] = fail
    assert work(programme) == 1
    assert outcomes(programme, run_id) == dict.fromkeys(payouts, "paid")
    assert record(programme, run_id).run.paid == 2


def test_what_was_sent_and_not_noted_counts_as_sent_by_the_run(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(2)]
    run_id = look(programme)
    confirm(programme, run_id, "200.00")

    def die(*_args: object) -> None:
        raise Killed

    runs = programme.services.payout_runs
    vars(runs)["_note"] = die  # the process ends between the payout and the note
    with pytest.raises(Killed):
        work(programme)
    del vars(runs)["_note"]
    programme.clock.advance(minutes=6)
    work(programme)
    assert outcomes(programme, run_id) == dict.fromkeys(payouts, "paid")


def test_runs_by_themselves_leave_the_same_record_and_empty_ones_leave_none(programme: Programme) -> None:
    programme.run()
    assert programme.services.run_records.newest(limit=9) == []
    payout_id, restricted = programme.approved(), programme.approved()
    programme.stripe.fate(programme.payout(restricted).destination, "restrict", silently=True)
    programme.run()
    (done,) = programme.services.run_records.newest(limit=9)
    assert (done.run.trigger, done.run.listed, done.run.totals) == ("timetable", 2, {"usd": 20_000})
    assert outcomes(programme, done.run.id) == {payout_id: "paid", restricted: "held"}
    assert (done.by, done.counts, done.sent) == ("", {Outcome.paid: 1, Outcome.held: 1}, {"usd": 10_000})


def test_what_was_on_hold_before_is_on_a_record_only_once_something_comes_of_it(programme: Programme) -> None:
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination
    programme.stripe.fate(account_id, "restrict", silently=True)
    programme.run()
    for _ in range(3):
        programme.clock.advance(hours=1)
        assert programme.run().counts == {Outcome.held: 1}
    assert len(programme.services.run_records.newest(limit=9)) == 1
    programme.stripe.fate(account_id, "approve", silently=True)
    programme.clock.advance(hours=1)
    programme.run()
    freed, held = programme.services.run_records.newest(limit=9)
    assert (freed.run.listed, freed.run.totals, freed.sent) == (1, {"usd": 10_000}, {"usd": 10_000})
    assert outcomes(programme, freed.run.id) == {payout_id: "paid"}
    assert outcomes(programme, held.run.id) == {payout_id: "held"}


def test_a_run_of_the_timetable_that_was_broken_off_goes_on_under_the_same_record(
    programme: Programme, line: Line
) -> None:
    first = programme.approved()
    run_id = new_id()
    cause = Cause.system(f"process-payouts {run_id}")

    def die(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/transfers"):
            raise Killed

    line.on_request = die
    with pytest.raises(Killed):
        programme.services.payout_runs.run(trigger=RunTrigger.timetable, cause=cause, run_id=run_id)
    line.is_quiet_again()
    programme.clock.advance(hours=2)
    second = programme.approved(5_000)
    programme.services.payout_runs.run(trigger=RunTrigger.timetable, cause=cause, run_id=run_id)
    assert outcomes(programme, run_id) == {first: "paid", second: "paid"}
    done = record(programme, run_id)
    assert (done.run.listed, done.run.totals, done.run.sent) == (2, {"usd": 15_000}, {"usd": 15_000})


def test_a_refused_key_ends_the_run_with_its_reason_and_changes_no_payout(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(2)]
    run_id = look(programme)
    confirm(programme, run_id, "200.00")
    programme.stripe.fault("401", path="/v1/", method="*", times=50)
    with pytest.raises(StripeKeyRefusedError):
        work(programme)
    done = record(programme, run_id)
    assert done.run.finished_at is not None
    assert "No payout was changed" in (done.run.problem or "")
    assert done.is_alarming
    assert {programme.payout(each).status for each in payouts} == {"approved"}


def test_stopped_between_the_confirmation_and_the_worker_nothing_is_sent(programme: Programme) -> None:
    programme.approved()
    run_id = look(programme)
    confirm(programme, run_id)
    programme.services.transfers._switch.halt("A person must look.")
    work(programme)
    done = record(programme, run_id)
    assert (done.run.tally, done.run.problem) == ({"skipped": 1}, "Sending is stopped: A person must look.")
    assert programme.stripe.transfers() == []


def test_the_workers_round_does_what_was_confirmed(programme: Programme) -> None:
    programme.approved()
    run_id = look(programme)
    confirm(programme, run_id)
    assert everything_due(programme.services)
    assert record(programme, run_id).run.paid == 1
