"""What operators see first, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus
from portal.models import EventState, WebhookEvent
from portal.services.overview import OverviewFacts
from tests.services.programme import Programme


def facts(programme: Programme) -> OverviewFacts:
    return programme.services.overview.get()


def test_a_programme_without_anything_to_do_is_quiet(programme: Programme) -> None:
    programme.verified(earned=10_000)
    assert facts(programme).is_quiet
    assert facts(programme).open_payouts == []


def test_open_payouts_are_counted_and_summed_by_status_and_currency(programme: Programme) -> None:
    for amount in (60_000, 70_000):
        programme.request(programme.verified(earned=amount))
    programme.request(programme.verified(earned=80_000, currency="eur", country="DE"))
    programme.approved(10_000)
    held = programme.approved(20_000)
    programme.block(programme.payout(held).affiliate_id)
    now = facts(programme)
    assert {(each.count, each.total) for each in now.of(PayoutStatus.requested)} == {
        (2, Money(130_000, "usd")),
        (1, Money(80_000, "eur")),
    }
    assert [(each.count, each.total) for each in now.of(PayoutStatus.approved)] == [(1, Money(10_000, "usd"))]
    assert now.count(PayoutStatus.held) == 1
    assert now.blocked == 1
    assert now.oldest_request_at == programme.clock.now()
    assert not now.is_quiet


def test_what_goes_to_wallets_is_told_apart_because_no_run_sends_it(programme: Programme) -> None:
    programme.approved(10_000)
    programme.request(programme.crypto(earned=20_000))
    now = facts(programme)
    assert [(each.count, each.total) for each in now.of(PayoutStatus.approved)] == [(1, Money(10_000, "usd"))]
    assert [(each.count, each.total) for each in now.by_hand] == [(1, Money(20_000, "usd"))]
    assert not now.is_quiet


def test_an_attempt_of_unknown_outcome_needs_a_person_to_know(programme: Programme) -> None:
    programme.approved(10_000)
    programme.stripe.fault("timeout_after")
    programme.run()
    now = facts(programme)
    assert now.count(PayoutStatus.processing) == 1
    assert not now.is_quiet


def test_restricted_affiliates_count_once_they_have_money_on_hold_or_available(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.onboard(affiliate_id, fate="restrict")
    assert facts(programme).restricted_with_balance == 0
    programme.earn(affiliate_id, 5_000, days_ago=1)
    assert facts(programme).restricted_with_balance == 1


def test_who_is_pending_for_seven_days_is_stuck_and_not_before(programme: Programme) -> None:
    programme.onboard(programme.affiliate(), fate="review")
    programme.clock.advance(days=7, seconds=-1)
    assert facts(programme).stuck == 0
    programme.clock.advance(seconds=1)
    assert facts(programme).stuck == 1


def test_a_scope_of_which_nothing_was_ever_heard_needs_a_person_once_something_happened_there(
    programme: Programme,
) -> None:
    programme.verified()
    assert facts(programme).is_quiet
    programme.clock.advance(hours=1, seconds=1)
    assert not facts(programme).is_quiet
    programme.receive(programme.stripe.events("account.updated")[-1])
    assert facts(programme).is_quiet


def test_parked_events_are_counted(programme: Programme) -> None:
    programme.verified()
    programme.receive(programme.stripe.events("account.updated")[-1])
    programme.execute(sa.update(WebhookEvent).values(state=EventState.parked))
    assert facts(programme).health.webhooks.parked == 1


def test_the_nightly_run_is_missed_once_its_hour_has_passed_and_no_more_when_it_was_done(
    programme: Programme,
) -> None:
    assert not facts(programme).health.is_nightly_missed
    programme.clock.advance(hours=27)
    assert facts(programme).health.is_nightly_missed
    for slot in programme.services.timetable.take_due(only="verify-stripe-accounts"):
        run = programme.services.verification.run(trigger="timetable", run_id=slot.run_id)
        programme.services.timetable.finish(slot, {"checked": run.checked})
    health = facts(programme).health
    assert not health.is_nightly_missed
    assert health.last_run is not None
    assert health.last_run.finished_at is not None


def test_a_payout_that_stripe_refused_needs_a_person_for_a_week(programme: Programme) -> None:
    programme.approved()
    programme.stripe.fault("400_saved", code="amount_too_small", message="Too small.")
    programme.run()
    assert (facts(programme).failed_payouts, facts(programme).is_quiet) == (1, False)
    programme.clock.advance(days=7, seconds=1)
    assert facts(programme).failed_payouts == 0


def test_what_is_approved_is_held_against_the_balance_as_it_was_last_read(programme: Programme) -> None:
    programme.approved(10_000)
    assert (facts(programme).balance, facts(programme).covers) == (None, [])
    programme.stripe.set_balance(usd=8_000)
    programme.services.platform_balance.look()
    programme.stripe.forget_requests()
    programme.stripe.goes_away()
    now = facts(programme)
    assert now.balance is not None
    assert now.balance.read_at == programme.clock.now()
    assert [cover.short_by for cover in now.covers] == [Money(2_000, "usd")]
    assert not now.is_quiet
    assert programme.stripe.requests("GET", "/v1/") == []


def test_a_last_run_that_sent_none_of_many_needs_a_person(programme: Programme) -> None:
    programme.stripe.set_balance(usd=0)
    for _ in range(2):
        programme.approved()
    assert facts(programme).last_payout_run is None
    programme.run()
    last = facts(programme).last_payout_run
    assert last is not None
    assert last.is_alarming
    assert not facts(programme).is_quiet
