"""Stripe's own payouts to affiliates' banks, as far as they carry payouts of ours; nothing of the bank accounts."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.bank_payouts import BankPayoutStatus, BankStage, Failure, failure_of, stage_of
from portal.models.base import Base, stored_enum


class BankPayout(Base):
    """What Stripe said of one when it was last asked. It moves no money of ours: no ledger entry speaks of it."""

    __tablename__ = "bank_payouts"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"), index=True)
    stripe_account_id: Mapped[str] = mapped_column(sa.String(255))
    status: Mapped[BankPayoutStatus] = mapped_column(stored_enum(BankPayoutStatus, "bank_payout_status"))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    """All of it, in minor units of its own currency: it may carry several payouts."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    arrival_on: Mapped[date]
    """The day of its arrival; the expected one until it is paid."""
    trace_id: Mapped[str | None] = mapped_column(sa.String(255))
    failure_code: Mapped[str | None] = mapped_column(sa.String(255))
    failure_message: Mapped[str | None] = mapped_column(sa.String(500))
    """Stripe's words, only where the portal has none for the code."""
    created_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    """When the money of a failed or canceled one was back in the Stripe balance."""
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    """When the question left whose answer this is (real clock): an older answer changes nothing."""

    @property
    def stage(self) -> BankStage | None:
        """What it means for what it carries."""
        return stage_of(self.status, self.failure_code)

    @property
    def place(self) -> tuple[bool, datetime, str]:
        """Of all that carry one payout the greatest counts: the latest, and one that came back only where no other
        carries it."""
        return (not self.status.is_over, self.created_at, self.id)

    def failure(self, reference: str) -> Failure:
        """Why it failed and what comes next; `reference` is what the affiliate quotes to us."""
        return failure_of(
            self.failure_code, message=self.failure_message, currency=self.currency, reference=reference
        )


class CarriedPayout(Base):
    """A payout of ours that a bank payout carries; again by a later one after the first came back."""

    __tablename__ = "carried_payouts"

    bank_payout_id: Mapped[str] = mapped_column(sa.ForeignKey("bank_payouts.id"), primary_key=True)
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True, index=True)
