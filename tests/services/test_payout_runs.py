"""Payout runs that operators confirm: exactly the list that was looked at, once."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import InvalidInput
from portal.domain.payout_runs import RunIsNotPossible, RunIsOutdated, RunWasUsed
from portal.models import ActorKind, PayoutRun
from portal.models.base import new_id
from portal.services.journal import Cause
from tests.services.programme import Programme
from tests.services.running import confirm, look, outcomes, posts, record, work


def test_confirming_asks_stripe_nothing_and_is_written_down_with_who_did_it(programme: Programme) -> None:
    payout_id, person = programme.approved(), programme.person()
    run_id = look(programme)
    programme.stripe.forget_requests()
    run = confirm(programme, run_id, by=person)
    assert programme.stripe.requests("GET", "/v1/") == programme.stripe.requests("POST", "/v1/") == []
    assert (run.id, run.trigger, run.listed, run.totals) == (run_id, "operator", 1, {"usd": 10_000})
    assert outcomes(programme, run_id) == {payout_id: None}
    assert programme.changes(run_id) == [(None, "1 payout, $100.00", "request:1")]
    assert programme.payout(payout_id).status == "approved"


def test_the_worker_sends_the_list_once_and_says_what_became_of_each(programme: Programme) -> None:
    paid, held = programme.approved(), programme.approved()
    run_id = look(programme)
    confirm(programme, run_id, "200.00")
    programme.stripe.fate(programme.payout(held).destination, "restrict", silently=True)
    assert (work(programme), work(programme)) == (1, 0)
    assert outcomes(programme, run_id) == {paid: "paid", held: "held"}
    done = record(programme, run_id)
    assert done.run.finished_at is not None
    assert (done.run.paid, done.run.tally, done.run.sent) == (1, {"paid": 1, "held": 1}, {"usd": 10_000})
    assert [money.amount for money in done.sent_totals] == [10_000]
    assert posts(programme) == 1


def test_what_is_approved_after_the_look_is_not_sent_by_it(programme: Programme) -> None:
    listed = programme.approved()
    run_id = look(programme)
    later = programme.approved()
    confirm(programme, run_id)
    work(programme)
    assert outcomes(programme, run_id) == {listed: "paid"}
    assert (programme.payout(listed).status, programme.payout(later).status) == ("paid", "approved")
    assert len(programme.stripe.transfers()) == 1


def test_what_is_called_off_between_the_confirmation_and_the_worker_is_not_sent(programme: Programme) -> None:
    sent, canceled = programme.approved(), programme.approved()
    run_id = look(programme)
    confirm(programme, run_id, "200.00")
    programme.services.payouts.cancel(canceled, cause=Cause.system("a test"))
    work(programme)
    assert outcomes(programme, run_id) == {sent: "paid", canceled: "skipped"}
    assert len(programme.stripe.transfers()) == 1


def test_a_list_of_which_one_was_called_off_is_out_of_date_and_says_who_did_what_when(
    programme: Programme,
) -> None:
    programme.approved()
    canceled = programme.approved()
    run_id = look(programme)
    programme.services.payouts.cancel(canceled, cause=Cause.system("a test"))
    with pytest.raises(RunIsOutdated) as refusal:
        confirm(programme, run_id, "200.00")
    reference = programme.payout(canceled).reference
    assert f"{reference} became canceled (system, " in refusal.value.sentence
    assert f"{programme.clock.now():%d %b %Y, %H:%M} UTC" in refusal.value.sentence
    assert programme.rows(sa.select(PayoutRun.id)) == []


def test_a_list_is_out_of_date_once_a_bank_behind_it_has_changed(programme: Programme) -> None:
    payout_id = programme.approved()
    run_id = look(programme)
    account_id = programme.payout(payout_id).destination
    programme.stripe.fate(account_id, "change_bank", silently=True)
    programme.sync(programme.payout(payout_id).affiliate_id)
    with pytest.raises(RunIsOutdated, match="has changed since"):
        confirm(programme, run_id)


def test_a_used_list_is_refused_and_says_who_ran_it_when(programme: Programme) -> None:
    programme.approved()
    run_id = look(programme)
    run = confirm(programme, run_id)
    with pytest.raises(RunWasUsed, match=f"with 1 payout on {run.started_at:%d %b %Y, %H:%M} UTC"):
        confirm(programme, run_id)
    work(programme)
    with pytest.raises(RunWasUsed, match="it is finished, 1 sent"):
        confirm(programme, run_id)
    assert posts(programme) == 1


def test_a_list_that_an_older_look_shares_is_out_of_date_once_it_was_run(programme: Programme) -> None:
    """Nothing of it could be sent, so that it reads the same as before."""
    programme.stripe.set_balance(usd=0)
    programme.approved()
    older = look(programme)
    run_id = look(programme)
    confirm(programme, run_id)
    work(programme)
    with pytest.raises(RunIsOutdated, match="another run since"):
        confirm(programme, older)


@pytest.mark.parametrize("foreign", [new_id(), UUID(int=(2**47) << 80 | 8 << 76 | 2 << 62), UUID(int=0)])
def test_an_id_that_no_page_gave_runs_nothing(programme: Programme, foreign: UUID) -> None:
    programme.approved()
    with pytest.raises(RunIsOutdated):
        confirm(programme, foreign)
    assert programme.rows(sa.select(PayoutRun.id)) == []


@pytest.mark.parametrize("typed", ["", "100.01", "10000", "100.00 EUR", "all"])
def test_another_total_than_the_lists_runs_nothing(programme: Programme, typed: str) -> None:
    programme.approved()
    run_id = look(programme)
    with pytest.raises(InvalidInput):
        confirm(programme, run_id, typed)
    assert programme.rows(sa.select(PayoutRun.id)) == []
    assert confirm(programme, run_id).listed == 1


def test_nothing_is_run_while_sending_is_stopped_or_another_run_is_under_way(programme: Programme) -> None:
    programme.approved()
    first, second = look(programme), look(programme)
    programme.services.transfers._switch.halt("A person must look.")
    with pytest.raises(RunIsNotPossible, match="A person must look"):
        confirm(programme, first)
    programme.services.payout_control.resume(cause=Cause(ActorKind.operator, None, "r", "Fine."))
    confirm(programme, first)
    with pytest.raises(RunIsNotPossible, match="under way"):
        confirm(programme, second)


def test_an_empty_list_is_not_run(programme: Programme) -> None:
    with pytest.raises(RunIsNotPossible, match="nothing to send"):
        confirm(programme, look(programme), "0.00")
