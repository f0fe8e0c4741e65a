"""Automatic payouts: one a period for everybody who chose them, by the programme's schedule."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountStatus
from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutMethod
from portal.models import Affiliate
from portal.models.base import Database, reading
from portal.services.journal import Cause
from portal.services.payouts import Payouts
from portal.services.timetable import Slot, Timetable

log = structlog.get_logger(__name__)

#: The name of the job in the timetable.
AUTOMATIC_PAYOUTS = "automatic-payouts"

BATCH = 500


class AutomaticPayouts:
    """Makes the payouts that are due; above the approval limit they wait for an operator like any other."""

    def __init__(self, database: Database, *, clock: Clock, payouts: Payouts, timetable: Timetable) -> None:
        self._database = database
        self._clock = clock
        self._payouts = payouts
        self._timetable = timetable

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
            return False
        return True

    @reading
    def _batch(self, after: UUID | None) -> list[UUID]:
        may_be_paid = sa.or_(
            Affiliate.preferred_payout_type == PayoutMethod.crypto,
            Affiliate.stripe_account_status == AccountStatus.verified,
        )
        query = sa.select(Affiliate.id).where(
            Affiliate.automatic.is_(True), Affiliate.is_blocked.is_(False), may_be_paid
        )
        if after is not None:
            query = query.where(Affiliate.id > after)
        return list(self._database.scalars(query.order_by(Affiliate.id).limit(BATCH)))
