"""Why an approved payout must not leave now: the same answer for a run, and for the page of a payout that is held."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.gate import Timing, run_hold
from portal.domain.payouts import HoldReason
from portal.models import Affiliate, Payout
from portal.models.base import Database, reading
from portal.services.payout_moves import payee_of


class Holds:
    """Judges standing and timing by what is written down; `cooldown` is the time after a change of the bank."""

    def __init__(self, database: Database, *, clock: Clock, cooldown: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._cooldown = cooldown

    def reason(
        self, affiliate: Affiliate, payout: Payout, *, at: datetime | None = None
    ) -> HoldReason | None:
        """For use inside a unit of work that has locked both; as of now, or of another moment."""
        timing = Timing(
            approved_method=payout.method,
            approved_destination=payout.destination,
            bank_changed_at=affiliate.bank_changed_at,
            cooldown=self._cooldown,
        )
        return run_hold(payee_of(affiliate), timing, at or self._clock.now())

    @reading
    def reason_now(self, payout_id: UUID) -> HoldReason | None:
        """What still stands in the way of a payout; None once the next run would let it go on."""
        query = sa.select(Affiliate, Payout).join(Payout, Payout.affiliate_id == Affiliate.id)
        affiliate, payout = self._database.execute(query.where(Payout.id == payout_id)).one()
        return self.reason(affiliate, payout)
