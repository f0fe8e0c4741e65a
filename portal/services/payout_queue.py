"""Payouts as operators look at them: the queue, oldest first, and everything that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.domain.approval import ApprovalRule
from portal.domain.attempts import AttemptState
from portal.domain.errors import NotFound, PortalError
from portal.domain.gate import standing_refusal
from portal.domain.money import Money
from portal.domain.payouts import OPEN_STATUSES, PayoutStatus
from portal.models import Affiliate, AuditRow, FirstApproval, Payout, PayoutAttempt, SendingFault
from portal.models.base import Database, reading, written_out
from portal.services.audit_trail import AuditLine, lines_of, names_of_people
from portal.services.payout_moves import payee_of


@dataclass(frozen=True)
class PayoutFilter:
    """Which payouts to show; None shows all."""

    status: PayoutStatus | None = None
    affiliate_code: str | None = None
    is_parked: bool = False
    """Only those that no run takes up before a person has looked."""
    number: int | None = None
    """The one behind a short reference."""

    @property
    def is_queue(self) -> bool:
        """Whether these wait for something, so that the oldest comes first."""
        return self.status in OPEN_STATUSES


@dataclass(frozen=True)
class QueuedPayout:
    """A payout with whom it is for, and why they can't be paid right now, if so."""

    payout: Payout
    affiliate: Affiliate
    refusal: PortalError | None


@dataclass(frozen=True)
class PayoutFile:
    """All that is known of a payout. `people` names those who asked for it and approved it."""

    payout: Payout
    affiliate: Affiliate
    refusal: PortalError | None
    attempts: list[PayoutAttempt]
    history: list[AuditLine]
    fault: SendingFault | None
    """That our own code failed at it, if it did."""
    first_approval: FirstApproval | None
    needs_two: bool
    """Whether one operator's yes is not enough."""
    people: Mapping[UUID, str]


def needs_a_person() -> sa.ColumnElement[bool]:
    """Whether no run takes a payout up any more: our own code failed at it, or Stripe calls its request our mistake.
    These are few, so they are looked up first."""
    parked = sa.union_all(
        sa.select(SendingFault.payout_id).where(SendingFault.parked_at.is_not(None)),
        sa.select(PayoutAttempt.payout_id).where(PayoutAttempt.state == written_out(AttemptState.parked)),
    )
    return sa.and_(Payout.status.in_(OPEN_STATUSES), Payout.id.in_(parked))


def is_of(code: str) -> sa.ColumnElement[bool]:
    """Whether a payout is an affiliate's; who that is, is looked up once."""
    return Payout.affiliate_id == sa.select(Affiliate.id).where(Affiliate.code == code).scalar_subquery()


class PayoutQueue:
    """Reads payouts across affiliates; moving them is `payouts`."""

    def __init__(self, database: Database, *, rule: ApprovalRule) -> None:
        self._database = database
        self._rule = rule

    @reading
    def page(self, wanted: PayoutFilter, *, past: int | None = None, limit: int = 50) -> list[QueuedPayout]:
        """One page, those numbered past `past`: oldest first where they wait for something, else newest first."""
        query = sa.select(Payout, Affiliate).join(Affiliate, Affiliate.id == Payout.affiliate_id)
        if wanted.status is not None:
            query = query.where(Payout.status == wanted.status)
        if wanted.affiliate_code is not None:
            query = query.where(is_of(wanted.affiliate_code))
        if wanted.is_parked:
            query = query.where(needs_a_person())
        if wanted.number is not None:
            query = query.where(Payout.number == wanted.number)
        if past is not None:
            query = query.where(Payout.number > past if wanted.is_queue else Payout.number < past)
        query = query.order_by(Payout.number if wanted.is_queue else Payout.number.desc())
        return [
            _queued(payout, affiliate) for payout, affiliate in self._database.execute(query.limit(limit))
        ]

    @reading
    def file(self, payout_id: UUID) -> PayoutFile:
        """Everything about one payout. Raises NotFound."""
        found = self._database.execute(
            sa.select(Payout, Affiliate)
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(Payout.id == payout_id)
        ).first()
        if found is None:
            raise NotFound("There is no such payout.")
        payout, affiliate = found
        attempts = self._database.scalars(
            sa.select(PayoutAttempt)
            .where(PayoutAttempt.payout_id == payout_id)
            .order_by(PayoutAttempt.generation)
        ).all()
        history = self._database.scalars(
            sa.select(AuditRow)
            .where(AuditRow.subject_kind == "payout", AuditRow.subject_id == str(payout_id))
            .order_by(AuditRow.id)
        ).all()
        first = self._database.get(FirstApproval, payout_id)
        people = (payout.requested_by, payout.approved_by, first.approved_by if first else None)
        return PayoutFile(
            payout=payout,
            affiliate=affiliate,
            refusal=standing_refusal(payee_of(affiliate)),
            attempts=[*attempts],
            history=lines_of(self._database, history),
            fault=self._database.get(SendingFault, payout_id),
            first_approval=first,
            needs_two=self._rule.needs_two_operators(Money(payout.amount, payout.currency)),
            people=names_of_people(self._database, people),
        )

    @reading
    def by_transfer(self, transfer_id: str) -> Payout | None:
        """The payout that a transfer of Stripe's carries."""
        return self._database.scalar(sa.select(Payout).where(Payout.transfer_id == transfer_id))


def _queued(payout: Payout, affiliate: Affiliate) -> QueuedPayout:
    return QueuedPayout(payout, affiliate, standing_refusal(payee_of(affiliate)))
