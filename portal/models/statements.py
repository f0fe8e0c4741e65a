"""Statements of months that are over: added once, never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Statement(Base):
    """The sums of one month of an affiliate, in minor units of their currency, and the last entry that is in them."""

    __tablename__ = "statements"
    __table_args__ = (
        sa.CheckConstraint(
            "closing = opening + earned - refunded - sent + taken_back", name="closing_adds_up"
        ),
        sa.CheckConstraint(
            "earned >= 0 AND refunded >= 0 AND sent >= 0 AND taken_back >= 0", name="sums_not_negative"
        ),
    )

    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"), primary_key=True)
    month: Mapped[str] = mapped_column(sa.String(7), primary_key=True)
    """`yyyy-mm`, in UTC."""
    currency: Mapped[str] = mapped_column(sa.String(3))
    opening: Mapped[int] = mapped_column(sa.BigInteger)
    earned: Mapped[int] = mapped_column(sa.BigInteger)
    refunded: Mapped[int] = mapped_column(sa.BigInteger)
    sent: Mapped[int] = mapped_column(sa.BigInteger)
    taken_back: Mapped[int] = mapped_column(sa.BigInteger)
    closing: Mapped[int] = mapped_column(sa.BigInteger)
    last_entry_id: Mapped[int] = mapped_column(sa.BigInteger)
    """Entries up to this one are in this statement or an earlier one."""
    closed_at: Mapped[datetime]
