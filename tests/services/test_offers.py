"""What an affiliate is told about money to come: when holds end, what the next automatic payout is, when it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.conditions import ConditionKind
from portal.domain.gate import AmountAboveAvailable
from portal.domain.minimum import MinimumRule
from portal.models import Affiliate, Earning
from portal.services.affiliates import PreferenceChange
from portal.services.ledger import EarningData
from portal.services.offers import Offer
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.databases import statements_of
from tests.services.programme import TEST, Programme

#: A Friday.
NOW = datetime(2031, 11, 28, 9, 30, tzinfo=UTC)


def offer(programme: Programme, affiliate_id: UUID) -> Offer:
    return programme.services.offers.of(affiliate_id)


def releases(programme: Programme, affiliate_id: UUID) -> list[tuple[date, int]]:
    return [(each.at.date(), each.money.amount) for each in offer(programme, affiliate_id).releases]


def earn_until(programme: Programme, affiliate_id: UUID, amount: int, ends_at: datetime) -> None:
    """A commission whose hold of 30 days ends then."""
    data = programme.earning(affiliate_id, amount)
    facts = {**vars(data), "occurred_at": ends_at - timedelta(days=30)}
    programme.services.ledger.post_earnings([EarningData(**facts)], cause=TEST)


def automatic(programme: Programme, affiliate_id: UUID) -> None:
    change = PreferenceChange(automatic="true")
    programme.services.affiliates.set_preferences(affiliate_id, change, cause=TEST)


@pytest.fixture
def ana(programme: Programme) -> UUID:
    """Verified, with nothing yet, at a known moment."""
    programme.clock.set(NOW)
    return programme.verified()


def test_what_is_on_hold_is_told_day_by_day_to_the_cent(programme: Programme, ana: UUID) -> None:
    midnight = datetime(2031, 12, 1, tzinfo=UTC)
    for amount, ends_at in [
        (7, midnight - timedelta(microseconds=1)), (300, midnight), (50, midnight + timedelta(hours=23)),
        (1_000, datetime(2031, 12, 20, 12, tzinfo=UTC)), (25, NOW), (1, NOW + timedelta(hours=1)),
    ]:  # fmt: skip
        earn_until(programme, ana, amount, ends_at)
    assert releases(programme, ana) == [
        (date(2031, 11, 28), 1), (date(2031, 11, 30), 7), (date(2031, 12, 1), 350), (date(2031, 12, 20), 1_000),
    ]  # fmt: skip
    now = offer(programme, ana).balances
    assert (now.on_hold.amount, now.available.amount) == (1_358, 25)
    assert now == programme.balances(ana)


def test_a_day_that_has_passed_is_no_more_to_come_with_or_without_the_job(
    programme: Programme, ana: UUID
) -> None:
    earn_until(programme, ana, 300, NOW + timedelta(days=5))
    earn_until(programme, ana, 200, NOW + timedelta(days=10))
    named = []
    for _ in range(3):
        named.append([amount for _, amount in releases(programme, ana)])
        programme.clock.advance(days=5)
    assert named == [[300, 200], [200], []]


def test_a_refund_of_what_is_on_hold_is_no_more_to_come(programme: Programme, ana: UUID) -> None:
    earn_until(programme, ana, 300, NOW + timedelta(days=5))
    programme.services.refunds.refund(_reference(programme), RefundData("r-1", 100, "sent back"), cause=TEST)
    assert [amount for _, amount in releases(programme, ana)] == [200]


def test_one_look_takes_two_statements_however_many_earnings_there_are(
    programme: Programme, ana: UUID
) -> None:
    for days in range(20):
        earn_until(programme, ana, 100, NOW + timedelta(days=days))
    automatic(programme, ana)
    with statements_of(db.engine) as sent:
        offer(programme, ana)
    assert len(sent) == 2, sent


def test_the_next_automatic_payout_has_its_day_and_what_will_be_there(
    programme: Programme, ana: UUID
) -> None:
    automatic(programme, ana)
    programme.earn(ana, 2_000)
    midnight = datetime(2031, 12, 1, tzinfo=UTC)
    earn_until(programme, ana, 700, midnight)
    earn_until(programme, ana, 90, midnight + timedelta(microseconds=1))
    told = offer(programme, ana).automatic
    assert told is not None
    assert (told.at, told.amount.amount, told.obstacle) == (midnight, 2_700, None)
    programme.clock.set(midnight)
    assert [slot.job for slot in programme.services.timetable.take_due(only="automatic-payouts")]
    programme.request(ana)
    assert programme.balances(ana).reserved == told.amount


def test_what_stands_in_the_way_of_the_automatic_payout_is_named(programme: Programme, ana: UUID) -> None:
    automatic(programme, ana)
    assert _obstacle(programme, ana) is ConditionKind.minimum
    programme.earn(ana, 60_000)
    assert _obstacle(programme, ana) is None
    for _ in range(3):
        payout = programme.request(ana, "30.00", by=programme.person())
        assert _obstacle(programme, ana) is ConditionKind.no_open_payout
        programme.services.payouts.cancel(payout, cause=TEST)
    programme.block(ana)
    assert _obstacle(programme, ana) is ConditionKind.good_standing


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per hour")
def test_the_rate_of_requests_holds_up_people_and_not_the_timetable(programme: Programme, ana: UUID) -> None:
    automatic(programme, ana)
    programme.earn(ana, 60_000)
    payout = programme.request(ana, "30.00", by=programme.person())
    programme.services.payouts.cancel(payout, cause=TEST)
    told = offer(programme, ana)
    assert (told.retry_at, told.refusal and told.refusal.code) == (
        NOW + timedelta(hours=1), "too_many_payout_requests",
    )  # fmt: skip
    assert _obstacle(programme, ana) is None


def test_debts_are_paid_before_an_automatic_payout(programme: Programme, ana: UUID) -> None:
    automatic(programme, ana)
    programme.earn(ana, 10_000)
    programme.request(ana)
    programme.run()
    programme.services.refunds.refund(
        _reference(programme), RefundData("r-1", 1_000, "sent back"), cause=TEST
    )
    earn_until(programme, ana, 5_000, NOW + timedelta(days=1))
    told = offer(programme, ana).automatic
    assert told is not None
    assert told.amount.amount == 4_000


def _reference(programme: Programme) -> str:
    return str(programme.rows(sa.select(Earning.reference))[0][0])


def _obstacle(programme: Programme, affiliate_id: UUID) -> ConditionKind | None:
    told = offer(programme, affiliate_id).automatic
    assert told is not None
    return told.obstacle


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="manual")
def test_without_days_for_them_there_is_no_next_automatic_payout(programme: Programme, ana: UUID) -> None:
    automatic(programme, ana)
    assert offer(programme, ana).automatic is None


def test_who_did_not_choose_them_is_promised_none(programme: Programme, ana: UUID) -> None:
    assert offer(programme, ana).automatic is None


@pytest.mark.settings(PORTAL_PAYOUT_RUN="15 */2 * * *")
def test_what_is_approved_leaves_with_the_next_run(programme: Programme, ana: UUID) -> None:
    assert offer(programme, ana).goes_out_at == datetime(2031, 11, 28, 10, 15, tzinfo=UTC)
    assert programme.services.offers.goes_out_at(ana) == datetime(2031, 11, 28, 10, 15, tzinfo=UTC)


def test_after_a_change_of_bank_it_leaves_with_the_first_run_after_the_wait(
    programme: Programme, ana: UUID
) -> None:
    changed = sa.update(Affiliate).where(Affiliate.id == ana).values(bank_changed_at=NOW)
    programme.execute(changed)
    assert offer(programme, ana).goes_out_at == datetime(2031, 11, 29, 10, tzinfo=UTC)


def test_nobody_can_say_when_while_sending_is_stopped_or_where_it_is_done_by_hand(
    programme: Programme, ana: UUID
) -> None:
    assert offer(programme, programme.crypto(earned=5_000)).goes_out_at is None
    programme.services.payout_control.halt(cause=replace(TEST, reason="looking at something"))
    assert offer(programme, ana).goes_out_at is None
    assert programme.services.offers.goes_out_at(ana) is None


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:5000")
def test_a_quote_says_what_is_left_and_whether_somebody_looks_first(programme: Programme, ana: UUID) -> None:
    programme.earn(ana, 6_000)
    told = offer(programme, ana)
    quotes = [programme.services.offers.quote(told, text) for text in ("", "50.00", "50.01")]
    assert [(each.money.amount, each.left.amount, each.needs_review) for each in quotes] == [
        (6_000, 0, True), (5_000, 1_000, False), (5_001, 999, True),
    ]  # fmt: skip
    with pytest.raises(AmountAboveAvailable):
        programme.services.offers.quote(told, "60.01")


def test_what_stripe_cannot_pay_stays_out_of_all_that_is_available(programme: Programme) -> None:
    eda = programme.verified(earned=260_050, currency="isk", country="IS")
    told = offer(programme, eda)
    quote = programme.services.offers.quote(told, "")
    assert (quote.money.amount, quote.left.amount) == (260_000, 50)


@pytest.mark.settings(PORTAL_MINIMUM_PAYOUT="usd:5000,isk:250")
def test_the_minimum_that_is_shown_is_the_one_that_counts(programme: Programme) -> None:
    eda = programme.verified(earned=299, currency="isk", country="IS")
    told = offer(programme, eda)
    assert (told.minimum.money.amount, told.minimum.rule, told.is_enough) == (300, MinimumRule.stripe, False)
    programme.earn(eda, 1)
    assert offer(programme, eda).is_enough
    assert programme.payout(programme.request(eda)).amount == 300
