"""Backfilling: what never arrived by webhook is taken from Stripe's list of events into the same inbox.

Stripe keeps events for 30 days. https://docs.stripe.com/api/events/list
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.gateways.stripe import StripeGateway, StripeRefusedError
from portal.models import Affiliate, EventBackfill, EventState, Installation, WebhookEvent
from portal.models.base import Database, add_once, new_id, reading, writing
from portal.services.stripe_events import BANK_PAYOUT_TYPES

log = structlog.get_logger(__name__)

#: Stripe forgets older ones.
KEPT_FOR = timedelta(days=30)

#: Events are listed a little later than they happen.
OVERLAP = timedelta(hours=1)

#: How many rows one unit of work stores: one page of Stripe's.
BATCH = 100

PLATFORM_TYPES = ("transfer.created", "transfer.updated", "transfer.reversed", "balance.available")
ACCOUNT_TYPES = (
    "account.updated",
    "account.application.deauthorized",
    "account.external_account.created",
    "account.external_account.updated",
    "account.external_account.deleted",
    "capability.updated",
    *BANK_PAYOUT_TYPES,
)


@dataclass
class BackfillTally:
    """What one reading found: events that Stripe lists, those that were new to us, accounts that gave none out."""

    since_at: datetime
    started_at: datetime
    seen: int = 0
    stored: int = 0
    errors: int = 0

    def as_json(self) -> dict[str, object]:
        return {
            "since": self.since_at.isoformat(),
            "seen": self.seen,
            "stored": self.stored,
            "errors": self.errors,
        }


class EventBackfills:
    """Reads the platform's events and those of every connected account."""

    def __init__(self, database: Database, *, clock: Clock, stripe: StripeGateway, is_livemode: bool) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._is_livemode = is_livemode

    def run(self, *, since: datetime | None = None) -> BackfillTally:
        """Store what is missing since then (UTC), or since the last reading; what is there already stays as it is.
        Raises StripeProblemError: what was stored so far stays, and the next reading begins where this one did."""
        since_at, accounts = self._begin(since)
        tally = BackfillTally(since_at, started_at=self._clock.real_now())
        for account_id in (None, *accounts):
            types = ACCOUNT_TYPES if account_id else PLATFORM_TYPES
            events = self._stripe.events_since(since_at, types=types, account_id=account_id)
            try:
                self._take(events, account_id, tally)
            except StripeRefusedError as problem:
                if account_id is None:
                    raise
                tally.errors += 1  # gone, or not ours any more: the nightly look at accounts says which
                log.warning("events.not_listed", account=account_id, code=problem.code)
        self._write(tally)
        log.info("backfill.finished", seen=tally.seen, stored=tally.stored, errors=tally.errors)
        return tally

    def _take(self, events: Iterator[dict[str, Any]], account_id: str | None, tally: BackfillTally) -> None:
        while batch := list(islice(events, BATCH)):
            tally.seen += len(batch)
            ours = [event for event in batch if (event.get("livemode") is True) is self._is_livemode]
            tally.stored += self._store([_row(event, account_id) for event in ours])

    @reading
    def _begin(self, since: datetime | None) -> tuple[datetime, list[str]]:
        begun_at = self._database.scalar(sa.select(sa.func.max(EventBackfill.started_at)))
        if begun_at is None:
            begun_at = self._database.scalars(sa.select(Installation.created_at)).one()
        now = self._clock.real_now()
        since_at = since or min(begun_at, now) - OVERLAP
        accounts = self._database.scalars(
            sa.select(Affiliate.stripe_account_id)
            .where(Affiliate.stripe_account_id.is_not(None))
            .order_by(Affiliate.id)
        )
        return max(since_at, now - KEPT_FOR), [account_id for account_id in accounts if account_id]

    @writing
    def _store(self, rows: Sequence[dict[str, Any]]) -> int:
        """Add those that are not there yet; how many."""
        now = self._clock.real_now()
        fresh = {"received_at": now, "next_try_at": now, "state": EventState.received, "tries": 0}
        return sum(add_once(self._database, WebhookEvent, row | fresh, key="id") for row in rows)

    @writing
    def _write(self, tally: BackfillTally) -> None:
        self._database.add(
            EventBackfill(
                id=new_id(),
                since_at=tally.since_at,
                started_at=tally.started_at,
                finished_at=self._clock.real_now(),
                seen=tally.seen,
                stored=tally.stored,
                errors=tally.errors,
            )
        )


def _row(event: dict[str, Any], account_id: str | None) -> dict[str, Any]:
    """What identifies an event, as the webhook's inbox keeps it; never its body."""
    thing = (event.get("data") or {}).get("object") or {}
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), default=str)
    created = event.get("created")
    return {
        "id": str(event["id"])[:255],
        "type": str(event["type"])[:255],
        "object_id": _text(thing.get("id"), 255),
        "account_id": _text(event.get("account"), 255) or account_id,
        "api_version": _text(event.get("api_version"), 64),
        "is_livemode": event.get("livemode") is True,
        "created_at": datetime.fromtimestamp(created, UTC) if isinstance(created, int) else None,
        "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
    }


def _text(value: object, most: int) -> str | None:
    return value[:most] if isinstance(value, str) and value.isprintable() and value else None
