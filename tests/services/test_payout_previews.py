"""What the next run would send and what it would not: the same numbers on the page, in its file and at the shell."""

from __future__ import annotations

from portal.domain.attempts import Outcome
from portal.domain.money import Money
from portal.domain.payout_runs import SkipReason
from portal.services.payout_previews import Preview
from tests.services.programme import TEST, Programme

LARGE = 6_000_000


def preview(programme: Programme) -> Preview:
    return programme.services.payout_previews.next()


def test_everything_that_is_open_is_listed_or_skipped_for_a_reason(programme: Programme) -> None:
    sent = programme.approved(12_000)
    euros = programme.request(programme.verified(earned=9_000, currency="eur", country="DE"))
    blocked = programme.approved(10_000)
    programme.block(programme.payout(blocked).affiliate_id)
    moved = programme.approved()
    account_id = programme.payout(moved).destination
    programme.stripe.fate(account_id, "change_bank", silently=True)
    programme.sync(programme.payout(moved).affiliate_id)
    waiting = programme.request(programme.verified(earned=LARGE))
    by_hand = programme.request(programme.crypto(earned=10_000))
    programme.stripe.fault("timeout_after")
    unknown = programme.approved(20_000)
    found = preview(programme)
    listed = {line.payout_id for line in found.listed}
    assert {sent, euros, unknown} <= listed
    assert {group.reason: [line.payout_id for line in group.lines] for group in found.skipped} == {
        SkipReason.blocked: [blocked],
        SkipReason.bank_changed: [moved],
        SkipReason.requested: [waiting],
        SkipReason.by_hand: [by_hand],
    }
    assert found.totals == [Money(9_000, "eur"), Money(32_000, "usd")]
    programme.run()
    assert [group.reason for group in preview(programme).skipped if group.reason is SkipReason.unknown]


def test_a_preview_asks_and_changes_nothing_and_is_the_same_list_until_something_happens(
    programme: Programme,
) -> None:
    programme.approved()
    programme.stripe.forget_requests()
    assert preview(programme).run_id == preview(programme).run_id
    assert programme.stripe.requests("GET", "/v1/") == programme.stripe.requests("POST", "/v1/") == []


def test_a_held_payout_is_on_the_list_again_once_its_reason_is_gone(programme: Programme) -> None:
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination
    programme.stripe.fate(account_id, "change_bank", silently=True)
    programme.run()
    assert programme.payout(payout_id).status == "held"
    assert preview(programme).listed == []
    programme.clock.advance(hours=24, seconds=1)
    assert [line.payout_id for line in preview(programme).listed] == [payout_id]


def test_a_dry_run_counts_what_the_run_then_does(programme: Programme) -> None:
    for amount in (10_000, 12_000):
        programme.approved(amount)
    held = programme.approved()
    programme.block(programme.payout(held).affiliate_id)
    told = preview(programme).as_tally()
    done = programme.run()
    assert told.is_dry
    assert (told.counts, told.total) == (done.counts, done.total)
    assert told.counts == {Outcome.paid: 2, Outcome.held: 1}


def test_what_is_parked_waits_for_a_person(programme: Programme) -> None:
    payout_id = programme.approved()
    for _ in range(30):
        programme.services.transfers._faults.note(payout_id, "ZeroDivisionError", cause=TEST)
    assert [group.reason for group in preview(programme).skipped] == [SkipReason.parked]


def test_the_balance_is_remembered_with_its_age_and_survives_a_stripe_that_is_away(
    programme: Programme,
) -> None:
    programme.stripe.set_balance(usd=12_345)
    first = programme.services.platform_balance.look()
    assert first is not None
    assert (first.available["usd"], first.is_fresh) == (12_345, True)
    (cover,) = first.against([Money(20_000, "usd")])
    assert cover.short_by == Money(7_655, "usd")
    programme.clock.advance(minutes=90)
    programme.stripe.goes_away()
    last = programme.services.platform_balance.look()
    assert last is not None
    assert (last.available["usd"], last.is_fresh, last.read_at) == (12_345, False, first.read_at)
