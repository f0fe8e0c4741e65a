"""Payout runs: what set each off, the list of payouts it was for, and what became of every one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.attempts import Outcome
from portal.domain.payout_runs import RunTrigger
from portal.models.base import Base, JsonText, new_id, stored_enum

_IS_UNFINISHED = sa.text("finished_at IS NULL")


class PayoutRun(Base):
    """One run; its list is written in the same transaction and never changes for an operator's."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        sa.Index("ix_payout_runs_started_at", "started_at"),
        sa.Index(
            "ix_payout_runs_unfinished",
            "trigger",
            sqlite_where=_IS_UNFINISHED,
            postgresql_where=_IS_UNFINISHED,
        ),
        sa.CheckConstraint("(trigger = 'operator') = (confirmed_by IS NOT NULL)", name="operator_confirms"),
        sa.CheckConstraint("paid BETWEEN 0 AND listed", name="paid_bounds"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    trigger: Mapped[RunTrigger] = mapped_column(stored_enum(RunTrigger, "payout_run_trigger"))
    confirmed_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    started_at: Mapped[datetime]
    """When it was confirmed, or begun by itself."""
    taken_at: Mapped[datetime | None]
    """When a worker began with it."""
    alive_at: Mapped[datetime | None]
    """When whoever does it last gave a sign."""
    finished_at: Mapped[datetime | None]
    listed: Mapped[int]
    totals: Mapped[dict[str, Any]] = mapped_column(JsonText())
    """Minor units of the list by currency."""
    paid: Mapped[int] = mapped_column(default=0)
    tally: Mapped[dict[str, Any]] = mapped_column(JsonText(), default=dict)
    """Payouts by outcome, once it is finished."""
    sent: Mapped[dict[str, Any]] = mapped_column(JsonText(), default=dict)
    """Minor units paid by currency, once it is finished."""
    problem: Mapped[str | None] = mapped_column(sa.String(500))
    """What broke it off."""


class ListedPayout(Base):
    """A payout on the list of a run."""

    __tablename__ = "listed_payouts"

    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payout_runs.id"), primary_key=True)
    payout_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payouts.id"), primary_key=True, index=True)
    outcome: Mapped[Outcome | None] = mapped_column(stored_enum(Outcome, "listed_payout_outcome"))
    """Null until the run has come to it."""
