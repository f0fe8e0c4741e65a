"""What Stripe takes back of a payout returns to the balance, once for each reversal, and does not go out by itself."""

from __future__ import annotations

from uuid import UUID

from portal.domain.payouts import PayoutStatus
from portal.services.affiliates import PreferenceChange
from portal.services.journal import Cause
from portal.services.refunds import RefundData
from tests.services.programme import TEST, Programme


def _paid(programme: Programme, amount: int = 10_000) -> tuple[UUID, UUID, str]:
    ana = programme.verified(earned=amount)
    programme.services.affiliates.set_preferences(ana, PreferenceChange(automatic="true"), cause=TEST)
    payout_id = programme.request(ana)
    programme.run()
    transfer_id = programme.payout(payout_id).transfer_id
    assert transfer_id is not None
    return ana, payout_id, transfer_id


def _look(programme: Programme, transfer_id: str) -> None:
    programme.services.transfers.look_up(transfer_id, cause=TEST)


def test_a_partial_reversal_returns_its_part_once(programme: Programme) -> None:
    ana, payout_id, transfer_id = _paid(programme)
    programme.stripe.reverse(transfer_id, 3_000)
    for _ in range(2):
        _look(programme, transfer_id)
    payout, now = programme.payout(payout_id), programme.balances(ana)
    assert (payout.status, payout.amount_reversed) == (PayoutStatus.paid, 3_000)
    assert (now.available.amount, now.paid_out.amount) == (3_000, 7_000)


def test_partial_reversals_add_up_to_a_whole_one(programme: Programme) -> None:
    ana, payout_id, transfer_id = _paid(programme)
    for part in (4_000, 6_000):
        programme.stripe.reverse(transfer_id, part)
        _look(programme, transfer_id)
    payout, now = programme.payout(payout_id), programme.balances(ana)
    assert (payout.status, payout.amount_reversed) == (PayoutStatus.reversed, 10_000)
    assert (now.available.amount, now.paid_out.amount) == (10_000, 0)
    assert programme.changes(payout_id)[-1][:2] == ("paid", "reversed")


def test_a_reversal_switches_automatic_payouts_off(programme: Programme) -> None:
    ana, _, transfer_id = _paid(programme)
    programme.stripe.reverse(transfer_id, 1)
    _look(programme, transfer_id)
    assert programme.get(ana).automatic is False
    assert programme.changes(ana, "affiliate.automatic_changed")[-1][:2] == ("true", "false")


def test_what_returns_pays_what_is_owed_first(programme: Programme) -> None:
    ana = programme.verified()
    earning = programme.earning(ana, 10_000)
    programme.services.ledger.post_earnings([earning], cause=TEST)
    payout_id = programme.request(ana)
    programme.run()
    refund = RefundData(reference="refund", amount=6_000, reason="")
    programme.services.refunds.refund(earning.reference, refund, cause=TEST)
    transfer_id = programme.payout(payout_id).transfer_id or ""
    programme.stripe.reverse(transfer_id, 10_000)
    _look(programme, transfer_id)
    now = programme.balances(ana)
    assert (now.available.amount, now.owed.amount) == (4_000, 0)


def test_a_reversal_that_no_event_announced_is_found_by_reconciling(programme: Programme) -> None:
    ana, payout_id, transfer_id = _paid(programme)
    programme.stripe.reverse(transfer_id, 2_500)
    tally = programme.services.reconciliation.run(cause=Cause.system("reconcile"))
    assert tally.differences == []
    assert programme.payout(payout_id).amount_reversed == 2_500
    assert programme.balances(ana).available.amount == 2_500


def test_what_was_taken_back_is_in_its_affiliates_trail_and_a_page_notices_it_by_the_next_version(
    programme: Programme,
) -> None:
    ana, _, transfer_id = _paid(programme)
    before = programme.get(ana).version
    programme.stripe.reverse(transfer_id, 1)
    _look(programme, transfer_id)
    assert programme.get(ana).version == before + 1
    trail = programme.services.audit_trail.of("affiliate", ana)
    assert "affiliate.automatic_changed" in {line.row.action for line in trail}
