"""The log of events and the audit trail as operators read them, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.domain.errors import NotFound
from portal.models import ActorKind, EventState, WebhookEvent
from portal.models.base import new_id
from portal.services.audit_trail import AuditFilter
from portal.services.event_log import EventFilter, EventPlace
from portal.services.journal import Cause
from tests.services.programme import Programme

OPERATOR = Cause(ActorKind.operator, str(new_id()), "request:1")


def received(programme: Programme) -> list[str]:
    """All that Stripe has told about one affiliate, oldest first; two of them in the same moment."""
    programme.verified()
    events = programme.stripe.events()[-4:]
    for number, event in enumerate(events):
        programme.receive(event)
        if number != 1:
            programme.clock.advance(seconds=1)
    return [str(event["id"]) for event in events]


def test_the_log_is_newest_first_and_goes_on_page_by_page_without_losing_what_came_together(
    programme: Programme,
) -> None:
    expected = set(received(programme))
    log, seen, past = programme.services.event_log, list[str](), None
    while found := log.newest(EventFilter(), past=past, limit=1):
        seen.append(found[0].id)
        past = EventPlace(found[0].received_at, found[0].id)
    assert len(seen) == len(expected)
    assert set(seen) == expected


def test_the_log_is_filtered_by_state_type_and_account(programme: Programme) -> None:
    (affiliate_id,) = [programme.verified()]
    event = programme.stripe.events("account.updated")[-1]
    programme.receive(event)
    newest = programme.services.event_log.newest
    account_id = programme.account_of(affiliate_id)
    for wanted, count in (
        (EventFilter(state=EventState.received), 1),
        (EventFilter(state=EventState.parked), 0),
        (EventFilter(type="account.updated"), 1),
        (EventFilter(type="account"), 0),
        (EventFilter(account_id=account_id), 1),
        (EventFilter(account_id="acct_other"), 0),
    ):
        assert len(newest(wanted)) == count, wanted


@pytest.mark.parametrize("state", [EventState.parked, EventState.processed, EventState.ignored])
def test_a_replay_has_an_event_worked_on_once_more_and_is_written_down_once(
    programme: Programme, state: EventState
) -> None:
    programme.verified()
    programme.receive(programme.stripe.events("account.updated")[-1])
    tired = sa.update(WebhookEvent).values(
        state=state,
        tries=12,
        error="Stripe was away",
        next_try_at=programme.clock.real_now() + timedelta(days=1),
    )
    programme.execute(tired)
    event_id = programme.services.event_log.newest(EventFilter())[0].id
    for _ in range(2):
        event = programme.services.event_log.replay(event_id, cause=OPERATOR)
        assert (event.state, event.tries, event.error) == (EventState.received, 0, None)
    trail = programme.services.audit_trail.of("webhook_event", event_id)
    assert [(line.row.action, line.row.from_value) for line in trail] == [("event.replayed", state.value)]
    assert programme.services.stripe_events.process_due() == 1
    assert programme.services.event_log.get(event_id).state is EventState.processed


def test_all_that_failed_are_replayed_at_once_and_each_is_written_down(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.event_log.BATCH", 2)
    programme.verified()
    for event in (events := programme.stripe.events())[:5]:
        programme.receive(event)
    healthy = events[0]["id"]
    programme.execute(
        sa.update(WebhookEvent).where(WebhookEvent.id != healthy).values(state=EventState.parked, tries=12)
    )
    failed = len(programme.rows(sa.select(WebhookEvent.id))) - 1
    assert failed >= 3
    assert programme.services.event_log.replay_failed(cause=OPERATOR) == failed
    assert programme.services.event_log.replay_failed(cause=OPERATOR) == 0
    trail = programme.services.audit_trail.newest(AuditFilter(action="event.replayed"))
    assert len(trail) == failed
    assert {line.row.actor_kind for line in trail} == {OPERATOR.actor}
    assert healthy not in {line.row.subject_id for line in trail}
    assert programme.services.stripe_events.process_due() == failed + 1


def test_an_event_that_waits_for_its_next_try_need_not_wait_any_more(programme: Programme) -> None:
    programme.verified()
    programme.receive(programme.stripe.events("account.updated")[-1])
    later = programme.clock.real_now() + timedelta(hours=1)
    programme.execute(sa.update(WebhookEvent).values(tries=3, next_try_at=later))
    event_id = programme.services.event_log.newest(EventFilter())[0].id
    event = programme.services.event_log.replay(event_id, cause=OPERATOR)
    assert (event.tries, event.next_try_at) == (3, programme.clock.real_now())
    assert programme.services.audit_trail.of("webhook_event", event_id) == []


def test_an_event_that_is_not_there_is_not_found(programme: Programme) -> None:
    with pytest.raises(NotFound):
        programme.services.event_log.get("evt_unknown")
    with pytest.raises(NotFound):
        programme.services.event_log.replay("evt_unknown", cause=OPERATOR)


def test_the_trail_is_filtered_and_goes_on_page_by_page(programme: Programme) -> None:
    payout_id = programme.approved()
    newest = programme.services.audit_trail.newest
    whole = [line.row.id for line in newest(AuditFilter())]
    assert whole == sorted(whole, reverse=True)
    assert [line.row.id for line in newest(AuditFilter(), before=whole[1], limit=2)] == whole[2:4]
    of_payout = newest(AuditFilter(subject_kind="payout", subject_id=str(payout_id)))
    assert [line.row.to_value for line in of_payout] == ["approved", "requested"]
    assert {line.subject for line in of_payout} == {programme.payout(payout_id).reference}
    now = programme.clock.now()
    assert newest(AuditFilter(since=now + timedelta(seconds=1))) == []
    assert newest(AuditFilter(until=now)) == []
    assert newest(AuditFilter(actor=ActorKind.stripe)) == []
    assert {line.row.action for line in newest(AuditFilter(action="affiliate.created"))} == {
        "affiliate.created"
    }
