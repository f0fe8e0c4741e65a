"""What happened: the audit trail, the inbox of Stripe's events, and which slots of the timetable were done."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, BigNumber, JsonText, new_id, stored_enum

#: Of a reason in the trail, or a note.
LONGEST_REASON = 2_000


class ActorKind(StrEnum):
    """Who did something."""

    affiliate = "affiliate"
    operator = "operator"
    system = "system"
    stripe = "stripe"
    machine = "machine"
    shell = "shell"


class AuditRow(Base):
    """One change: who, what, from, to, why. Added, never changed, never gone; holds ids, no personal data."""

    __tablename__ = "audit_log"
    __table_args__ = (
        sa.Index("ix_audit_log_subject_id_subject_kind_id", "subject_id", "subject_kind", "id"),
        sa.Index("ix_audit_log_subject_kind_id", "subject_kind", "id"),
        sa.Index("ix_audit_log_action_id", "action", "id"),
        sa.Index("ix_audit_log_actor_kind_id", "actor_kind", "id"),
        sa.Index("ix_audit_log_created_at", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    created_at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(stored_enum(ActorKind, "audit_actor_kind"))
    actor_id: Mapped[str | None] = mapped_column(sa.String(255))
    action: Mapped[str] = mapped_column(sa.String(64))
    subject_kind: Mapped[str] = mapped_column(sa.String(32))
    subject_id: Mapped[str] = mapped_column(sa.String(255))
    from_value: Mapped[str | None] = mapped_column(sa.String(255))
    to_value: Mapped[str | None] = mapped_column(sa.String(255))
    cause: Mapped[str] = mapped_column(sa.String(255))
    """Why: an event's id, a request's, a job's, a command's name."""
    reason: Mapped[str | None] = mapped_column(sa.String(LONGEST_REASON))


class EventState(StrEnum):
    """How far an event of Stripe's has been worked on."""

    received = "received"
    processed = "processed"
    ignored = "ignored"
    parked = "parked"


class WebhookEvent(Base):
    """What identifies an event; never its body, which may carry names and birth dates."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        sa.Index("ix_webhook_events_received_at_id", "received_at", "id"),
        sa.Index("ix_webhook_events_state_received_at_id", "state", "received_at", "id"),
        sa.Index("ix_webhook_events_type_received_at_id", "type", "received_at", "id"),
        sa.Index("ix_webhook_events_account_id", "account_id"),
        sa.Index("ix_webhook_events_object_id", "object_id"),
        sa.Index(
            "ix_webhook_events_backfilled",
            "received_at",
            sqlite_where=sa.text("is_backfilled = 1"),
            postgresql_where=sa.text("is_backfilled"),
        ),
    )

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(255))
    object_id: Mapped[str | None] = mapped_column(sa.String(255))
    account_id: Mapped[str | None] = mapped_column(sa.String(255))
    api_version: Mapped[str | None] = mapped_column(sa.String(64))
    is_livemode: Mapped[bool]
    created_at: Mapped[datetime | None]
    body_sha256: Mapped[str] = mapped_column(sa.String(64))
    signed_with: Mapped[str | None] = mapped_column(sa.String(255))
    """Fingerprints of the secrets that verified it, comma-separated; None where it came by backfilling."""
    received_at: Mapped[datetime]
    state: Mapped[EventState] = mapped_column(stored_enum(EventState, "webhook_event_state"))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
    is_backfilled: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Found in Stripe's list; no webhook had brought it by then."""
    effect: Mapped[str | None] = mapped_column(sa.String(255))
    error: Mapped[str | None] = mapped_column(sa.String(500))


class JobSlot(Base):
    """A slot of the timetable that was taken; the primary key lets exactly one worker have it."""

    __tablename__ = "job_slots"

    job: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(default=new_id)
    started_at: Mapped[datetime]
    alive_at: Mapped[datetime | None]
    """When whoever took it last gave a sign."""
    finished_at: Mapped[datetime | None]
    tally: Mapped[dict[str, Any] | None] = mapped_column(JsonText())
