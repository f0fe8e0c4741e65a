"""Refunds: what a customer got back is taken from the affiliate's balance, or owed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.domain.ledger import AccountKind
from portal.domain.refunds import RefundConflict, RefundIsLargerThanEarning, split_refund
from portal.models import Affiliate, Earning, Refund
from portal.models.base import Database, writing
from portal.services.books import Books, is_held
from portal.services.journal import Cause, Journal


@dataclass(frozen=True)
class RefundData:
    """One refund of an earning; `amount` in minor units of the earning's currency."""

    reference: str
    amount: int
    reason: str


class Refunds:
    """The use case of taking an earning back, wholly or in part."""

    def __init__(self, database: Database, *, clock: Clock, journal: Journal, books: Books) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._books = books

    @writing
    def refund(self, earning_reference: str, data: RefundData, *, cause: Cause) -> tuple[Refund, bool]:
        """Take back so much of an earning; True when it is new, the same again changes nothing. Raises NotFound,
        RefundConflict, RefundIsLargerThanEarning."""
        known = self._database.scalar(sa.select(Earning).where(Earning.reference == earning_reference))
        if known is None:
            raise NotFound(f"There is no earning {earning_reference[:255]}.")
        affiliate = self._books.lock(known.affiliate_id)
        earlier = self._database.scalars(sa.select(Refund).where(Refund.earning_id == known.id)).all()
        for refund in earlier:
            if refund.reference == data.reference:
                return _same(refund, data), False
        taken = sum(refund.amount for refund in earlier)
        if taken + data.amount > known.amount:
            raise RefundIsLargerThanEarning(
                f"{earning_reference} brought {known.amount}, and {taken} of it were taken back before.",
                field="amount",
            )
        return self._take_back(affiliate, known, data, cause), True

    def _take_back(self, affiliate: Affiliate, earning: Earning, data: RefundData, cause: Cause) -> Refund:
        refund = Refund(
            earning_id=earning.id,
            reference=data.reference,
            amount=data.amount,
            reason=data.reason,
            created_at=self._clock.now(),
        )
        self._database.add(refund)
        self._database.flush()
        self._books.write_down_passed_holds(affiliate)
        self._post(affiliate, earning, refund)
        affiliate.version += 1
        self._journal.changed(
            "affiliate", affiliate.id, action="earning.refunded", before=earning.reference, after=data.amount,
            cause=cause, at=self._clock.now(),
        )  # fmt: skip
        return refund

    def _post(self, affiliate: Affiliate, earning: Earning, refund: Refund) -> None:
        holds = {
            row.id: row
            for row in self._database.scalars(
                sa.select(Earning)
                .where(Earning.affiliate_id == affiliate.id, is_held())
                .order_by(Earning.occurred_at.desc(), Earning.id.desc())
                .execution_options(populate_existing=True)
            )
        }
        own = holds.get(earning.id)
        portions = split_refund(
            refund.amount,
            own_hold=(earning.id, own.held if own else 0),
            available=self._books.stored_balances(affiliate.id).get(AccountKind.available, 0),
            other_holds=[(row.id, row.held) for row in holds.values() if row.id != earning.id],
        )
        for portion in portions:
            held_of = holds[portion.earning_id] if portion.earning_id else None
            self._books.post(
                portion.kind,
                portion.amount,
                affiliate=affiliate,
                source="refund",
                reference=f"{refund.id}:{held_of.id}" if held_of else str(refund.id),
                earning=held_of,
            )


def _same(refund: Refund, data: RefundData) -> Refund:
    if (refund.amount, refund.reason) != (data.amount, data.reason):
        raise RefundConflict(f"{data.reference} is known with other content.", field="reference")
    return refund
