"""How well the portal hears Stripe: what was heard last, what was refused, and the self-tests that were asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.webhooks import WebhookRefusal, WebhookScope
from portal.models.base import Base, BigNumber, JsonText, new_id, stored_enum


class WebhookHearing(Base):
    """When events of one scope, signed with one secret, came first and last (real clock, to the second)."""

    __tablename__ = "webhook_hearings"

    scope: Mapped[WebhookScope] = mapped_column(stored_enum(WebhookScope, "webhook_scope"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    """Of the secret, which is not stored."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class WebhookRefusalCount(Base):
    """How much was not taken in one hour (UTC, real clock) for one reason; no body, no sender."""

    __tablename__ = "webhook_refusals"

    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    reason: Mapped[WebhookRefusal] = mapped_column(
        stored_enum(WebhookRefusal, "webhook_refusal"), primary_key=True
    )
    count: Mapped[int] = mapped_column(BigNumber)


class WebhookSelfTest(Base):
    """One self-test: asked for, taken by a worker, done (real clock)."""

    __tablename__ = "webhook_self_tests"
    __table_args__ = (sa.Index("ix_webhook_self_tests_asked_at", "asked_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    findings: Mapped[list[dict[str, Any]] | None] = mapped_column(JsonText())
