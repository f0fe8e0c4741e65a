"""Payouts as people ask for them and call them off: what may be asked for is `offers`, approving it `approvals`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.domain.gate import (
    Payee,
    RequestKeyIsMissing,
    request_refusal,
    requested_amount,
)
from portal.domain.ledger import EntryKind
from portal.domain.money import Money
from portal.domain.payouts import (
    MoveIsNotLegal,
    PayoutStatus,
    may_be_in_a_persons_hands,
    words_to_affiliate,
)
from portal.domain.sentences import Sentence
from portal.models import Affiliate, AuditRow, Payout
from portal.models.base import Database, reading, writing
from portal.services.approvals import Approvals
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications
from portal.services.offers import Offers
from portal.services.payout_moves import PayoutMoves, payee_of
from portal.services.payout_queue import is_of

#: A form's one-time key is made by us; anything longer is not ours.
LONGEST_REQUEST_KEY = 64


class Payouts:
    """The use cases around a payout before it is sent."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        journal: Journal,
        books: Books,
        moves: PayoutMoves,
        approvals: Approvals,
        offers: Offers,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._approvals = approvals
        self._offers = offers
        self._journal = journal
        self._books = books
        self._moves = moves
        self._notifications = notifications

    @writing
    def request(
        self, affiliate_id: UUID, *, amount: str, request_key: str, requested_by: UUID | None, cause: Cause
    ) -> Payout:
        """Reserve the amount and make the payout; the same `request_key` again is the same payout. `amount` is a
        decimal in the affiliate's currency, empty for all. Raises the gate's refusals, in their order."""
        affiliate = self._books.lock(affiliate_id)
        is_key_ours = 0 < len(request_key) <= LONGEST_REQUEST_KEY and request_key.isprintable()
        if is_key_ours and (earlier := self._with_key(affiliate_id, request_key)) is not None:
            return earlier
        self._books.write_down_passed_holds(affiliate)
        limits = self._offers.limits(
            affiliate, self._books.balances(affiliate), is_person=requested_by is not None
        )
        payee = payee_of(affiliate)
        refusal = request_refusal(payee, limits)
        if refusal is not None:
            raise refusal
        if not is_key_ours:
            raise RequestKeyIsMissing
        money = requested_amount(amount, limits)
        payout = self._add(affiliate, payee, money, request_key=request_key, requested_by=requested_by)
        affiliate.version += 1
        self._journal.changed(
            "payout", payout.id, action="payout.status_changed", before=None, after=PayoutStatus.requested, cause=cause,
            at=payout.created_at,
        )  # fmt: skip
        self._approvals.approve_small(affiliate, payout)
        self._notifications.payout_requested(payout, affiliate)
        return payout

    def _add(
        self, affiliate: Affiliate, payee: Payee, money: Money, *, request_key: str, requested_by: UUID | None
    ) -> Payout:
        """The row and its reserve entry."""
        payout = Payout(
            affiliate_id=affiliate.id,
            amount=money.amount,
            currency=money.currency,
            method=payee.method,
            destination=payee.destination or "",
            request_key=request_key,
            status=PayoutStatus.requested,
            requested_by=requested_by,
            created_at=self._clock.now(),
        )
        self._database.add(payout)
        self._database.flush()
        self._books.post_payout(EntryKind.reserve, payout, affiliate)
        return payout

    @writing
    def reject(self, payout_id: UUID, *, cause: Cause) -> Payout:
        """An operator's no, with the words for the affiliate in the cause's reason."""
        affiliate, payout = self._moves.lock(payout_id)
        self._moves.refuse_illegal(payout, PayoutStatus.rejected)
        payout.reason = words_to_affiliate(cause.reason)
        self._moves.move(payout, PayoutStatus.rejected, affiliate=affiliate, cause=cause)
        return payout

    @writing
    def cancel(self, payout_id: UUID, *, affiliate_id: UUID | None = None, cause: Cause) -> Payout:
        """Call a payout off while nothing is under way; an affiliate only their own. Canceled again is no fault."""
        affiliate, payout = self._moves.lock(payout_id)
        if affiliate_id is not None and payout.affiliate_id != affiliate_id:
            raise NotFound(Sentence("There is no such payout."))
        if payout.status is PayoutStatus.canceled:
            return payout
        is_theirs = affiliate_id is not None
        self._moves.refuse_illegal(payout, PayoutStatus.canceled, is_told_to_affiliate=is_theirs)
        if is_theirs and may_be_in_a_persons_hands(payout.method, payout.status):
            raise MoveIsNotLegal(
                Sentence(
                    "{reference} is approved and may be on its way to your wallet. Contact us to stop it.",
                    reference=payout.reference,
                )
            )
        payout.reason = words_to_affiliate(cause.reason)
        self._moves.move(payout, PayoutStatus.canceled, affiliate=affiliate, cause=cause)
        return payout

    @reading
    def get(self, payout_id: UUID) -> Payout:
        """Raises NotFound."""
        return self._get(payout_id)

    @reading
    def of_affiliate(self, affiliate_id: UUID, payout_id: UUID) -> Payout:
        """One of the affiliate's own. Raises NotFound."""
        payout = self._get(payout_id)
        if payout.affiliate_id != affiliate_id:
            raise NotFound(Sentence("There is no such payout."))
        return payout

    @reading
    def search(
        self,
        *,
        affiliate_code: str | None = None,
        status: str | None = None,
        created_after: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[tuple[Payout, str]]:
        """Everybody's payouts with the affiliate's code, newest first."""
        query = sa.select(Payout, Affiliate.code).join(Affiliate, Affiliate.id == Payout.affiliate_id)
        if affiliate_code is not None:
            query = query.where(is_of(affiliate_code))
        if status is not None:
            query = query.where(Payout.status == PayoutStatus(status))
        if created_after is not None:
            # the list goes by number: the lowest says where to stop, read from the times' index alone
            lowest = sa.select(sa.func.min(Payout.number)).where(Payout.created_at > created_after)
            query = query.where(Payout.created_at > created_after, Payout.number >= lowest.scalar_subquery())
        if before is not None:
            query = query.where(Payout.number < before)
        rows = self._database.execute(query.order_by(Payout.number.desc()).limit(limit))
        return [(payout, code) for payout, code in rows]

    @reading
    def history(self, payout_id: UUID) -> list[AuditRow]:
        """What happened to a payout, oldest first."""
        return self._journal.of("payout", payout_id)

    def _with_key(self, affiliate_id: UUID, request_key: str) -> Payout | None:
        return self._database.scalar(
            sa.select(Payout).where(Payout.affiliate_id == affiliate_id, Payout.request_key == request_key)
        )

    def _get(self, payout_id: UUID) -> Payout:
        payout = self._database.scalar(sa.select(Payout).where(Payout.id == payout_id))
        if payout is None:
            raise NotFound(Sentence("There is no such payout."))
        return payout
