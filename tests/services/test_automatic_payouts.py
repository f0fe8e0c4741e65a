"""Automatic payouts: one a period for everybody who chose them, late ones once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.automatic_payouts import crontab_of
from portal.domain.payouts import PayoutStatus
from portal.models import JobSlot, Payout
from portal.services.affiliates import PreferenceChange
from portal.services.automatic_payouts import AUTOMATIC_PAYOUTS
from tests.services.mail.reading import outbox
from tests.services.programme import TEST, Programme


def _automatic(programme: Programme, *, earned: int) -> UUID:
    affiliate_id = programme.verified(earned=earned)
    programme.services.affiliates.set_preferences(
        affiliate_id, PreferenceChange(automatic="true"), cause=TEST
    )
    return affiliate_id


def _payouts(programme: Programme, affiliate_id: UUID) -> list[Payout]:
    return programme.services.payout_history.page(affiliate_id)


def _to_next_month(programme: Programme) -> None:
    now = programme.clock.now()
    first = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, 0, 1, tzinfo=UTC)
    programme.clock.set(first)


def test_everybody_who_chose_them_is_paid_once_a_period(programme: Programme) -> None:
    ana, ben = _automatic(programme, earned=9_000), programme.verified(earned=9_000)
    assert programme.services.automatic_payouts.make_due() == 0
    _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 1
    assert programme.services.automatic_payouts.make_due() == 0
    programme.run()
    (payout,) = _payouts(programme, ana)
    assert (payout.status, payout.amount, payout.requested_by) == (PayoutStatus.paid, 9_000, None)
    assert _payouts(programme, ben) == []
    programme.earn(ana, 5_000)
    assert programme.services.automatic_payouts.make_due() == 0
    _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 1


def test_whose_automatic_payout_is_skipped_reads_why_once(
    programme: Programme,
) -> None:
    poor, fallen = _automatic(programme, earned=1_200), _automatic(programme, earned=9_000)
    _, blocked = _automatic(programme, earned=0), _automatic(programme, earned=9_000)
    programme.block(blocked)
    programme.stripe.fate(programme.account_of(fallen), "restrict")
    programme.sync(fallen)
    _to_next_month(programme)
    (slot,) = programme.services.timetable.take_due(only=AUTOMATIC_PAYOUTS)
    for _ in range(2):
        assert programme.services.automatic_payouts.make(slot) == 0
    told = [
        (row.affiliate_id, row.facts["because"], row.facts["amount"])
        for row in outbox(programme, kind="payout_skipped")
    ]
    assert sorted(told) == sorted(
        [(poor, "amount_below_minimum", 1_200), (fallen, "stripe_restricted", 9_000)]
    )


def test_several_periods_missed_are_made_up_for_once(programme: Programme) -> None:
    ana = _automatic(programme, earned=9_000)
    for _ in range(2):
        _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 1
    assert len(_payouts(programme, ana)) == 1


def test_whoever_is_below_the_minimum_blocked_or_restricted_is_left_out(programme: Programme) -> None:
    poor, blocked = _automatic(programme, earned=100), _automatic(programme, earned=9_000)
    restricted = _automatic(programme, earned=9_000)
    programme.block(blocked)
    programme.stripe.fate(programme.account_of(restricted), "restrict")
    programme.sync(restricted)
    _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 0
    assert not [*_payouts(programme, poor), *_payouts(programme, blocked), *_payouts(programme, restricted)]


def test_whoever_is_paid_to_a_wallet_is_asked_for_too_however_many_they_are(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.automatic_payouts.BATCH", 2)
    wallets = [programme.crypto(earned=9_000) for _ in range(3)]
    for affiliate_id in wallets:
        programme.services.affiliates.set_preferences(
            affiliate_id, PreferenceChange(automatic="true"), cause=TEST
        )
    banks = [_automatic(programme, earned=9_000) for _ in range(2)]
    _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 5
    assert [len(_payouts(programme, each)) for each in [*wallets, *banks]] == [1] * 5
    (slot,) = programme.rows(sa.select(JobSlot.tally, JobSlot.finished_at).where(JobSlot.tally.is_not(None)))
    assert (slot.tally, slot.finished_at) == ({"made": 5}, programme.clock.now())


def test_above_the_approval_limit_it_waits_for_an_operator(programme: Programme) -> None:
    ana = _automatic(programme, earned=60_000)
    _to_next_month(programme)
    programme.services.automatic_payouts.make_due()
    assert _payouts(programme, ana)[0].status is PayoutStatus.requested


def test_a_worker_that_died_while_making_them_is_followed_by_another(programme: Programme) -> None:
    _automatic(programme, earned=9_000)
    _to_next_month(programme)
    (slot,) = programme.services.timetable.take_due(only="automatic-payouts")
    assert programme.services.automatic_payouts.make_due() == 0
    programme.clock.advance(hours=1, minutes=1)
    assert programme.services.automatic_payouts.make_due() == 1
    assert slot.slot_at not in {taken.slot_at for taken in programme.services.timetable.take_due()}


def test_a_period_that_is_made_twice_is_still_one_payout_each(programme: Programme) -> None:
    ana = _automatic(programme, earned=9_000)
    _to_next_month(programme)
    (slot,) = programme.services.timetable.take_due(only="automatic-payouts")
    programme.services.automatic_payouts.make(slot)
    programme.run()
    programme.earn(ana, 9_000)
    programme.clock.advance(seconds=1)
    programme.services.automatic_payouts.make(slot)
    assert len(_payouts(programme, ana)) == 1


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per day")
def test_what_a_person_requested_does_not_use_up_the_automatic_payout(programme: Programme) -> None:
    ana = _automatic(programme, earned=9_000)
    _to_next_month(programme)
    by_hand = programme.request(ana, by=programme.person())
    programme.services.payouts.cancel(by_hand, cause=TEST)
    assert programme.services.automatic_payouts.make_due() == 1


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per day")
def test_the_automatic_payout_does_not_use_up_what_a_person_may_request(programme: Programme) -> None:
    ana = _automatic(programme, earned=9_000)
    _to_next_month(programme)
    assert programme.services.automatic_payouts.make_due() == 1
    programme.services.payouts.cancel(_payouts(programme, ana)[0].id, cause=TEST)
    programme.request(ana, by=programme.person())


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="weekly:mon")
def test_weekly_payouts_are_made_on_their_day(programme: Programme) -> None:
    ana = _automatic(programme, earned=9_000)
    now = programme.clock.now()
    monday = now.replace(hour=0, minute=0) + timedelta(days=7 - now.weekday())
    programme.clock.set(monday - timedelta(minutes=1))
    assert programme.services.automatic_payouts.make_due() == 0 or now.weekday() == 0
    programme.clock.set(monday + timedelta(minutes=1))
    programme.services.automatic_payouts.make_due()
    assert len(_payouts(programme, ana)) == 1


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="manual")
def test_a_manual_schedule_makes_none(programme: Programme) -> None:
    _automatic(programme, earned=9_000)
    programme.clock.advance(days=40)
    assert programme.services.automatic_payouts.make_due() == 0


def test_a_schedule_is_due_at_midnight_utc() -> None:
    assert [crontab_of(text) for text in ("monthly:15", "weekly:sun", "weekly:mon", "manual")] == [
        "0 0 15 * *",
        "0 0 * * 0",
        "0 0 * * 1",
        None,
    ]


def test_the_trail_says_who_switched_automatic_payouts_on_and_off(programme: Programme) -> None:
    ana = _automatic(programme, earned=100)
    for wanted in ("true", "false", None):
        programme.services.affiliates.set_preferences(ana, PreferenceChange(automatic=wanted), cause=TEST)
    assert programme.changes(ana, "affiliate.automatic_changed") == [
        ("false", "true", "a test"),
        ("true", "false", "a test"),
    ]
