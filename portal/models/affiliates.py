"""Affiliates and the Stripe accounts that were made for them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.attempts import AttemptState
from portal.domain.payouts import PayoutMethod
from portal.models.base import Base, BigNumber, JsonText, new_id, stored_enum


class Affiliate(Base):
    """A partner who earns and gets paid. The names of the columns are those of the programme's own queries."""

    __tablename__ = "affiliates"
    __table_args__ = (
        sa.CheckConstraint(
            "(stripe_account_status IS NULL) = (stripe_account_id IS NULL)", name="status_needs_account"
        ),
        sa.CheckConstraint(
            "NOT stripe_onboarding_complete OR coalesce(stripe_account_status, '') = 'verified'",
            name="complete_means_verified",
        ),
        sa.CheckConstraint(
            "preferred_payout_type = 'fiat' OR wallet_address IS NOT NULL", name="crypto_needs_wallet"
        ),
        sa.CheckConstraint("length(code) BETWEEN 1 AND 64", name="code_length"),
        sa.CheckConstraint("total_earned >= 0", name="total_earned_not_negative"),
        sa.Index(
            "ix_affiliates_bank_fingerprint_accepted_bank_id", "bank_fingerprint", "accepted_bank", "id"
        ),
        sa.Index("ix_affiliates_stripe_account_status_code", "stripe_account_status", "code"),
        sa.Index("ix_affiliates_status_changed_at", "stripe_account_status", "status_changed_at"),
        sa.Index(
            "ix_affiliates_blocked",
            "code",
            sqlite_where=sa.text("is_blocked = 1"),
            postgresql_where=sa.text("is_blocked"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    email: Mapped[str] = mapped_column(sa.String(320), default="")
    country: Mapped[str] = mapped_column(sa.String(2))
    currency: Mapped[str] = mapped_column(sa.String(3))
    stripe_account_id: Mapped[str | None] = mapped_column(sa.String(255), unique=True)
    stripe_account_status: Mapped[AccountStatus | None] = mapped_column(
        stored_enum(AccountStatus, "account_status")
    )
    stripe_onboarding_complete: Mapped[bool] = mapped_column(default=False)
    stripe_account_detail: Mapped[AccountDetail | None] = mapped_column(
        stored_enum(AccountDetail, "account_detail")
    )
    stripe_requirements: Mapped[dict[str, Any] | None] = mapped_column(JsonText())
    """Stripe's names of what is missing, its reason and its deadline; never what a person answered."""
    stripe_deadline_at: Mapped[datetime | None]
    stripe_checked_at: Mapped[datetime | None]
    """When the newest account that was taken into account was asked for (real clock)."""
    stripe_asked_at: Mapped[datetime | None]
    """When Stripe was last asked for somebody who waits in front of a page, whatever came of it (real clock)."""
    verification_run_id: Mapped[UUID | None]
    """The run of the verification that asked about the account last."""
    status_changed_at: Mapped[datetime | None]
    detail_changed_at: Mapped[datetime | None]
    """Since when what stands behind the status has been the same: a review begins when set-up ends."""
    bank_fingerprint: Mapped[str | None] = mapped_column(sa.String(255))
    """Tells that the bank account changed; says nothing about which it is."""
    bank_changed_at: Mapped[datetime | None]
    accepted_bank: Mapped[str | None] = mapped_column(sa.String(255))
    """The fingerprint of a bank account that an operator knows others to share."""
    link_refreshed_at: Mapped[datetime | None]
    """When an account link was last made anew for somebody who came back with an old one (real clock)."""
    version: Mapped[int] = mapped_column(default=0)
    """Grows with every change that a page about this affiliate shows."""
    preferred_payout_type: Mapped[PayoutMethod] = mapped_column(
        stored_enum(PayoutMethod, "preferred_payout_type"), default=PayoutMethod.fiat
    )
    wallet_address: Mapped[str | None] = mapped_column(sa.String(255))
    automatic: Mapped[bool] = mapped_column(default=False)
    unwanted_mail: Mapped[list[str]] = mapped_column(JsonText(), default=list, server_default="[]")
    """The kinds of mail that they have switched off."""
    time_zone: Mapped[str | None] = mapped_column(sa.String(64))
    """The IANA name of the zone in which they read times; none is UTC."""
    language: Mapped[str | None] = mapped_column(sa.String(8))
    """None is what the browser asks for, and English in mail."""
    is_blocked: Mapped[bool] = mapped_column(default=False)
    block_reason: Mapped[str | None] = mapped_column(sa.String(500))
    block_message: Mapped[str | None] = mapped_column(sa.String(500))
    blocked_at: Mapped[datetime | None]
    total_earned: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Minor units; kept by the ledger's trigger."""
    created_at: Mapped[datetime]


class StripeAccount(Base):
    """One making of a connected account, written before Stripe is asked; also the history of earlier ones."""

    __tablename__ = "stripe_accounts"
    __table_args__ = (
        sa.UniqueConstraint("affiliate_id", "generation"),
        sa.Index(
            "uq_stripe_accounts_one_not_failed",
            "affiliate_id",
            unique=True,
            sqlite_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"),
            postgresql_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"),
        ),
        sa.Index("ix_stripe_accounts_state_created_at", "state", "created_at"),
        sa.CheckConstraint(
            "(state = 'succeeded') = (stripe_account_id IS NOT NULL)", name="succeeded_has_account"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    generation: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(sa.String(255), unique=True)
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonText())
    state: Mapped[AttemptState] = mapped_column(stored_enum(AttemptState, "account_attempt_state"))
    unresolved_tries: Mapped[int] = mapped_column(default=0)
    stripe_account_id: Mapped[str | None] = mapped_column(sa.String(255), unique=True)
    error_code: Mapped[str | None] = mapped_column(sa.String(255))
    error_message: Mapped[str | None] = mapped_column(sa.String(500))
    first_sent_at: Mapped[datetime]
    created_at: Mapped[datetime]
    disconnected_at: Mapped[datetime | None]


class VerificationRun(Base):
    """One pass over the accounts; its tally grows as it goes, and a killed one goes on where it stopped: in Stripe's
    list after `listed_until` (an account's id) unless that `is_listed`, then one by one after `last_affiliate_id`."""

    __tablename__ = "verification_runs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    trigger: Mapped[str] = mapped_column(sa.String(32))
    stale_hours: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    listed_until: Mapped[str | None] = mapped_column(sa.String(255))
    is_listed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    last_affiliate_id: Mapped[UUID | None]
    checked: Mapped[int] = mapped_column(BigNumber, default=0)
    changed: Mapped[int] = mapped_column(BigNumber, default=0)
    unchanged: Mapped[int] = mapped_column(BigNumber, default=0)
    errors: Mapped[int] = mapped_column(BigNumber, default=0)
    unreached: Mapped[int] = mapped_column(BigNumber, default=0, server_default="0")
    """Of the errors, those where Stripe gave no answer."""
    webhooks_missed: Mapped[int] = mapped_column(BigNumber, default=0)


class FindingKind(StrEnum):
    """What a verification found of an account that is worth reading."""

    changed = "changed"
    not_shown = "not_shown"
    """Stripe refused to show it."""
    no_answer = "no_answer"


class VerificationFinding(Base):
    """One account of a run that had changed, or of which Stripe said nothing; statuses and details as stored."""

    __tablename__ = "verification_findings"
    __table_args__ = (sa.Index("ix_verification_findings_run_id", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey("verification_runs.id"))
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    kind: Mapped[FindingKind] = mapped_column(stored_enum(FindingKind, "verification_finding_kind"))
    status_before: Mapped[str | None] = mapped_column(sa.String(32))
    detail_before: Mapped[str | None] = mapped_column(sa.String(32))
    status_after: Mapped[str | None] = mapped_column(sa.String(32))
    detail_after: Mapped[str | None] = mapped_column(sa.String(32))
    is_webhook_missed: Mapped[bool] = mapped_column(default=False)
    """Whether no event had announced the change."""
