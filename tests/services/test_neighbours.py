"""What happens to one affiliate's money leaves everybody else's alone, whoever came first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.payouts import HoldReason, PayoutStatus
from portal.models import LedgerEntry
from portal.services.refunds import RefundData
from tests.services.at_bank import look, sent
from tests.services.programme import TEST, Programme


def statuses(programme: Programme, payouts: Sequence[UUID]) -> list[str]:
    return [programme.payout(payout_id).status.value for payout_id in payouts]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_blocking_one_holds_the_payout_of_nobody_else(programme: Programme, which: int) -> None:
    payouts = [programme.approved() for _ in range(3)]
    held = programme.payout(payouts[which])
    programme.block(held.affiliate_id)
    assert statuses(programme, payouts) == ["held" if number == which else "approved" for number in range(3)]
    assert programme.services.holds.reason_now(held.id) is HoldReason.blocked
    for payout_id in payouts:
        if payout_id != held.id:
            assert programme.services.holds.reason_now(payout_id) is None


def test_blocking_holds_what_is_approved_now_and_leaves_what_was_paid_before(programme: Programme) -> None:
    first = programme.approved()
    programme.run()
    ana = programme.payout(first).affiliate_id
    programme.earn(ana, 10_000)
    second = programme.request(ana)
    programme.block(ana)
    assert statuses(programme, [first, second]) == ["paid", "held"]


@pytest.mark.parametrize("is_earlier", [True, False])
def test_blocking_somebody_without_a_payout_holds_none(programme: Programme, is_earlier: bool) -> None:
    idle = programme.verified() if is_earlier else None
    payouts = [programme.approved(), programme.approved()]
    programme.block(idle or programme.verified())
    assert statuses(programme, payouts) == ["approved", "approved"]


@pytest.mark.parametrize("which", [0, 2])
def test_one_whose_outcome_is_unknown_keeps_nobody_else_from_canceling(
    programme: Programme, which: int
) -> None:
    payouts = [programme.approved() for _ in range(3)]
    for number in (0, 1, 2):
        if number != which:
            programme.services.payouts.cancel(payouts[number], cause=TEST)
    programme.stripe.fault("timeout_before", times=1)
    programme.run()
    others = [programme.approved(), programme.approved()]
    programme.services.payouts.cancel(others[0], cause=TEST)
    assert statuses(programme, [payouts[which], *others]) == ["processing", "canceled", "approved"]


@pytest.mark.parametrize("which", [0, 1])
def test_what_safely_arrived_is_no_longer_asked_for_and_the_rest_is(programme: Programme, which: int) -> None:
    accounts = [sent(programme)[1] for _ in range(2)]
    programme.stripe.pay_to_bank(accounts[which], status="paid")
    assert look(programme)["accounts"] == 2
    programme.clock.advance(seconds=timedelta(days=30).total_seconds())
    asked = len(programme.stripe.requests("GET", "/v1/payouts"))
    assert look(programme)["accounts"] == 1
    (request,) = programme.stripe.requests("GET", "/v1/payouts")[asked:]
    assert request["account"] == accounts[1 - which]


def test_a_run_pays_each_their_own(programme: Programme) -> None:
    payouts = [programme.approved(1_000 * amount) for amount in (3, 4, 5)]
    programme.run()
    for payout_id, amount in zip(payouts, (3_000, 4_000, 5_000), strict=True):
        payout = programme.payout(payout_id)
        assert (payout.status, payout.amount) == (PayoutStatus.paid, amount)
        assert programme.balances(payout.affiliate_id).paid_out.amount == amount


def test_a_hold_that_has_passed_is_written_down_with_its_own_affiliates_money(programme: Programme) -> None:
    ana, ben = programme.affiliate(), programme.affiliate()
    sold = programme.earning(ana, 700)
    programme.services.ledger.post_earnings([sold], cause=TEST)
    programme.earn(ben, 50_000)
    programme.services.refunds.refund(
        sold.reference, RefundData(reference="r", amount=100, reason=""), cause=TEST
    )
    matured = sa.select(LedgerEntry.affiliate_id, LedgerEntry.amount).where(LedgerEntry.kind == "mature")
    assert [tuple(row) for row in programme.rows(matured)] == [(ana, 700)]
    assert [programme.balances(each).available.amount for each in (ana, ben)] == [600, 50_000]


def test_what_is_still_to_come_is_ones_own_and_not_refunded(programme: Programme) -> None:
    ana, ben = programme.affiliate(), programme.affiliate()
    returned = programme.earning(ana, 700, days_ago=25)
    programme.services.ledger.post_earnings([returned], cause=TEST)
    programme.earn(ana, 1, days_ago=20)
    programme.earn(ben, 50_000, days_ago=29)
    programme.services.refunds.refund(
        returned.reference, RefundData(reference="r", amount=700, reason=""), cause=TEST
    )
    (coming,) = programme.services.offers.of(ana).releases
    assert (coming.money.amount, coming.at) == (1, programme.clock.now() + timedelta(days=10))
    programme.clock.advance(days=10)
    assert programme.balances(ana).available.amount == 1
