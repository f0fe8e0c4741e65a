"""The books against Stripe: each pass over our transfers there, the differences that a person has explained, and each
reading of Stripe's lists of events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, JsonText, new_id


class ReconciliationPass(Base):
    """One comparison, written once it is through. The next begins where the last one without differences did."""

    __tablename__ = "reconciliation_passes"
    __table_args__ = (sa.Index("ix_reconciliation_passes_started_at", "started_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    since_at: Mapped[datetime]
    """Transfers made since then were compared (real clock, as Stripe's)."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    ours: Mapped[int]
    others: Mapped[int]
    """Transfers of other uses of the same Stripe key: counted, never a difference."""
    settled: Mapped[int]
    accepted: Mapped[int]
    is_clean: Mapped[bool]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JsonText())


class ReconciliationAcceptance(Base):
    """A difference that an operator explained; added, never changed. One that reads otherwise is another."""

    __tablename__ = "reconciliation_acceptances"
    __table_args__ = (sa.UniqueConstraint("kind", "difference_id", "message"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(sa.String(64))
    difference_id: Mapped[str] = mapped_column(sa.String(255))
    message: Mapped[str] = mapped_column(sa.String(500))
    reason: Mapped[str] = mapped_column(sa.String(500))
    accepted_by: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[datetime]


class EventBackfill(Base):
    """One reading of Stripe's lists of events, written once it is through."""

    __tablename__ = "event_backfills"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    since_at: Mapped[datetime]
    started_at: Mapped[datetime]
    """Real clock, as Stripe's."""
    finished_at: Mapped[datetime]
    seen: Mapped[int]
    stored: Mapped[int]
    errors: Mapped[int]
    """Accounts whose events Stripe did not give out."""


class ReadEventList(Base):
    """How far a list of events was read: the platform's, or a connected account's. The next reading begins there."""

    __tablename__ = "read_event_lists"

    scope: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    """`platform`, or the account's id."""
    read_until: Mapped[datetime]
    """Real clock, as Stripe's."""
