"""Backfilling: what the webhook never brought is found in Stripe's list, stored once, and worked on like the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.gateways.stripe import StripeKeyRefusedError, StripeUnavailableError
from portal.models import EventBackfill, WebhookEvent
from portal.services.event_backfills import BackfillTally
from tests.clocks import MovableClock
from tests.services.line import Killed, Line
from tests.services.programme import Programme


def backfill(programme: Programme) -> BackfillTally:
    return programme.services.event_backfills.run()


def inbox(programme: Programme) -> dict[str, str]:
    """Types by id."""
    return {row.id: row.type for row in programme.rows(sa.select(WebhookEvent.id, WebhookEvent.type))}


def test_what_no_webhook_brought_is_stored_once(programme: Programme) -> None:
    programme.approved()
    programme.run()
    assert inbox(programme) == {}
    first = backfill(programme)
    assert first.stored == first.seen == len(inbox(programme)) > 0
    assert {"transfer.created", "account.updated"} <= set(inbox(programme).values())
    second = backfill(programme)
    assert (second.seen, second.stored) == (first.seen, 0)


def test_what_a_webhook_brought_is_not_taken_again(programme: Programme) -> None:
    programme.verified()
    (arrived, *_) = programme.stripe.events("account.updated")
    programme.receive(arrived)
    kept = programme.rows(sa.select(WebhookEvent.body_sha256).where(WebhookEvent.id == arrived["id"]))
    tally = backfill(programme)
    assert tally.stored == tally.seen - 1
    assert kept == programme.rows(sa.select(WebhookEvent.body_sha256).where(WebhookEvent.id == arrived["id"]))


def test_a_lost_loss_of_standing_is_found_and_applied(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    programme.stripe.fate(account_id, "restrict")
    assert programme.get(affiliate_id).stripe_account_status == "verified"
    backfill(programme)
    programme.services.stripe_events.process_due()
    assert programme.get(affiliate_id).stripe_account_status == "restricted"
    row = programme.rows(sa.select(WebhookEvent).where(WebhookEvent.type == "account.updated"))
    assert {event.account_id for event in row} == {account_id}


def test_a_lost_transfer_event_settles_its_payout(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    line.dies_after("POST", "/v1/transfers")
    with pytest.raises(Killed):
        programme.run()
    backfill(programme)
    programme.services.stripe_events.process_due()
    assert programme.payout(payout_id).status == "paid"


def test_the_next_reading_begins_where_the_last_one_began(programme: Programme, clock: MovableClock) -> None:
    begun_at = clock.real_now()
    backfill(programme)
    clock.advance(days=2)
    assert backfill(programme).since_at == begun_at - timedelta(hours=1)
    clock.advance(days=90)
    assert backfill(programme).since_at == clock.real_now() - timedelta(days=30)


def test_a_reading_that_stripe_cut_short_is_begun_again(programme: Programme) -> None:
    programme.verified()
    programme.stripe.fault("500_before", path="/v1/events", method="GET", times=10)
    with pytest.raises(StripeUnavailableError):
        backfill(programme)
    assert programme.rows(sa.select(EventBackfill.id)) == []
    programme.stripe.comes_back()
    assert backfill(programme).stored > 0


def test_an_account_that_is_gone_does_not_stop_the_others(programme: Programme) -> None:
    gone = programme.account_of(programme.verified())
    programme.verified()
    programme.stripe.fate(gone, "deauthorise")
    tally = backfill(programme)
    assert tally.errors == 1
    assert tally.stored > 0


def test_a_key_that_stripe_refuses_is_no_empty_list(programme: Programme) -> None:
    programme.verified()
    programme.stripe.fault("401", path="/v1/events", method="GET")
    with pytest.raises(StripeKeyRefusedError):
        backfill(programme)
