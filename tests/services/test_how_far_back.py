"""How far back a pass looks: 48 hours before the last clean one began, or before the portal was set up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.models import Installation, Payout, PayoutAttempt
from tests.services.breaking import without_rules
from tests.services.differing import kinds, paid, reconcile, stray
from tests.services.programme import TEST, Programme


@pytest.mark.parametrize(("seconds", "is_looked_for"), [(-3_600, True), (0, True), (1, False)])
def test_a_pass_looks_for_what_was_paid_48_hours_before_the_last_clean_one(
    adrift: Programme, seconds: int, is_looked_for: bool
) -> None:
    payout_id = paid(adrift)
    adrift.clock.advance(hours=48, seconds=seconds)
    assert reconcile(adrift).is_clean
    without_rules(
        sa.update(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).values(transfer_id="tr_no"),
        sa.update(Payout).where(Payout.id == payout_id).values(transfer_id="tr_no"),
    )
    adrift.clock.advance(days=30)
    assert (("payout_without_transfer", str(payout_id)) in kinds(reconcile(adrift))) is is_looked_for


def test_a_pass_with_differences_moves_nothing_on(adrift: Programme) -> None:
    clean = reconcile(adrift)
    transfer_id = stray(adrift)
    for _ in range(2):
        adrift.clock.advance(days=5)
        tally = reconcile(adrift)
        assert tally.since_at == clean.started_at - timedelta(hours=48)
        assert kinds(tally) == [("transfer_without_payout", transfer_id)]


def test_the_first_pass_begins_48_hours_before_the_portal_was_set_up(programme: Programme) -> None:
    ((set_up_at,),) = programme.rows(sa.select(Installation.created_at))
    programme.clock.advance(days=9)
    assert reconcile(programme).since_at == set_up_at - timedelta(hours=48)


def test_what_was_paid_by_hand_is_not_looked_for_at_stripe(programme: Programme) -> None:
    payout_id = programme.request(programme.crypto(earned=10_000))
    programme.services.payout_control.mark_paid(
        payout_id, reference="0xabc", paid_by=programme.person(), cause=TEST
    )
    programme.stripe.forget_requests()
    assert reconcile(programme).is_clean
    assert len(programme.stripe.requests("GET", "/v1/transfers")) == 1
