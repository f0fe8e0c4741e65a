"""Mail to be sent, written in the transaction of the change it tells of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.notifications import MailKind
from portal.models.base import Base, JsonText, new_id, stored_enum


class MailState(StrEnum):
    """What became of a mail."""

    waiting = "waiting"
    """To be sent, or sent just now by a worker that has not noted it yet."""
    sent = "sent"
    parked = "parked"
    """Refused for good, or tried too often."""
    dropped = "dropped"
    """Nobody to send it to."""


class OutboxMail(Base):
    """One mail to one person. It holds ids and amounts; name and address are looked up when it is sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.CheckConstraint("(affiliate_id IS NULL) <> (user_id IS NULL)", name="one_recipient"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        sa.CheckConstraint("tries >= 0", name="tries_not_negative"),
        sa.Index("ix_outbox_state_next_try_at", "state", "next_try_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """Also in the Message-ID, by which a mail that went out twice is known to be the same."""
    deduplication_key: Mapped[str] = mapped_column(sa.String(255), unique=True)
    """Spells the fact; a fact told again writes nothing."""
    kind: Mapped[MailKind] = mapped_column(stored_enum(MailKind, "mail_kind"))
    affiliate_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("affiliates.id"))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    """An operator."""
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText())
    """What the words need: amounts in minor units, ids, an operator's message; no bank, link or secret."""
    state: Mapped[MailState] = mapped_column(stored_enum(MailState, "mail_state"))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    """Not before this is it taken up (real clock); set before a try, so that a worker that dies is followed."""
    error: Mapped[str | None] = mapped_column(sa.String(500))
    created_at: Mapped[datetime]
    """When the fact became one (business clock)."""
    sent_at: Mapped[datetime | None]
