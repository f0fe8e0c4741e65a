"""Payouts, the attempts to send them, and the programme-wide switch that stops all sending."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.attempts import AttemptState
from portal.domain.payouts import HoldReason, PayoutMethod, PayoutStatus, WaitReason
from portal.models.base import Base, BigNumber, JsonText, new_id, stored_enum

_IS_OPEN = sa.text("status IN ('requested', 'approved', 'held', 'processing')")

_HAS_FAILED = sa.text("status = 'failed'")


class Payout(Base):
    """One payment from the platform to an affiliate. Amount, currency, destination and affiliate never change."""

    __tablename__ = "payouts"
    __table_args__ = (
        sa.UniqueConstraint("affiliate_id", "request_key"),
        sa.Index(
            "uq_payouts_one_open",
            "affiliate_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        sa.Index("ix_payouts_affiliate_id_status_number", "affiliate_id", "status", "number"),
        sa.Index("ix_payouts_status_number", "status", "number"),
        sa.Index("ix_payouts_created_at_number", "created_at", "number"),
        sa.Index("ix_payouts_paid_at", "paid_at"),
        sa.Index("ix_payouts_affiliate_id_number", "affiliate_id", "number"),
        sa.Index("ix_payouts_destination", "destination"),
        sa.Index("ix_payouts_failed", "ended_at", sqlite_where=_HAS_FAILED, postgresql_where=_HAS_FAILED),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("amount_reversed BETWEEN 0 AND amount", name="reversed_bounds"),
        sa.CheckConstraint(
            "requested_by IS NULL OR approved_by IS NULL OR requested_by <> approved_by",
            name="nobody_approves_their_own",
        ),
        sa.CheckConstraint(
            "status NOT IN ('paid', 'reversed') OR "
            "(paid_at IS NOT NULL AND (method <> 'fiat' OR transfer_id IS NOT NULL))",
            name="paid_has_transfer",
        ),
        sa.CheckConstraint("(status = 'held') = (hold_reason IS NOT NULL)", name="held_has_reason"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    """Behind the short reference that people see (P-1042)."""
    id: Mapped[UUID] = mapped_column(unique=True, default=new_id)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    method: Mapped[PayoutMethod] = mapped_column(stored_enum(PayoutMethod, "payout_method"))
    destination: Mapped[str] = mapped_column(sa.String(255))
    """The Stripe account, or the wallet, at the time of the request."""
    request_key: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[PayoutStatus] = mapped_column(stored_enum(PayoutStatus, "payout_status"))
    hold_reason: Mapped[HoldReason | None] = mapped_column(stored_enum(HoldReason, "hold_reason"))
    wait_reason: Mapped[WaitReason | None] = mapped_column(stored_enum(WaitReason, "wait_reason"))
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    """What the affiliate is told: an operator's words on a rejection, Stripe's on a failure."""
    requested_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    """A person; null is the system, below the limit."""
    transfer_id: Mapped[str | None] = mapped_column(sa.String(255), unique=True)
    external_reference: Mapped[str | None] = mapped_column(sa.String(255))
    """What an operator paid by hand is found again by: the wallet transfer's hash, say."""
    amount_reversed: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(64))
    lease_until: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    """Not before this does a run take it up again (business clock); null is at once."""
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def reference(self) -> str:
        """The short reference that people see and search for."""
        return f"P-{self.number}"


class FirstApproval(Base):
    """The first of the two yeses that a large payout needs; the second is the payout's own `approved_by`."""

    __tablename__ = "first_approvals"

    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True)
    approved_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[datetime]


class PayoutAttempt(Base):
    """One generation of sending a payout: its key and parameters are frozen before the first request leaves."""

    __tablename__ = "payout_attempts"
    __table_args__ = (
        sa.UniqueConstraint("payout_id", "generation"),
        sa.Index(
            "uq_payout_attempts_one_not_failed",
            "payout_id",
            unique=True,
            sqlite_where=sa.text("state <> 'failed'"),
            postgresql_where=sa.text("state <> 'failed'"),
        ),
        sa.Index(
            "ix_payout_attempts_parked",
            "payout_id",
            sqlite_where=sa.text("state = 'parked'"),
            postgresql_where=sa.text("state = 'parked'"),
        ),
        sa.CheckConstraint(
            "(state = 'succeeded') = (transfer_id IS NOT NULL)", name="succeeded_has_transfer"
        ),
        sa.CheckConstraint("unresolved_tries >= 0", name="unresolved_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"))
    generation: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(sa.String(255), unique=True)
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonText())
    state: Mapped[AttemptState] = mapped_column(stored_enum(AttemptState, "payout_attempt_state"))
    tries: Mapped[int] = mapped_column(default=0)
    unresolved_tries: Mapped[int] = mapped_column(default=0)
    """Requests that left, or may have left, without a definite answer; counted before each leaves."""
    transfer_id: Mapped[str | None] = mapped_column(sa.String(255), unique=True)
    last_answer: Mapped[str | None] = mapped_column(sa.String(32))
    error_code: Mapped[str | None] = mapped_column(sa.String(255))
    error_message: Mapped[str | None] = mapped_column(sa.String(500))
    request_id: Mapped[str | None] = mapped_column(sa.String(255))
    first_sent_at: Mapped[datetime]
    last_sent_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SendingFault(Base):
    """A payout that our own code raised at. Once parked, no run takes it up until an operator has it retried."""

    __tablename__ = "sending_faults"

    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True)
    tries: Mapped[int]
    error: Mapped[str] = mapped_column(sa.String(255))
    last_at: Mapped[datetime]
    parked_at: Mapped[datetime | None]


class Installation(Base):
    """The one row that names this database at Stripe and says whether sending is stopped."""

    __tablename__ = "installation"
    __table_args__ = (sa.CheckConstraint("one = 1", name="only_one"),)

    one: Mapped[int] = mapped_column(primary_key=True, default=1)
    id: Mapped[UUID] = mapped_column(default=new_id)
    created_at: Mapped[datetime]
    halted_at: Mapped[datetime | None]
    halt_reason: Mapped[str | None] = mapped_column(sa.String(500))
    stripe_platform: Mapped[str | None] = mapped_column(sa.String(300))
    """The platform's own account and mode: to another platform's key every account looks gone."""
    balance: Mapped[dict[str, Any] | None] = mapped_column(JsonText())
    """What the platform had at Stripe when it was last asked: `available` and `pending`, minor units by currency."""
    balance_read_at: Mapped[datetime | None]
