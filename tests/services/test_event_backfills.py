"""Backfilling: what the webhook never brought is found in Stripe's list, stored once, and worked on like the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.gateways.stripe import StripeKeyRefusedError, StripeUnavailableError
from portal.jobs.work import everything_due
from portal.models import EventBackfill, JobSlot, ReadEventList, WebhookEvent
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


def due(programme: Programme) -> BackfillTally:
    """What the timetable does each hour."""
    return programme.services.event_backfills.run_due()


def pending(programme: Programme, count: int) -> list[str]:
    """Affiliates on their way through Stripe's pages; their accounts' ids."""
    accounts = [programme.onboard(programme.affiliate(), fate=None) for _ in range(count)]
    programme.clock.advance(hours=1)
    return accounts


def read_lists(programme: Programme) -> set[str]:
    return {row.scope for row in programme.rows(sa.select(ReadEventList.scope))}


def test_what_may_still_be_on_its_way_is_not_taken_for_missed(programme: Programme) -> None:
    programme.onboard(programme.affiliate(), fate=None)
    assert due(programme).seen == 0
    programme.clock.advance(minutes=6)
    first = due(programme)
    assert first.stored == first.seen > 0
    assert {row.is_backfilled for row in programme.rows(sa.select(WebhookEvent.is_backfilled))} == {True}
    assert due(programme).stored == 0


def test_what_a_webhook_brought_is_not_marked_as_missed(programme: Programme) -> None:
    programme.onboard(programme.affiliate(), fate=None)
    (arrived, *_) = programme.stripe.events("account.updated")
    programme.receive(arrived)
    programme.clock.advance(minutes=6)
    due(programme)
    marks = programme.rows(sa.select(WebhookEvent.is_backfilled).where(WebhookEvent.id == arrived["id"]))
    assert [row.is_backfilled for row in marks] == [False]


def test_a_list_that_is_not_given_out_is_read_on_from_where_it_was(programme: Programme) -> None:
    pending(programme, 3)
    programme.stripe.fault("500_before", path="/v1/events", method="GET", skip=1, times=3)
    first = due(programme)
    assert (first.errors, len(read_lists(programme))) == (1, 3)
    second = due(programme)
    assert (second.errors, len(read_lists(programme))) == (0, 4)
    assert second.stored > 0


def test_a_stripe_that_goes_away_leaves_the_rest_to_the_next_reading(programme: Programme) -> None:
    accounts = pending(programme, 4)
    programme.stripe.fault("500_before", path="/v1/events", method="GET", skip=2, times=9)
    with pytest.raises(StripeUnavailableError):
        due(programme)
    assert len(read_lists(programme)) == 2
    assert programme.rows(sa.select(EventBackfill.id)) == []
    assert due(programme).errors == 0
    assert read_lists(programme) == {"platform", *accounts}


def test_whom_nobody_waits_for_comes_by_in_turn(programme: Programme) -> None:
    quiet = {programme.account_of(programme.verified()) for _ in range(3)}
    (awaited,) = pending(programme, 1)
    seen = []
    for _ in range(3):
        due(programme)
        seen.append(read_lists(programme) & quiet)
        programme.clock.advance(hours=1)
    assert [len(each) for each in seen] == [1, 2, 3]
    until = programme.rows(sa.select(ReadEventList.read_until).where(ReadEventList.scope == awaited))
    assert until[0].read_until == programme.clock.real_now() - timedelta(hours=1, minutes=5)


def test_every_hour_the_worker_reads_them_and_works_on_what_was_missed(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id)
    programme.stripe.fate(account_id, "restrict")
    hour = programme.clock.now().replace(minute=50, second=0, microsecond=0)
    programme.clock.set(hour + timedelta(hours=1))
    assert everything_due(programme.services)
    tallies = programme.rows(sa.select(JobSlot.tally).where(JobSlot.job == "backfill-events"))
    assert [row.tally["stored"] > 0 for row in tallies] == [True]
    programme.services.stripe_events.process_due()
    assert programme.get(affiliate_id).stripe_account_status == "restricted"


def test_a_reading_of_the_timetables_ends_in_time(programme: Programme, line: Line) -> None:
    pending(programme, 3)
    line.on_request = lambda _method, _path: programme.clock.advance(minutes=15)
    due(programme)
    assert len(read_lists(programme)) == 2
