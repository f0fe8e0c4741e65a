"""What operators decided about several payouts at once, each decision once, and what became of every payout."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.models.base import Base, stored_enum


class Decision(Base):
    """One decision; its id is the one-time key of the form that it came by."""

    __tablename__ = "decisions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[DecisionKind] = mapped_column(stored_enum(DecisionKind, "decision_kind"))
    decided_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    """What the affiliates are told, if anything."""
    decided_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DecidedPayout(Base):
    """A payout on the list of a decision."""

    __tablename__ = "decided_payouts"
    __table_args__ = (
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'skipped') = (refusal IS NOT NULL)",
            name="skipped_has_refusal",
        ),
    )

    decision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("decisions.id"), primary_key=True)
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True, index=True)
    reference: Mapped[str | None] = mapped_column(sa.String(255))
    """What the payment is found by that an operator says they made by hand, kept also if it is then skipped."""
    outcome: Mapped[DecisionOutcome | None] = mapped_column(
        stored_enum(DecisionOutcome, "decided_payout_outcome")
    )
    """Null until the decision has come to it."""
    refusal: Mapped[str | None] = mapped_column(sa.String(500))
    """Why it was skipped."""
    done: Mapped[str | None] = mapped_column(sa.String(500))
    """What was done with it, where the outcome does not say it all."""
