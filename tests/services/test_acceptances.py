"""Differences that a person explained: only what is open, only with a reason, and never what would be sent again."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import InvalidInput, NotFound
from portal.gateways.transfer_facts import TransferFacts
from portal.models import ActorKind, AuditRow, Payout, User
from portal.services.acceptances import PayoutWouldBeSentAgain
from portal.services.journal import Cause
from portal.services.transfer_comparison import differences_of
from tests.clocks import MovableClock
from tests.services.breaking import without_rules
from tests.services.differing import installation, kinds, paid, reconcile, stray
from tests.services.programme import TEST, Programme

OPERATOR = Cause(ActorKind.shell, "somebody", "reconcile --accept", "Sent by hand for a contest.")


def test_what_would_be_sent_again_is_not_accepted_before_it_is_canceled(adrift: Programme) -> None:
    payout_id = adrift.approved()
    adrift.stripe.transfer_by_hand(
        adrift.payout(payout_id).destination,
        10_000,
        group=f"payout-{payout_id}",
        metadata=installation(adrift),
    )
    (transfer,) = adrift.stripe.transfers()
    with pytest.raises(PayoutWouldBeSentAgain, match="Cancel the payout first"):
        adrift.services.acceptances.accept(transfer["id"], cause=OPERATOR)
    adrift.services.payouts.cancel(payout_id, cause=OPERATOR)
    assert kinds(reconcile(adrift)) == [("transfer_not_settled", transfer["id"])]
    assert adrift.services.acceptances.accept(transfer["id"], cause=OPERATOR).is_clean


def test_a_difference_stays_until_a_person_has_explained_it(adrift: Programme, clock: MovableClock) -> None:
    transfer_id = stray(adrift)
    for _ in range(4):
        assert kinds(reconcile(adrift)) == [("transfer_without_payout", transfer_id)]
        clock.advance(days=3)
    tally = adrift.services.acceptances.accept(transfer_id, cause=OPERATOR)
    assert (tally.differences, tally.accepted) == ([], 1)
    assert reconcile(adrift).is_clean
    (audited,) = adrift.rows(
        sa.select(AuditRow.actor_id, AuditRow.subject_id, AuditRow.reason).where(
            AuditRow.action == "reconciliation.difference_accepted"
        )
    )
    assert tuple(audited) == ("somebody", transfer_id, "Sent by hand for a contest.")


def test_only_what_is_open_is_accepted_and_only_with_a_reason(adrift: Programme) -> None:
    transfer_id = stray(adrift)
    with pytest.raises(NotFound, match="There is no open difference tr_none"):
        adrift.services.acceptances.accept("tr_none", cause=OPERATOR)
    with pytest.raises(InvalidInput, match="Say why"):
        adrift.services.acceptances.accept(transfer_id, cause=TEST)
    assert not reconcile(adrift).is_clean


def test_a_difference_that_reads_otherwise_later_is_open_again(adrift: Programme) -> None:
    payout_id = paid(adrift)
    transfer_id = str(adrift.payout(payout_id).transfer_id)
    without_rules(sa.update(Payout).where(Payout.id == payout_id).values(amount=9_000))
    assert adrift.services.acceptances.accept(transfer_id, cause=OPERATOR).is_clean
    without_rules(sa.update(Payout).where(Payout.id == payout_id).values(amount=8_000))
    assert kinds(reconcile(adrift)) == [("transfer_amount", transfer_id)]
    assert adrift.services.acceptances.accept(transfer_id, cause=OPERATOR).is_clean


def test_what_was_explained_is_listed_newest_first_with_who_did_it(
    adrift: Programme, clock: MovableClock
) -> None:
    first, second, olga = stray(adrift), stray(adrift), adrift.person()
    adrift.execute(sa.update(User).where(User.id == olga).values(name="Olga"))
    kind, accept = "transfer_without_payout", adrift.services.acceptances.accept
    tally = accept(first, cause=Cause(ActorKind.operator, str(olga), "request-1", "x" * 501))
    assert kinds(tally) == [(kind, second)]
    clock.advance(minutes=1)
    accept(second, cause=Cause(ActorKind.shell, None, "reconcile --accept", "For a contest."))
    newest = adrift.services.acceptances.newest(limit=2)
    assert [(each.row.difference_id, each.row.reason, each.by) for each in newest] == [
        (second, "For a contest.", ""), (first, "x" * 500, "Olga"),
    ]  # fmt: skip
    trail = sa.select(AuditRow.subject_kind, AuditRow.from_value, AuditRow.to_value)
    rows = adrift.rows(trail.where(AuditRow.subject_id == first))
    assert [tuple(row) for row in rows] == [("transfer", kind, "accepted")]


def test_all_that_differs_about_one_transfer_is_explained_at_once(adrift: Programme) -> None:
    payout_id = paid(adrift)
    transfer_id = str(adrift.payout(payout_id).transfer_id)
    without_rules(
        sa.update(Payout).where(Payout.id == payout_id).values(amount=9_000, destination="acct_other")
    )
    assert kinds(reconcile(adrift)) == [
        ("transfer_amount", transfer_id),
        ("transfer_destination", transfer_id),
    ]
    tally = adrift.services.acceptances.accept(transfer_id, cause=OPERATOR)
    assert (tally.differences, tally.accepted) == ([], 2)


def test_of_two_transfers_that_read_the_same_each_is_explained_for_itself(adrift: Programme) -> None:
    account = adrift.account_of(adrift.verified())
    for _ in range(2):
        adrift.stripe.transfer_by_hand(
            account, 500, group=f"payout-{UUID(int=7)}", metadata=installation(adrift)
        )
    first, second = (str(transfer["id"]) for transfer in adrift.stripe.transfers())
    tally = adrift.services.acceptances.accept(first, cause=OPERATOR)
    assert kinds(tally) == [("transfer_without_payout", second)]
    assert adrift.services.acceptances.accept(second, cause=OPERATOR).is_clean


def test_a_difference_that_reads_on_for_long_is_cut_to_its_room() -> None:
    somebodys = TransferFacts("tr_1", 500, 0, "usd", "x" * 501, f"payout-{UUID(int=7)}", {})
    assert [len(difference.message) for difference in differences_of(somebodys, None)] == [500]
