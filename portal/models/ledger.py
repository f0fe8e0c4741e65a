"""The ledger: accounts, entries and earnings. Balances are moved by the database itself when an entry is added."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.ledger import AccountKind, EntryKind
from portal.models.base import Base, BigNumber, new_id, stored_enum


class LedgerAccount(Base):
    """One of an affiliate's accounts; its balance is credits minus debits in minor units, kept by trigger."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        sa.UniqueConstraint("affiliate_id", "kind"),
        sa.CheckConstraint(
            "CASE WHEN kind IN ('earned', 'owed') THEN balance <= 0 ELSE balance >= 0 END",
            name="balance_side",
        ),
    )

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    kind: Mapped[AccountKind] = mapped_column(stored_enum(AccountKind, "ledger_account_kind"))
    currency: Mapped[str] = mapped_column(sa.String(3))
    balance: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    last_entry_id: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """The newest entry in the balance; a balance moves only together with a newer one."""


class LedgerEntry(Base):
    """A positive amount moved from one account to another; added, never changed, never gone."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        sa.UniqueConstraint("kind", "source", "reference"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        sa.CheckConstraint(
            "(kind IN ('reserve', 'settle', 'release', 'reverse')) = (payout_id IS NOT NULL)",
            name="payout_named",
        ),
        sa.CheckConstraint(
            "(kind IN ('earn', 'mature', 'refund_on_hold')) = (earning_id IS NOT NULL)", name="earning_named"
        ),
        sa.Index(
            "uq_ledger_entries_one_reserve",
            "payout_id",
            unique=True,
            sqlite_where=sa.text("kind = 'reserve'"),
            postgresql_where=sa.text("kind = 'reserve'"),
        ),
        sa.Index(
            "uq_ledger_entries_one_end",
            "payout_id",
            unique=True,
            sqlite_where=sa.text("kind IN ('settle', 'release')"),
            postgresql_where=sa.text("kind IN ('settle', 'release')"),
        ),
        sa.Index("ix_ledger_entries_affiliate_id_id", "affiliate_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigNumber, primary_key=True)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    debit_account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    credit_account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    kind: Mapped[EntryKind] = mapped_column(stored_enum(EntryKind, "ledger_entry_kind"))
    source: Mapped[str] = mapped_column(sa.String(32))
    """What kind of document the entry is made from: earning, refund, payout, transfer_reversal."""
    reference: Mapped[str] = mapped_column(sa.String(600))
    payout_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("payouts.id"))
    earning_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("earnings.id"), index=True)
    created_at: Mapped[datetime]


class Earning(Base):
    """One commission; `held` is what is still on hold of it, kept by trigger, the rest never changes."""

    __tablename__ = "earnings"
    __table_args__ = (
        sa.CheckConstraint("amount BETWEEN 1 AND 999999999999", name="amount_bounds"),
        sa.CheckConstraint("held BETWEEN 0 AND amount", name="held_bounds"),
        sa.Index(
            "ix_earnings_holds",
            "affiliate_id",
            "available_at",
            sqlite_where=sa.text("held > 0"),
            postgresql_where=sa.text("held > 0"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    affiliate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("affiliates.id"))
    reference: Mapped[str] = mapped_column(sa.String(255), unique=True)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    description: Mapped[str] = mapped_column(sa.String(500))
    occurred_at: Mapped[datetime]
    available_at: Mapped[datetime]
    held: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    created_at: Mapped[datetime]


class Refund(Base):
    """What was taken back of one earning; added, never changed. All refunds of an earning stay within it."""

    __tablename__ = "refunds"
    __table_args__ = (
        sa.UniqueConstraint("earning_id", "reference"),
        sa.CheckConstraint("amount BETWEEN 1 AND 999999999999", name="amount_bounds"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    earning_id: Mapped[UUID] = mapped_column(sa.ForeignKey("earnings.id"))
    reference: Mapped[str] = mapped_column(sa.String(255))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(500))
    created_at: Mapped[datetime]
