"""Differences that a person has explained, so that sending may go on although books and Stripe do not agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.models import ReconciliationAcceptance
from portal.models.base import Database, reading, writing
from portal.services.audit_trail import names_of_people
from portal.services.journal import Cause, Journal
from portal.services.reconciliation import PassTally, Reconciliation
from portal.services.transfer_comparison import WOULD_BE_SENT_AGAIN, Difference


class PayoutWouldBeSentAgain(PortalError):
    """A payout waits to be sent although Stripe has its transfer: a restored backup, say."""

    code = "payout_would_be_sent_again"


@dataclass(frozen=True)
class AcceptedDifference:
    """A difference that was explained, and by whom."""

    row: ReconciliationAcceptance
    by: str


class Acceptances:
    """Closes differences, with the reason and who gave it."""

    def __init__(
        self, database: Database, *, clock: Clock, journal: Journal, reconciliation: Reconciliation
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._reconciliation = reconciliation

    def accept(self, difference_id: str, *, cause: Cause) -> PassTally:
        """Close every difference that has this id now; the next pass, which is made at once. One that reads otherwise
        later (more was reversed, say) is open again. Raises NotFound, InvalidInput, PayoutWouldBeSentAgain,
        StripeProblemError."""
        if not (cause.reason or "").strip():
            raise InvalidInput([("reason", "Say why this difference is all right.")])
        tally = self._reconciliation.run(cause=cause)
        meant = [difference for difference in tally.differences if difference.id == difference_id]
        if not meant:
            raise NotFound(f"There is no open difference {difference_id[:255]}.")
        if any(difference.kind == WOULD_BE_SENT_AGAIN for difference in meant):
            raise PayoutWouldBeSentAgain(
                f"{meant[0].message}. Cancel the payout first, then accept {meant[0].id}."
            )
        self._write(meant, cause)
        return self._reconciliation.run(cause=cause)

    @reading
    def newest(self, *, limit: int) -> list[AcceptedDifference]:
        """What was explained last, newest first, with the name of whoever did."""
        rows = self._database.scalars(
            sa.select(ReconciliationAcceptance)
            .order_by(ReconciliationAcceptance.created_at.desc())
            .limit(limit)
        ).all()
        people = names_of_people(self._database, (UUID(row.accepted_by) for row in rows if row.accepted_by))
        return [
            AcceptedDifference(row, people.get(UUID(row.accepted_by), "") if row.accepted_by else "")
            for row in rows
        ]

    @writing
    def _write(self, meant: Sequence[Difference], cause: Cause) -> None:
        now = self._clock.now()
        for difference in meant:
            if self._database.scalar(_same(difference)) is not None:
                continue  # somebody was faster
            self._database.add(
                ReconciliationAcceptance(
                    kind=difference.kind,
                    difference_id=difference.id,
                    message=difference.message,
                    reason=(cause.reason or "")[:500],
                    accepted_by=cause.actor_id,
                    created_at=now,
                )
            )
            self._journal.changed(
                "transfer" if difference.id.startswith("tr_") else "payout",
                difference.id,
                action="reconciliation.difference_accepted",
                before=difference.kind,
                after="accepted",
                cause=cause,
                at=now,
            )


def _same(difference: Difference) -> sa.Select[ReconciliationAcceptance]:
    return sa.select(ReconciliationAcceptance).where(
        ReconciliationAcceptance.kind == difference.kind,
        ReconciliationAcceptance.difference_id == difference.id,
        ReconciliationAcceptance.message == difference.message,
    )
