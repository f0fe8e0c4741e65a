"""Affiliates as operators look for them: by a word, by what is the matter with them, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.accounts import AccountStatus
from portal.domain.ledger import AccountKind, Balances, Hold, balances_at
from portal.models import Affiliate, Earning, LedgerAccount, StripeAccount
from portal.models.base import Database, reading, written_out
from portal.services.books import is_held
from portal.services.shared_banks import is_bank_shared

#: Stripe usually needs one or two days; whoever waits for longer than this may wait for nothing.
STUCK_DAYS = 7


class StatusFilter(StrEnum):
    """A status of the Stripe account, or that there is none."""

    none = "none"
    pending = "pending"
    verified = "verified"
    restricted = "restricted"
    rejected = "rejected"


class Flag(StrEnum):
    """What else may be the matter."""

    stuck = "stuck"
    """Pending for more than 7 days."""
    blocked = "blocked"
    with_balance = "with_balance"
    """Has money on hold or available."""
    shared_bank = "shared_bank"
    """Others are paid to the same bank account, and no operator has accepted it."""


@dataclass(frozen=True)
class AffiliateFilter:
    """Whom to show; None shows all. `text` is looked for in code, name and e-mail, or is an account's whole id."""

    text: str | None = None
    status: StatusFilter | None = None
    flag: Flag | None = None


@dataclass(frozen=True)
class FoundAffiliate:
    """An affiliate and their balances as of now."""

    affiliate: Affiliate
    balances: Balances


class AffiliateSearch:
    """Reads affiliates across the programme; changing them is `affiliates`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @reading
    def stuck(self, *, limit: int) -> list[Affiliate]:
        """Who has been pending for too long, the longest first."""
        query = sa.select(Affiliate).where(is_stuck(self._clock.now()))
        return [*self._database.scalars(query.order_by(Affiliate.status_changed_at).limit(limit))]

    @reading
    def find(
        self, wanted: AffiliateFilter, *, past: str | None = None, limit: int = 50
    ) -> list[FoundAffiliate]:
        """One page with balances, by code, those whose code comes past `past`."""
        rows = self._rows(wanted, past, limit)
        balances = self._balances(rows)
        return [FoundAffiliate(row, balances[row.code]) for row in rows]

    @reading
    def rows(self, wanted: AffiliateFilter, *, past: str | None = None, limit: int = 50) -> list[Affiliate]:
        """One page without balances, for lists that leave the portal."""
        return self._rows(wanted, past, limit)

    @reading
    def earlier_accounts(self, affiliate_id: UUID) -> Sequence[StripeAccount]:
        """The Stripe accounts that were disconnected before another took their place, newest first."""
        return self._database.scalars(
            sa.select(StripeAccount)
            .where(StripeAccount.affiliate_id == affiliate_id, StripeAccount.disconnected_at.is_not(None))
            .order_by(StripeAccount.generation.desc())
        ).all()

    @reading
    def with_account(self, account_id: str) -> Affiliate | None:
        """The affiliate to whom a Stripe account belongs."""
        return self._database.scalar(sa.select(Affiliate).where(Affiliate.stripe_account_id == account_id))

    def _rows(self, wanted: AffiliateFilter, past: str | None, limit: int) -> list[Affiliate]:
        query = sa.select(Affiliate)
        if wanted.text:
            query = query.where(_holds(wanted.text))
        match wanted.status:
            case None:
                pass
            case StatusFilter.none:
                query = query.where(Affiliate.stripe_account_status.is_(None))
            case status:
                query = query.where(Affiliate.stripe_account_status == AccountStatus(status))
        match wanted.flag:
            case Flag.stuck:
                query = query.where(is_stuck(self._clock.now()))
            case Flag.blocked:
                query = query.where(Affiliate.is_blocked)
            case Flag.with_balance:
                query = query.where(has_balance())
            case Flag.shared_bank:
                query = query.where(is_bank_shared())
            case None:
                pass
        if past is not None:
            query = query.where(Affiliate.code > past)
        return [*self._database.scalars(query.order_by(Affiliate.code).limit(limit))]

    def _balances(self, affiliates: Sequence[Affiliate]) -> dict[str, Balances]:
        """Two statements for all of them."""
        ids, now = [each.id for each in affiliates], self._clock.now()
        accounts = self._database.execute(
            sa.select(LedgerAccount.affiliate_id, LedgerAccount.kind, LedgerAccount.balance).where(
                LedgerAccount.affiliate_id.in_(ids)
            )
        ).all()
        holds = self._database.execute(
            sa.select(Earning.affiliate_id, Earning.held, Earning.available_at).where(
                Earning.affiliate_id.in_(ids), is_held(), Earning.available_at <= now
            )
        ).all()
        return {
            each.code: balances_at(
                {kind: balance for owner, kind, balance in accounts if owner == each.id},
                [Hold(held, available_at) for owner, held, available_at in holds if owner == each.id],
                currency=each.currency,
                now=now,
            )
            for each in affiliates
        }


def is_stuck(now: datetime) -> sa.ColumnElement[bool]:
    """Pending for more than STUCK_DAYS, by the business clock."""
    return sa.and_(
        Affiliate.stripe_account_status == AccountStatus.pending,
        Affiliate.status_changed_at <= now - timedelta(days=STUCK_DAYS),
    )


def has_balance() -> sa.ColumnElement[bool]:
    """Has money on hold or available; read from the maintained balances, never summed."""
    return (
        sa.select(LedgerAccount.id)
        .where(
            LedgerAccount.affiliate_id == Affiliate.id,
            LedgerAccount.kind.in_((AccountKind.available, AccountKind.on_hold)),
            LedgerAccount.balance > 0,
        )
        .exists()
    )


def _holds(text: str) -> sa.ColumnElement[bool]:
    if text.startswith("acct_"):  # an earlier one finds them too
        made = sa.select(StripeAccount.affiliate_id).where(StripeAccount.stripe_account_id == text)
        return sa.or_(Affiliate.stripe_account_id == text, Affiliate.id.in_(made))
    space = written_out(" ")
    # as the index of their words says it, where the database has one
    words = Affiliate.code + space + Affiliate.name + space + Affiliate.email
    return words.icontains(text, autoescape=True)
