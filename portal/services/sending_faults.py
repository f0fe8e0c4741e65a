"""Payouts that our own code fails at: tried again a few times, then left alone until a person has looked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import pause_seconds
from portal.models import Payout, SendingFault
from portal.models.base import Database, writing
from portal.services.journal import Cause, Journal

log = structlog.get_logger(__name__)

#: An hourly run meets most passing troubles within so many tries; what fails as often will fail again.
MOST_TRIES = 8


def is_parked() -> sa.ColumnElement[bool]:
    """Whether a payout is left alone."""
    return sa.exists().where(SendingFault.payout_id == Payout.id, SendingFault.parked_at.is_not(None))


class SendingFaults:
    """Counts them."""

    def __init__(self, database: Database, *, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal

    @writing
    def note(self, payout_id: UUID, error: str, *, cause: Cause) -> None:
        """Once more; `error` is what kind of exception it was, never its text, which may hold anything."""
        now = self._clock.now()
        fault = self._database.get(SendingFault, payout_id)
        if fault is None:
            fault = SendingFault(payout_id=payout_id, tries=0, error=error, last_at=now)
            self._database.add(fault)
        fault.tries, fault.error, fault.last_at = fault.tries + 1, error[:255], now
        self._database.execute(
            sa.update(Payout)
            .where(Payout.id == payout_id)
            .values(next_try_at=now + timedelta(seconds=pause_seconds(fault.tries, spread=payout_id.int)))
        )
        if fault.tries >= MOST_TRIES and fault.parked_at is None:
            fault.parked_at = now
            self._journal.changed(
                "payout", payout_id, action="payout.parked", before=None, after=error, cause=cause, at=now
            )
            log.error("payout.parked", payout=str(payout_id), tries=fault.tries, error=error)

    def forget_within(self, payout_id: UUID) -> None:
        """Begin to count anew, in the unit of work that is open."""
        self._database.execute(sa.delete(SendingFault).where(SendingFault.payout_id == payout_id))
