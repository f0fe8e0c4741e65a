"""The hash chain over the audit trail: committed rows are sealed in order, some seconds after the change."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, BigNumber


class AuditSeal(Base):
    """One link: the hash of an audit row and of the seal before. Added, never changed, never gone.

    No foreign key: a sealed segment of the trail may be archived, and a row that is gone must be told by the chain.
    """

    __tablename__ = "audit_seals"

    sequence: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    """From 1 on, without a gap."""
    audit_id: Mapped[int] = mapped_column(BigNumber, unique=True)
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))
    sealed_at: Mapped[datetime]
