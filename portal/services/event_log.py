"""The log of Stripe's events: what came in, what it did, and having one worked on again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.models import EventState, WebhookEvent
from portal.models.base import Database, reading, writing
from portal.services.journal import Cause, Journal

#: So many events one unit of work replays.
BATCH = 100


@dataclass(frozen=True)
class EventFilter:
    """Which events to show; None shows all."""

    state: EventState | None = None
    type: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class EventPlace:
    """Where in the log a page ends (real clock)."""

    received_at: datetime
    event_id: str


class EventLog:
    """Reads the inbox; working on it is `stripe_events`."""

    def __init__(self, database: Database, *, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal

    @reading
    def newest(
        self, wanted: EventFilter, *, past: EventPlace | None = None, limit: int = 50
    ) -> list[WebhookEvent]:
        """One page, newest first, those that came before `past`."""
        query = sa.select(WebhookEvent)
        if wanted.state is not None:
            query = query.where(WebhookEvent.state == wanted.state)
        if wanted.type is not None:
            query = query.where(WebhookEvent.type == wanted.type)
        if wanted.account_id is not None:
            query = query.where(
                sa.or_(
                    WebhookEvent.account_id == wanted.account_id, WebhookEvent.object_id == wanted.account_id
                )
            )
        if past is not None:
            place = sa.tuple_(WebhookEvent.received_at, WebhookEvent.id)
            query = query.where(place < sa.tuple_(sa.literal(past.received_at), sa.literal(past.event_id)))
        order = (WebhookEvent.received_at.desc(), WebhookEvent.id.desc())
        return [*self._database.scalars(query.order_by(*order).limit(limit))]

    @reading
    def get(self, event_id: str) -> WebhookEvent:
        """Raises NotFound."""
        return self._get(sa.select(WebhookEvent), event_id)

    @writing
    def replay(self, event_id: str, *, cause: Cause) -> WebhookEvent:
        """Have an event worked on again, from what Stripe says then; one that waits already is only no longer made to
        wait. Raises NotFound."""
        event = self._get(sa.select(WebhookEvent).with_for_update(), event_id)
        self._replay(event, cause)
        return event

    def replay_failed(self, *, cause: Cause) -> int:
        """Have every parked event worked on again; how many."""
        count = 0
        while replayed := self._replay_some(cause):
            count += replayed
        return count

    @writing
    def _replay_some(self, cause: Cause) -> int:
        parked = sa.select(WebhookEvent).where(WebhookEvent.state == EventState.parked)
        events = self._database.scalars(
            parked.order_by(WebhookEvent.received_at).limit(BATCH).with_for_update()
        ).all()
        for event in events:
            self._replay(event, cause)
        return len(events)

    def _replay(self, event: WebhookEvent, cause: Cause) -> None:
        if event.state is not EventState.received:
            self._journal.changed(
                "webhook_event", event.id, action="event.replayed", before=event.state, after=EventState.received,
                cause=cause, at=self._clock.now(),
            )  # fmt: skip
            event.state = EventState.received
            event.tries = 0
            event.error = None
        event.next_try_at = min(event.next_try_at, self._clock.real_now())

    def _get(self, query: sa.Select[WebhookEvent], event_id: str) -> WebhookEvent:
        event = self._database.scalar(query.where(WebhookEvent.id == event_id))
        if event is None:
            raise NotFound("There is no such event.")
        return event
