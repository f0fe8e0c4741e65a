"""Automatic payouts: one a period for everybody who chose them, by the programme's schedule."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.errors import PortalError
from portal.domain.gate import (
    AmountBelowMinimum,
    StripeAccountIsRestricted,
    VerificationIsPending,
    WalletIsMissing,
)
from portal.models import Affiliate
from portal.models.base import Database, reading, writing
from portal.services.books import Books
from portal.services.journal import Cause
from portal.services.notifications import Notifications
from portal.services.payouts import Payouts
from portal.services.timetable import Slot, Timetable

log = structlog.get_logger(__name__)

#: The name of the job in the timetable.
AUTOMATIC_PAYOUTS = "automatic-payouts"

BATCH = 500

#: Why somebody's automatic payout was not made who is told so: the rest is under way, or its change was told.
TOLD_REFUSALS = frozenset(
    {
        refusal.code
        for refusal in (AmountBelowMinimum, StripeAccountIsRestricted, VerificationIsPending, WalletIsMissing)
    }
)


class AutomaticPayouts:
    """Makes the payouts that are due; above the approval limit they wait for an operator like any other."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        books: Books,
        payouts: Payouts,
        timetable: Timetable,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._books = books
        self._payouts = payouts
        self._timetable = timetable
        self._notifications = notifications

    def make_due(self) -> int:
        """Make those of the period that has begun and that nobody has made yet; how many."""
        made = 0
        for slot in self._timetable.take_due(only=AUTOMATIC_PAYOUTS):
            made_now = self.make(slot)
            self._timetable.finish(slot, {"made": made_now})
            made += made_now
        return made

    def make(self, slot: Slot) -> int:
        """Make a payout of all that is available for everybody who may be paid; done twice it is still one each."""
        made, last = 0, None
        while batch := self._batch(last):
            made += sum(self._request(affiliate_id, slot.slot_at) for affiliate_id in batch)
            last = batch[-1]
        return made

    def _request(self, affiliate_id: UUID, period_at: datetime) -> bool:
        try:
            self._payouts.request(
                affiliate_id,
                amount="",
                request_key=f"automatic-{period_at:%Y-%m-%d}",
                requested_by=None,
                cause=Cause.system(AUTOMATIC_PAYOUTS),
            )
        except PortalError as refusal:
            log.info("automatic_payout.skipped", affiliate=str(affiliate_id), because=refusal.code)
            self._tell(affiliate_id, period_at, because=refusal.code)
            return False
        return True

    @writing
    def _tell(self, affiliate_id: UUID, period_at: datetime, *, because: str) -> None:
        """Whose money stays where it is learns why, unless they were told already or it is under way."""
        affiliate = self._books.lock(affiliate_id)
        available = self._books.balances(affiliate).available
        if available.amount > 0 and because in TOLD_REFUSALS:
            self._notifications.payout_skipped(
                affiliate, period_on=period_at.date(), available=available, because=because
            )

    @reading
    def _batch(self, after: UUID | None) -> list[UUID]:
        query = sa.select(Affiliate.id).where(Affiliate.automatic.is_(True), Affiliate.is_blocked.is_(False))
        if after is not None:
            query = query.where(Affiliate.id > after)
        return list(self._database.scalars(query.order_by(Affiliate.id).limit(BATCH)))
