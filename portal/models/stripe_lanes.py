"""The pace at which all processes together ask Stripe: when the next request of each kind may leave."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class StripeLane(Base):
    """One lane: its requests leave one after another, so and so far apart."""

    __tablename__ = "stripe_lanes"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    free_at_epoch: Mapped[float] = mapped_column(sa.Double)
    """When the next one may leave, in seconds since 1970: by the database's clock on PostgreSQL, by the machine's on
    SQLite."""
