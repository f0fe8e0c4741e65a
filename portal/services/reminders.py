"""Reminders of what is left to do at Stripe, once a day: nobody who is blocked, rejected or paid otherwise gets one."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.payouts import PayoutMethod
from portal.domain.reminders import (
    DEADLINE_DAYS,
    LATE_DAYS,
    SETUP_DAYS,
    deadline_reminder,
    setup_reminder,
)
from portal.models import Affiliate, StripeAccount
from portal.models.base import Database, writing
from portal.services.notifications import Notifications

log = structlog.get_logger(__name__)

#: The name of the job in the timetable.
REMINDERS = "reminders"

#: How many affiliates one unit of work looks at.
BATCH = 200

_Row = sa.Row[*tuple[Any, ...]]


class Reminders:
    """Writes reminders into the outbox; a key spells each, so that a job done twice reminds once."""

    def __init__(
        self, database: Database, *, clock: Clock, notifications: Notifications, countries: Container[str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._notifications = notifications
        self._countries = countries

    def send(self) -> int:
        """Remind everybody for whom it is time by the business clock; how many."""
        now = self._clock.now()
        told = self._for_all(_unfinished(now), lambda row: self._remind_of_setup(*row, now=now))
        told += self._for_all(_expected(now), lambda row: self._remind_of_deadline(*row, now=now))
        log.info("reminders.written", count=told)
        return told

    def _for_all(self, who: sa.Select[*tuple[Any, ...]], remind: Callable[[_Row], bool]) -> int:
        told, last = 0, None
        while found := self._batch(who, last, remind):
            told += sum(is_told for _, is_told in found)
            last = found[-1][0]
        return told

    @writing
    def _batch(
        self, who: sa.Select[*tuple[Any, ...]], past: UUID | None, remind: Callable[[_Row], bool]
    ) -> Sequence[tuple[UUID, bool]]:
        if past is not None:
            who = who.where(Affiliate.id > past)
        rows = self._database.execute(who.order_by(Affiliate.id).limit(BATCH)).all()
        return [(row[0].id, remind(row)) for row in rows]

    def _remind_of_setup(self, affiliate: Affiliate, made_at: datetime | None, *, now: datetime) -> bool:
        day = setup_reminder(made_at or affiliate.created_at, now)
        if day is None or (made_at is None and affiliate.country not in self._countries):
            return False
        return self._notifications.setup_unfinished(affiliate, day=day)

    def _remind_of_deadline(self, affiliate: Affiliate, *, now: datetime) -> bool:
        days = affiliate.stripe_deadline_at and deadline_reminder(affiliate.stripe_deadline_at, now)
        return bool(days) and self._notifications.action_needed(affiliate, days=days or 0)


def _unfinished(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Who has not begun, or not finished, within the days that reminders are for; and when their account was made."""
    since = now - timedelta(days=SETUP_DAYS[-1] + LATE_DAYS)
    made = sa.and_(
        StripeAccount.affiliate_id == Affiliate.id,
        StripeAccount.stripe_account_id == Affiliate.stripe_account_id,
    )
    has_begun = sa.and_(
        Affiliate.stripe_account_status == AccountStatus.pending,
        Affiliate.stripe_account_detail == AccountDetail.setup_incomplete,
        StripeAccount.created_at > since,
    )
    has_not = sa.and_(Affiliate.stripe_account_status.is_(None), Affiliate.created_at > since)
    return (
        sa.select(Affiliate, StripeAccount.created_at)
        .outerjoin(StripeAccount, made)
        .where(_is_to_be_reached(), sa.or_(has_not, has_begun))
    )


def _expected(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Who has something to give to Stripe by a deadline that is near."""
    return sa.select(Affiliate).where(
        _is_to_be_reached(),
        Affiliate.stripe_account_detail.in_((AccountDetail.attention, AccountDetail.action_required)),
        Affiliate.stripe_deadline_at > now,
        Affiliate.stripe_deadline_at <= now + timedelta(days=DEADLINE_DAYS[0]),
    )


def _is_to_be_reached() -> sa.ColumnElement[bool]:
    return sa.and_(
        sa.not_(Affiliate.is_blocked),
        Affiliate.preferred_payout_type == PayoutMethod.fiat,
        Affiliate.email != "",
    )
