"""Reconciling: what is proven is settled, what is not explained is named and stops all sending."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
import sqlalchemy.exc

from portal.domain.attempts import Outcome
from portal.gateways.stripe import StripeUnavailableError
from portal.jobs.work import everything_due
from portal.models import LedgerEntry, Payout, PayoutAttempt
from portal.services.journal import Cause
from portal.wiring import db
from tests.clocks import MovableClock
from tests.services.breaking import drop_rule, without_rules
from tests.services.differing import installation, is_halted, kinds, paid, reconcile, stray
from tests.services.line import Killed, Line
from tests.services.programme import TEST, Programme


def test_books_that_agree_have_no_difference(programme: Programme) -> None:
    paid(programme)
    programme.approved()
    tally = reconcile(programme)
    assert (tally.differences, tally.ours, tally.others, tally.settled) == ([], 1, 0, 0)
    assert not is_halted(programme)


def test_a_transfer_whose_answer_was_lost_is_settled(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    line.dies_after("POST", "/v1/transfers")
    with pytest.raises(Killed):
        programme.run()
    assert programme.payout(payout_id).status == "processing"
    tally = reconcile(programme)
    assert (tally.differences, tally.settled) == ([], 1)
    assert programme.payout(payout_id).status == "paid"
    assert len(programme.stripe.transfers()) == 1


def test_each_transfer_whose_answer_was_lost_is_counted(programme: Programme) -> None:
    for _ in range(2):
        programme.approved()
    programme.stripe.fault("timeout_after", times=2)
    assert programme.run().counts[Outcome.unknown] == 2
    assert reconcile(programme).settled == 2


def test_transfers_of_others_are_counted_and_no_difference(programme: Programme) -> None:
    account = programme.onboard(programme.affiliate())
    programme.stripe.transfer_by_hand(account, 500, group="order-17")
    programme.stripe.transfer_by_hand(account, 600, group=f"payout-{UUID(int=5)}")
    programme.stripe.transfer_by_hand(account, 700, group="payout-x", metadata={"installation": "another"})
    tally = reconcile(programme)
    assert (tally.differences, tally.ours, tally.others) == ([], 0, 3)


@pytest.mark.parametrize("group", [f"payout-{UUID(int=7)}", "payout-nonsense"])
def test_one_of_ours_without_a_payout_is_named_and_makes_no_money(adrift: Programme, group: str) -> None:
    account = adrift.account_of(adrift.verified(earned=10_000))
    entries = adrift.rows(sa.select(LedgerEntry.id))
    adrift.stripe.transfer_by_hand(account, 500, group=group, metadata=installation(adrift))
    (transfer,) = adrift.stripe.transfers()
    assert kinds(reconcile(adrift)) == [("transfer_without_payout", transfer["id"])]
    assert adrift.rows(sa.select(LedgerEntry.id)) == entries


def test_a_difference_stops_all_sending(adrift: Programme) -> None:
    stray(adrift)
    waiting = adrift.approved()
    reconcile(adrift)
    assert is_halted(adrift)
    adrift.run()
    assert adrift.payout(waiting).status == "approved"


def test_a_second_transfer_of_a_payout_is_named(adrift: Programme) -> None:
    payout_id = paid(adrift)
    account = adrift.payout(payout_id).destination
    adrift.stripe.transfer_by_hand(
        account, 10_000, group=f"payout-{payout_id}", metadata=installation(adrift)
    )
    (second,) = {row["id"] for row in adrift.stripe.transfers()} - {adrift.payout(payout_id).transfer_id}
    assert kinds(reconcile(adrift)) == [("second_transfer", second)]
    assert is_halted(adrift)


@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_taken_back_of_a_second_transfer_gives_nothing_back(adrift: Programme, is_told: bool) -> None:
    """Else the affiliate, who has the first one, could ask for it again."""
    payout_id = paid(adrift)
    payout = adrift.payout(payout_id)
    adrift.stripe.transfer_by_hand(
        payout.destination, 10_000, group=f"payout-{payout_id}", metadata=installation(adrift)
    )
    (second,) = {row["id"] for row in adrift.stripe.transfers()} - {payout.transfer_id}
    adrift.stripe.reverse(second, 10_000)
    entries = adrift.rows(sa.select(LedgerEntry.id))
    if is_told:
        adrift.services.transfers.look_up(second, cause=TEST)
    else:
        reconcile(adrift)
    assert adrift.rows(sa.select(LedgerEntry.id)) == entries
    assert adrift.payout(payout_id).status == "paid"


def test_a_transfer_that_no_attempt_of_ours_made_settles_nothing(adrift: Programme) -> None:
    """A backup is restored: the payout waits again, and was sent already."""
    payout_id = adrift.approved()
    adrift.stripe.transfer_by_hand(
        adrift.payout(payout_id).destination,
        10_000,
        group=f"payout-{payout_id}",
        metadata=installation(adrift),
    )
    (transfer,) = adrift.stripe.transfers()
    assert kinds(reconcile(adrift)) == [("transfer_of_waiting_payout", transfer["id"])]
    assert adrift.payout(payout_id).status == "approved"
    adrift.run()
    assert len(adrift.stripe.transfers()) == 1


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"amount": 9_000}, "transfer_amount"), ({"destination": "acct_other"}, "transfer_destination")],
)
def test_a_payout_that_says_something_else_than_its_transfer_is_named(
    adrift: Programme, changes: dict[str, object], kind: str
) -> None:
    payout_id = paid(adrift)
    without_rules(sa.update(Payout).where(Payout.id == payout_id).values(**changes))
    assert kinds(reconcile(adrift)) == [(kind, adrift.payout(payout_id).transfer_id)]


def test_a_paid_payout_without_a_transfer_is_named(adrift: Programme) -> None:
    payout_id = paid(adrift)
    without_rules(
        sa.update(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).values(transfer_id="tr_no"),
        sa.update(Payout).where(Payout.id == payout_id).values(transfer_id="tr_no"),
    )
    assert ("payout_without_transfer", str(payout_id)) in kinds(reconcile(adrift))


def test_what_the_ledger_has_reversed_and_stripe_does_not_is_named(adrift: Programme) -> None:
    payout_id = paid(adrift)
    transfer_id = adrift.payout(payout_id).transfer_id
    without_rules(sa.update(Payout).where(Payout.id == payout_id).values(amount_reversed=300))
    assert kinds(reconcile(adrift)) == [("amount_reversed", transfer_id)]


def test_more_than_a_page_of_transfers_is_compared(adrift: Programme) -> None:
    account = adrift.account_of(adrift.verified())
    adrift.stripe.set_balance(usd=1_000_000)
    for number in range(103):
        adrift.stripe.transfer_by_hand(account, 100 + number, group=f"order-{number}")
    transfer_id = stray(adrift)
    tally = reconcile(adrift)
    assert (tally.others, kinds(tally)) == (103, [("transfer_without_payout", transfer_id)])


def test_what_differs_on_an_earlier_page_is_kept_and_told_with_all_counts(adrift: Programme) -> None:
    account = adrift.account_of(adrift.verified())
    adrift.stripe.set_balance(usd=1_000_000)
    strays = {stray(adrift)}
    for number in range(101):
        adrift.stripe.transfer_by_hand(account, 100 + number, group=f"order-{number}")
    strays.add(stray(adrift))
    tally = reconcile(adrift)
    assert {each for _, each in kinds(tally)} == strays
    assert {"ours": 2, "others": 101, "settled": 0, "accepted": 0}.items() <= tally.as_json().items()


def test_what_was_paid_long_before_the_last_clean_pass_is_not_asked_for_again(programme: Programme) -> None:
    paid(programme)
    for days in (0, 3, 0):
        programme.clock.advance(days=days)
        programme.stripe.forget_requests()
        assert reconcile(programme).differences == []
    assert len(programme.stripe.requests("GET", "/v1/transfers")) == 1


def test_a_run_may_send_for_an_hour_after_a_clean_pass(programme: Programme, clock: MovableClock) -> None:
    reconciliation, cause = programme.services.reconciliation, Cause.system("process-payouts")
    assert reconciliation.is_clean_or_run(cause=cause)
    programme.stripe.forget_requests()
    clock.advance(minutes=59)
    assert reconciliation.is_clean_or_run(cause=cause)
    assert programme.stripe.requests("GET", "/v1/transfers") == []
    clock.advance(minutes=2)
    assert reconciliation.is_clean_or_run(cause=cause)
    assert len(programme.stripe.requests("GET", "/v1/transfers")) == 1


def test_a_run_may_not_send_while_there_is_a_difference(adrift: Programme) -> None:
    stray(adrift)
    reconciliation, cause = adrift.services.reconciliation, Cause.system("process-payouts")
    assert not reconciliation.is_clean_or_run(cause=cause)
    assert not reconciliation.is_clean_or_run(cause=cause)


def test_a_run_sends_nothing_while_there_is_a_difference_and_leaves_all_where_it_is(
    adrift: Programme,
) -> None:
    stray(adrift)
    payout_id = adrift.approved()
    adrift.stripe.forget_requests()
    tally = adrift.run()
    assert (tally.counts[Outcome.skipped], tally.counts.total()) == (1, 1)
    assert adrift.stripe.requests("POST", "/v1/transfers") == []
    assert adrift.payout(payout_id).status == "approved"
    assert is_halted(adrift)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_restored_backup_sends_nothing_again(adrift: Programme) -> None:
    """The database forgets that it paid; Stripe does not, although it has forgotten the keys."""
    payout_id = adrift.approved()
    reconcile(adrift)
    database = Path(str(db.engine.url.database))
    backup = database.with_name("backup.db")
    with sqlite3.connect(database) as connection:
        connection.execute(f"VACUUM INTO '{backup}'")
    connection.close()
    assert adrift.run().counts[Outcome.paid] == 1
    db.session.remove()
    db.engine.dispose()
    backup.replace(database)
    assert adrift.payout(payout_id).status == "approved"
    adrift.clock.advance(days=2)
    adrift.stripe.prune_keys()
    assert adrift.run().counts[Outcome.paid] == 0
    assert is_halted(adrift)
    assert len(adrift.stripe.transfers()) == 1


def test_a_pass_that_stripe_does_not_answer_counts_for_nothing(programme: Programme) -> None:
    programme.stripe.goes_away()
    with pytest.raises(StripeUnavailableError):
        reconcile(programme)
    assert programme.services.reconciliation.passes() == []
    assert not is_halted(programme)
    programme.stripe.comes_back()


def test_a_pass_that_was_killed_is_made_again(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    line.dies_after("POST", "/v1/transfers")
    with pytest.raises(Killed):
        programme.run()
    line.dies_after("GET", "/v1/transfers")
    with pytest.raises(Killed):
        reconcile(programme)
    assert reconcile(programme).settled == 1
    assert programme.payout(payout_id).status == "paid"


def test_passes_and_acceptances_stay_as_they_are(programme: Programme) -> None:
    reconcile(programme)
    with pytest.raises(sa.exc.DBAPIError, match="only ever added"):
        programme.execute(sa.text("UPDATE reconciliation_passes SET ours = 7"))
    with pytest.raises(sa.exc.DBAPIError, match="never deleted"):
        programme.execute(sa.text("DELETE FROM reconciliation_passes"))


def test_the_worker_reconciles_and_checks_the_books_hourly(adrift: Programme, clock: MovableClock) -> None:
    for hours in range(1, 4):
        clock.advance(hours=1)
        assert everything_due(adrift.services)
        assert len(adrift.services.reconciliation.passes()) == hours
    assert not is_halted(adrift)
    stray(adrift)
    clock.advance(hours=1)
    assert everything_due(adrift.services)
    assert is_halted(adrift)


def test_the_worker_stops_all_sending_when_the_books_do_not_hold(
    adrift: Programme, clock: MovableClock
) -> None:
    drop_rule("audit_log_kept", "audit_log")
    clock.advance(hours=1)
    assert everything_due(adrift.services)
    assert is_halted(adrift)


def test_a_stripe_that_is_away_fails_no_job(programme: Programme, clock: MovableClock) -> None:
    programme.stripe.goes_away()
    clock.advance(hours=1)
    assert everything_due(programme.services)
    assert programme.services.reconciliation.passes() == []
    programme.stripe.comes_back()
    clock.advance(hours=1)
    assert everything_due(programme.services)
    assert len(programme.services.reconciliation.passes()) == 1
