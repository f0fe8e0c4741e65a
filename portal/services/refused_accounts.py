"""Accounts that Stripe refuses to make: what operators are told, by reason, until one is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.domain.account_refusals import AccountRefusal, account_refusal, instruction
from portal.domain.attempts import AttemptState
from portal.models import Affiliate, StripeAccount
from portal.models.base import Database

#: Who has not come back for so long does not wait for an account any more.
SHOWN_DAYS = 30

#: A page needs to know that there are many, not how many.
MOST_READ = 1_000


@dataclass(frozen=True)
class RefusedAffiliate:
    """Somebody for whom Stripe made no account."""

    id: UUID
    code: str
    country: str


@dataclass(frozen=True)
class RefusedAccounts:
    """Those whom Stripe refuses for one reason, the latest first; `said` are Stripe's words to the latest (UTC)."""

    refusal: AccountRefusal
    said: str
    refused_at: datetime
    affiliates: Sequence[RefusedAffiliate]

    @property
    def instruction(self) -> str:
        return instruction(self.refusal)

    @property
    def countries(self) -> list[str]:
        return sorted({affiliate.country for affiliate in self.affiliates})


def refused_accounts(database: Database, now: datetime) -> list[RefusedAccounts]:
    """Whom Stripe refused last and still refuses, as far as is known: a reason that meets every new account is over
    once one was made. For use inside a unit of work."""
    made_at = database.scalar(
        sa.select(sa.func.max(StripeAccount.created_at)).where(StripeAccount.state == AttemptState.succeeded)
    )
    found: dict[AccountRefusal, list[tuple[StripeAccount, Affiliate]]] = {}
    for row, affiliate in database.execute(_latest_refusals(now - timedelta(days=SHOWN_DAYS))):
        refusal = account_refusal(row.error_code, row.error_message or "")
        is_over = refusal.is_platform_wide and made_at is not None and made_at > row.created_at
        if not is_over:
            found.setdefault(refusal, []).append((row, affiliate))
    return [
        RefusedAccounts(
            refusal,
            said=rows[0][0].error_message or "",
            refused_at=rows[0][0].created_at,
            affiliates=[RefusedAffiliate(each.id, each.code, each.country) for _, each in rows],
        )
        for refusal, rows in found.items()
    ]


def _latest_refusals(since: datetime) -> sa.Select[StripeAccount, Affiliate]:
    later = aliased(StripeAccount)
    is_latest = ~sa.exists().where(
        later.affiliate_id == StripeAccount.affiliate_id, later.generation > StripeAccount.generation
    )
    return (
        sa.select(StripeAccount, Affiliate)
        .join(Affiliate, Affiliate.id == StripeAccount.affiliate_id)
        .where(
            StripeAccount.state == AttemptState.failed,
            StripeAccount.error_message.is_not(None),
            StripeAccount.created_at >= since,
            is_latest,
        )
        .order_by(StripeAccount.created_at.desc(), StripeAccount.id)
        .limit(MOST_READ)
    )
