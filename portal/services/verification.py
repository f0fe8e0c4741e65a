"""The nightly pass over every account: a verified one can lose its payouts without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.gateways.stripe import StripeKeyRefusedError, StripeProblemError
from portal.models import Affiliate, VerificationRun, WebhookEvent
from portal.models.base import Database, new_id, reading, writing
from portal.services.accounts import Accounts, Recorded
from portal.services.journal import Cause

log = structlog.get_logger(__name__)

BATCH = 100


@dataclass(frozen=True)
class _Account:
    """One account to ask about."""

    affiliate_id: UUID
    account_id: str


class Verification:
    """Runs of `verify-stripe-accounts`."""

    def __init__(self, database: Database, *, clock: Clock, accounts: Accounts) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts

    def run(
        self, *, trigger: str, stale_hours: int | None = None, run_id: UUID | None = None
    ) -> VerificationRun:
        """Ask Stripe for every account (or those not asked for in so many hours) and write down what it says. A run
        that was interrupted goes on where it stopped when given its id. Raises StripeKeyRefusedError."""
        run = self._begin(run_id or new_id(), trigger, stale_hours)
        while batch := self._batch(run):
            for account in batch:
                run = self._count(run.id, account, self._ask(account, run))
        return self._finish(run.id)

    def _ask(self, account: _Account, run: VerificationRun) -> tuple[Recorded | None, bool]:
        """What was written down, None if Stripe gave no answer; and whether an event had announced the change."""
        announced = self._is_announced(account)
        cause = Cause.system(f"verify-stripe-accounts {run.id}")
        try:
            return self._accounts.look(account.affiliate_id, account.account_id, cause=cause), announced
        except StripeKeyRefusedError:
            raise
        except StripeProblemError as problem:
            log.warning("account.not_reached", account=account.account_id, problem=str(problem))
            return None, announced

    @writing
    def _begin(self, run_id: UUID, trigger: str, stale_hours: int | None) -> VerificationRun:
        run = self._database.get(VerificationRun, run_id)
        if run is None:
            run = VerificationRun(
                id=run_id,
                trigger=trigger,
                stale_hours=stale_hours,
                started_at=self._clock.now(),
                checked=0,
                changed=0,
                unchanged=0,
                errors=0,
                webhooks_missed=0,
            )
            self._database.add(run)
        return run

    @reading
    def _batch(self, run: VerificationRun) -> list[_Account]:
        query = sa.select(Affiliate.id, Affiliate.stripe_account_id).where(
            Affiliate.stripe_account_id.is_not(None)
        )
        if run.last_affiliate_id is not None:
            query = query.where(Affiliate.id > run.last_affiliate_id)
        if run.stale_hours is not None:
            # staleness is a matter of business: rehearsed with the business clock, against the moment of asking
            before = self._clock.now() - timedelta(hours=run.stale_hours)
            query = query.where(
                sa.or_(Affiliate.stripe_checked_at.is_(None), Affiliate.stripe_checked_at <= before)
            )
        rows = self._database.execute(query.order_by(Affiliate.id).limit(BATCH))
        return [_Account(affiliate_id, account_id) for affiliate_id, account_id in rows if account_id]

    @reading
    def _is_announced(self, account: _Account) -> bool:
        """Whether an event about the account has come in since it was last asked for."""
        checked_at = self._database.scalar(
            sa.select(Affiliate.stripe_checked_at).where(Affiliate.id == account.affiliate_id)
        )
        query = sa.select(WebhookEvent.id).where(
            sa.or_(
                WebhookEvent.account_id == account.account_id, WebhookEvent.object_id == account.account_id
            )
        )
        if checked_at is not None:
            query = query.where(WebhookEvent.received_at >= checked_at)
        return self._database.scalar(query.limit(1)) is not None

    @writing
    def _count(
        self, run_id: UUID, account: _Account, result: tuple[Recorded | None, bool]
    ) -> VerificationRun:
        recorded, is_announced = result
        run = self._database.get_one(VerificationRun, run_id)
        run.last_affiliate_id = account.affiliate_id
        if recorded is None:
            run.errors += 1
            return run
        run.checked += 1
        if recorded.is_standing_changed:
            run.changed += 1
            run.webhooks_missed += 0 if is_announced else 1
        else:
            run.unchanged += 1
        return run

    @writing
    def _finish(self, run_id: UUID) -> VerificationRun:
        run = self._database.get_one(VerificationRun, run_id)
        run.finished_at = self._clock.now()
        log.info("verification.finished", checked=run.checked, changed=run.changed, errors=run.errors)
        return run
