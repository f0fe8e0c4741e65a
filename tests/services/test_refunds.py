"""What a customer got back is the affiliate's no more: taken, or owed and paid off by what comes next."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.domain.errors import NotFound
from portal.domain.ledger import EntryKind, Release
from portal.domain.money import Money
from portal.domain.refunds import RefundConflict, RefundIsLargerThanEarning
from portal.models import Earning, LedgerEntry, Refund
from portal.models.base import new_id
from portal.services.refunds import RefundData
from tests.services.programme import TEST, Programme


def _earn(programme: Programme, affiliate_id: UUID, amount: int, *, days_ago: float = 31) -> str:
    earning = programme.earning(affiliate_id, amount, days_ago=days_ago)
    programme.services.ledger.post_earnings([earning], cause=TEST)
    return earning.reference


def _refund(programme: Programme, earning: str, amount: int, reference: str = "refund-1") -> bool:
    data = RefundData(reference=reference, amount=amount, reason="sent back")
    return programme.services.refunds.refund(earning, data, cause=TEST)[1]


def _amounts(programme: Programme, affiliate_id: UUID) -> tuple[int, int, int, int, int]:
    now = programme.balances(affiliate_id)
    assert now.total_earned.amount == programme.get(affiliate_id).total_earned
    return (
        now.on_hold.amount,
        now.available.amount,
        now.reserved.amount,
        now.paid_out.amount,
        now.owed.amount,
    )


def test_a_refund_takes_its_own_hold_before_anything_else(programme: Programme) -> None:
    ana = programme.affiliate()
    programme.earn(ana, 7_000)
    held = _earn(programme, ana, 5_000, days_ago=1)
    assert _refund(programme, held, 3_000)
    assert _amounts(programme, ana) == (2_000, 7_000, 0, 0, 0)


def test_a_refund_of_what_was_paid_out_is_owed_and_paid_off_by_what_comes_next(programme: Programme) -> None:
    ana = programme.verified()
    sold = _earn(programme, ana, 10_000)
    programme.request(ana)
    programme.run()
    assert _refund(programme, sold, 4_000)
    assert _amounts(programme, ana) == (0, 0, 0, 10_000, 4_000)
    programme.earn(ana, 3_000)
    assert _amounts(programme, ana) == (0, 0, 0, 10_000, 1_000)
    programme.earn(ana, 3_500)
    assert _amounts(programme, ana) == (0, 2_500, 0, 10_000, 0)
    programme.request(ana)
    programme.run()
    assert _amounts(programme, ana) == (0, 0, 0, 12_500, 0)


def test_a_single_cent_is_taken_owed_and_paid_off(programme: Programme) -> None:
    ana = programme.verified()
    sold = _earn(programme, ana, 10_000)
    programme.request(ana)
    programme.run()
    programme.earn(ana, 1, days_ago=1)
    ends_at = programme.clock.now() + timedelta(days=29)
    assert programme.services.offers.of(ana).releases == [Release(Money(1, "usd"), ends_at)]
    assert _refund(programme, sold, 2)
    assert _amounts(programme, ana) == (0, 0, 0, 10_000, 1)
    for available in (0, 1):
        programme.earn(ana, 1)
        assert _amounts(programme, ana) == (0, available, 0, 10_000, 0)
    assert _refund(programme, sold, 1, "refund-2")
    assert _amounts(programme, ana) == (0, 0, 0, 10_000, 0)
    posted = [entry.kind for entry in programme.rows(sa.select(LedgerEntry.kind))]
    assert (posted.count(EntryKind.mature), posted.count(EntryKind.pay_owed)) == (3, 1)


def test_a_reserved_payout_is_not_touched_and_its_return_pays_the_debt(programme: Programme) -> None:
    ana = programme.verified()
    sold = _earn(programme, ana, 10_000)
    payout_id = programme.request(ana)
    _refund(programme, sold, 6_000)
    assert _amounts(programme, ana) == (0, 0, 10_000, 0, 6_000)
    programme.services.payouts.cancel(payout_id, cause=TEST)
    assert _amounts(programme, ana) == (0, 4_000, 0, 0, 0)


def test_a_refund_takes_ones_other_holds_newest_first_and_never_anybody_elses(programme: Programme) -> None:
    ana, ben = programme.verified(), programme.affiliate()
    sold = _earn(programme, ana, 3_000)
    programme.request(ana)
    programme.run()
    older, newer = _earn(programme, ana, 1_000, days_ago=3), _earn(programme, ana, 800, days_ago=1)
    programme.earn(ben, 50_000, days_ago=2)
    version = programme.get(ana).version
    assert _refund(programme, sold, 900)
    held = dict(tuple(row) for row in programme.rows(sa.select(Earning.reference, Earning.held)))
    assert (held[newer], held[older]) == (0, 900)
    assert _refund(programme, sold, 2_100, "refund-2")
    assert _amounts(programme, ana) == (0, 0, 0, 3_000, 1_200)
    assert _amounts(programme, ben) == (50_000, 0, 0, 0, 0)
    assert programme.get(ana).version == version + 2
    assert programme.changes(ana, "earning.refunded") == [(sold, "900", "a test"), (sold, "2100", "a test")]


def test_a_refund_beyond_what_another_left_on_hold_is_owed(programme: Programme) -> None:
    """The rest of its own hold is taken once."""
    ana = programme.verified()
    sold = _earn(programme, ana, 3_000)
    programme.request(ana)
    programme.run()
    held = _earn(programme, ana, 5_000, days_ago=1)
    assert _refund(programme, sold, 3_000)
    assert _amounts(programme, ana) == (2_000, 0, 0, 3_000, 0)
    assert _refund(programme, held, 5_000)
    assert _amounts(programme, ana) == (0, 0, 0, 3_000, 3_000)


def test_the_same_refund_again_changes_nothing(programme: Programme) -> None:
    ana = programme.affiliate()
    sold = _earn(programme, ana, 5_000)
    assert _refund(programme, sold, 1_000)
    assert not _refund(programme, sold, 1_000)
    assert _amounts(programme, ana) == (0, 4_000, 0, 0, 0)


def test_a_known_refund_with_other_content_is_refused(programme: Programme) -> None:
    sold = _earn(programme, programme.affiliate(), 5_000)
    _refund(programme, sold, 1_000)
    with pytest.raises(RefundConflict) as refusal:
        _refund(programme, sold, 1_001)
    assert refusal.value.status == 409


def test_all_refunds_together_stay_within_the_earning(programme: Programme) -> None:
    ana = programme.affiliate()
    sold = _earn(programme, ana, 5_000)
    _refund(programme, sold, 3_000)
    with pytest.raises(RefundIsLargerThanEarning) as refusal:
        _refund(programme, sold, 2_001, "refund-2")
    assert refusal.value.status == 422
    assert _refund(programme, sold, 2_000, "refund-2")
    assert _amounts(programme, ana) == (0, 0, 0, 0, 0)


def test_a_refund_of_an_earning_that_nobody_knows_is_not_found(programme: Programme) -> None:
    with pytest.raises(NotFound):
        _refund(programme, "no-such-order", 1)


def test_raw_sql_cannot_refund_more_than_was_earned_or_change_a_refund(programme: Programme) -> None:
    sold = _earn(programme, programme.affiliate(), 5_000)
    _refund(programme, sold, 3_000)
    earning_id = programme.rows(sa.select(Refund.__table__))[0].earning_id
    row = {"earning_id": earning_id, "reason": "", "created_at": programme.clock.now()}
    with pytest.raises(IntegrityError):
        programme.execute(sa.insert(Refund).values(id=new_id(), reference="x", amount=2_001, **row))
    with pytest.raises(IntegrityError):
        programme.execute(sa.update(Refund).values(amount=1))
    with pytest.raises(IntegrityError):
        programme.execute(sa.delete(Refund))


def test_a_refund_is_in_its_affiliates_trail_and_a_page_notices_it_by_the_next_version(
    programme: Programme,
) -> None:
    ana = programme.affiliate()
    sold = _earn(programme, ana, 5_000)
    before = programme.get(ana).version
    assert _refund(programme, sold, 1)
    assert programme.get(ana).version == before + 1
    trail = programme.services.audit_trail.of("affiliate", ana)
    assert "earning.refunded" in {line.row.action for line in trail}
