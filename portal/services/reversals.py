"""Transfer reversals: what Stripe took back of a payout returns to the affiliate's balance, once for each reversal."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.ledger import EntryKind
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeGateway
from portal.gateways.transfer_facts import ReversalFacts
from portal.models import Affiliate, LedgerEntry
from portal.models.base import Database, writing
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications
from portal.services.payout_moves import PayoutMoves

log = structlog.get_logger(__name__)


class Reversals:
    """Writes down what was reversed, whoever did it. https://docs.stripe.com/api/transfer_reversals"""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        moves: PayoutMoves,
        books: Books,
        journal: Journal,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._moves = moves
        self._books = books
        self._journal = journal
        self._notifications = notifications

    def record(self, payout_id: UUID, transfer_id: str, *, cause: Cause) -> None:
        """Ask Stripe for the reversals of a payout's transfer and write down the new ones. Raises
        StripeProblemError."""
        self._write(payout_id, transfer_id, self._stripe.reversals_of(transfer_id), cause=cause)

    @writing
    def _write(
        self, payout_id: UUID, transfer_id: str, reversals: Sequence[ReversalFacts], *, cause: Cause
    ) -> None:
        affiliate, payout = self._moves.lock(payout_id)
        known = self._known(payout_id)
        new = [reversal for reversal in reversals if reversal.id not in known]
        is_its_own = payout.transfer_id == transfer_id  # not a second one, which never was in the books
        if payout.status is not PayoutStatus.paid or not is_its_own or not new:
            return
        for reversal in new:
            self._books.post(
                EntryKind.reverse,
                reversal.amount,
                affiliate=affiliate,
                source="transfer_reversal",
                reference=reversal.id,
                payout=payout,
            )
            self._notifications.taken_back(payout, affiliate, reversal_id=reversal.id, amount=reversal.amount)
        payout.amount_reversed += sum(reversal.amount for reversal in new)
        self._database.flush()
        log.error("payout.reversed", payout=payout.reference, amount_reversed=payout.amount_reversed)
        if payout.amount_reversed == payout.amount:
            self._moves.move(payout, PayoutStatus.reversed, affiliate=affiliate, cause=cause)
        self._books.pay_off_debt(affiliate, reference=f"reversal {new[-1].id}")
        self._switch_automatic_off(affiliate, cause)
        affiliate.version += 1

    def _switch_automatic_off(self, affiliate: Affiliate, cause: Cause) -> None:
        """What was taken back must not go out again by itself."""
        if affiliate.automatic:
            affiliate.automatic = False
            self._journal.changed(
                "affiliate", affiliate.id, action="affiliate.automatic_changed", before="true", after="false",
                cause=cause, at=self._clock.now(),
            )  # fmt: skip

    def _known(self, payout_id: UUID) -> set[str]:
        return set(
            self._database.scalars(
                sa.select(LedgerEntry.reference).where(
                    LedgerEntry.payout_id == payout_id, LedgerEntry.kind == EntryKind.reverse
                )
            )
        )
