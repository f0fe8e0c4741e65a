"""Backfilling: what never arrived by webhook is taken from Stripe's lists of events into the same inbox.

Stripe keeps events for 30 days. https://docs.stripe.com/api/events/list
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.payouts import OPEN_STATUSES
from portal.gateways.stripe import (
    StripeGateway,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
)
from portal.models import (
    Affiliate,
    EventBackfill,
    EventState,
    Installation,
    Payout,
    ReadEventList,
    WebhookEvent,
)
from portal.models.base import Database, add_once, reading, writing
from portal.services.stripe_events import BANK_PAYOUT_TYPES

log = structlog.get_logger(__name__)

#: Stripe forgets older ones.
KEPT_FOR = timedelta(days=30)

#: Events are listed a little later than they happen.
OVERLAP = timedelta(hours=1)

#: What is younger may still be on its way as a webhook, and is not missed yet.
ON_ITS_WAY = timedelta(minutes=5)

#: A connected account's list is one call. Each comes by in a week, well within Stripe's 30 days; an hour takes so many
#: at the most, so that with a million accounts it is three weeks.
EVERYBODY_WITHIN_HOURS = 7 * 24
MOST_IN_AN_HOUR = 2_000

#: A reading of the timetable's ends after that, so that the worker gets to its other work.
LONGEST_READING = timedelta(minutes=20)

#: So many lists in a row that Stripe does not give out: it is away, and the rest is left to the next reading.
MOST_UNHEARD = 3

#: The scope of the platform's own list; an account's is its id.
PLATFORM = "platform"

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
    """Reads the platform's events and those of connected accounts. Each list is read on from where its last reading
    ended, and that is written down only once it is read through: whatever happens in between, nothing is left out."""

    def __init__(self, database: Database, *, clock: Clock, stripe: StripeGateway, is_livemode: bool) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._is_livemode = is_livemode

    def run(self, *, since: datetime | None = None) -> BackfillTally:
        """Store what is missing since then (UTC), or since each list was last read: the platform's and every account's;
        what is there already stays as it is. Raises StripeProblemError: what was stored so far stays."""
        return self._read_all(self._every_account(), since=since)

    def run_due(self) -> BackfillTally:
        """The same for the platform's list, for the accounts that somebody waits for, and for some of the others, so
        that each comes by in time. Leaves out what the webhook may yet bring. Raises StripeProblemError."""
        until = self._clock.real_now() - ON_ITS_WAY
        return self._read_all(self._due_accounts(until), until=until, longest=LONGEST_READING)

    @reading
    def newest(self, *, limit: int) -> list[EventBackfill]:
        """The latest readings, newest first."""
        query = sa.select(EventBackfill).order_by(EventBackfill.started_at.desc())
        return [*self._database.scalars(query.limit(limit))]

    def _read_all(
        self,
        accounts: Iterable[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        longest: timedelta = timedelta.max,
    ) -> BackfillTally:
        begun_at, unheard = self._clock.real_now(), 0
        tally = BackfillTally(self._read_until(PLATFORM, since), started_at=begun_at)
        self._read(None, tally.since_at, until=until, tally=tally)
        for account_id in accounts:
            if self._clock.real_now() - begun_at >= longest:
                log.warning("backfill.cut_short", seen=tally.seen)
                break
            try:
                self._read(account_id, self._read_until(account_id, since), until=until, tally=tally)
                unheard = 0
            except StripeKeyRefusedError:
                raise
            except StripeProblemError as problem:
                tally.errors += 1
                log.warning("events.not_listed", account=account_id, problem=str(problem))
                # a no is an answer: gone, or not ours any more; the nightly look at accounts says which
                unheard = 0 if isinstance(problem, StripeRefusedError) else unheard + 1
                if unheard == MOST_UNHEARD:
                    raise
                if not unheard:
                    self._note(account_id, until or begun_at)
        self._write(tally)
        log.info("backfill.finished", seen=tally.seen, stored=tally.stored, errors=tally.errors)
        return tally

    def _read(
        self, account_id: str | None, since: datetime, *, until: datetime | None, tally: BackfillTally
    ) -> None:
        """One list to its end."""
        begun_at = self._clock.real_now()
        types = ACCOUNT_TYPES if account_id else PLATFORM_TYPES
        events = self._stripe.events_since(since, types=types, account_id=account_id, until=until)
        while batch := list(islice(events, BATCH)):
            tally.seen += len(batch)
            ours = [event for event in batch if (event.get("livemode") is True) is self._is_livemode]
            tally.stored += self._store([_row(event, account_id) for event in ours])
        self._note(account_id or PLATFORM, until or begun_at)

    @reading
    def _read_until(self, scope: str, since: datetime | None) -> datetime:
        """From when on a list is to be read."""
        now = self._clock.real_now()
        read_until = self._database.scalar(
            sa.select(ReadEventList.read_until).where(ReadEventList.scope == scope)
        )
        if read_until is None:
            read_until = self._database.scalars(sa.select(Installation.created_at)).one()
        return max(since or min(read_until, now) - OVERLAP, now - KEPT_FOR)

    def _every_account(self) -> Iterator[str]:
        last: UUID | None = None
        while rows := self._accounts_after(last):
            yield from (account_id for _, account_id in rows)
            last = rows[-1][0]

    @reading
    def _accounts_after(self, affiliate_id: UUID | None) -> list[tuple[UUID, str]]:
        query = sa.select(Affiliate.id, Affiliate.stripe_account_id).where(_is_readable())
        if affiliate_id is not None:
            query = query.where(Affiliate.id > affiliate_id)
        rows = self._database.execute(query.order_by(Affiliate.id).limit(BATCH))
        return [(each_id, account_id) for each_id, account_id in rows if account_id]

    @reading
    def _due_accounts(self, until: datetime) -> list[str]:
        """Those that somebody waits for, and enough of the others, each by how long ago its list was read."""
        count = sa.select(sa.func.count()).select_from(Affiliate).where(_is_readable())
        a_share = math.ceil(self._database.scalars(count).one() / EVERYBODY_WITHIN_HOURS)
        has_open_payout = sa.exists().where(
            Payout.affiliate_id == Affiliate.id, Payout.status.in_(OPEN_STATUSES)
        )
        is_awaited = sa.or_(Affiliate.stripe_account_status == AccountStatus.pending, has_open_payout)
        awaited = self._longest_unread(is_awaited, until, MOST_IN_AN_HOUR)
        others = self._longest_unread(~is_awaited, until, min(a_share, MOST_IN_AN_HOUR - len(awaited)))
        return [*awaited, *others]

    def _longest_unread(self, which: sa.ColumnElement[bool], until: datetime, limit: int) -> list[str]:
        read_until = ReadEventList.read_until
        query = (
            sa.select(Affiliate.stripe_account_id)
            .outerjoin(ReadEventList, ReadEventList.scope == Affiliate.stripe_account_id)
            .where(_is_readable(), which, sa.or_(read_until.is_(None), read_until < until))
            .order_by(read_until.is_not(None), read_until, Affiliate.id)
            .limit(limit)
        )
        return [account_id for account_id in self._database.scalars(query) if account_id]

    @writing
    def _store(self, rows: Sequence[dict[str, Any]]) -> int:
        """Add those that are not there yet; how many."""
        now = self._clock.real_now()
        fresh = {
            "received_at": now, "next_try_at": now, "state": EventState.received, "tries": 0, "is_backfilled": True,
        }  # fmt: skip
        return sum(add_once(self._database, WebhookEvent, row | fresh, key="id") for row in rows)

    @writing
    def _note(self, scope: str, until: datetime) -> None:
        """A list was read up to then; a reading that ended earlier takes nothing back."""
        add_once(self._database, ReadEventList, {"scope": scope, "read_until": until}, key="scope")
        self._database.execute(
            sa.update(ReadEventList)
            .where(ReadEventList.scope == scope, ReadEventList.read_until < until)
            .values(read_until=until)
        )

    @writing
    def _write(self, tally: BackfillTally) -> None:
        self._database.add(
            EventBackfill(
                since_at=tally.since_at,
                started_at=tally.started_at,
                finished_at=self._clock.real_now(),
                seen=tally.seen,
                stored=tally.stored,
                errors=tally.errors,
            )
        )


def _is_readable() -> sa.ColumnElement[bool]:
    """Of an affiliate: whether there is an account that is not known to be gone."""
    detail = Affiliate.stripe_account_detail
    return sa.and_(
        Affiliate.stripe_account_id.is_not(None), detail.is_distinct_from(AccountDetail.disconnected)
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
