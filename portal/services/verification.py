"""The nightly pass over every account: a verified one can lose its payouts without a word.

Stripe lists a hundred accounts in one answer, each as complete as when it is retrieved. What it does not say is that
the list is whole: whatever account of ours it did not show is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountFacts
from portal.gateways.stripe import (
    MOST_UNHEARD,
    StripeGateway,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
    StripeUnavailableError,
)
from portal.models import Affiliate, VerificationRun, WebhookEvent
from portal.models.base import Database, new_id, reading, writing
from portal.services.accounts import Accounts, Standings
from portal.services.findings import Look, count, is_left
from portal.services.journal import Cause
from portal.services.platform import Platform

log = structlog.get_logger(__name__)

BATCH = 100

#: So few are asked for one by one, whatever a list would save.
WORTH_A_LIST = 10

#: A platform may have many accounts that are not ours: the list is left when it has had more pages than it showed
#: accounts of ours, and a tenth of ours besides. A run never takes more calls than that tenth above one for each.
SPARE_SHARE = 10


@dataclass(frozen=True)
class _Account:
    """One account to ask about."""

    affiliate_id: UUID
    account_id: str


class Verification:
    """Runs of `verify-stripe-accounts`."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        accounts: Accounts,
        standings: Standings,
        platform: Platform,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._accounts = accounts
        self._standings = standings
        self._platform = platform

    def run(
        self, *, trigger: str, stale_hours: int | None = None, run_id: UUID | None = None
    ) -> VerificationRun:
        """Ask Stripe for every account (or those not asked for in so many hours) and write down what it says. A run
        that was interrupted goes on where it stopped when given its id. While Stripe is away nobody is asked for in
        vain: the rest counts as errors. Raises StripeKeyRefusedError."""
        run = self._begin(run_id or new_id(), trigger, stale_hours)
        if not run.is_listed:
            self._list(run)
            run = self._end_list(run.id)
        unheard = 0
        while unheard < MOST_UNHEARD and (batch := self._batch(run)):
            for account in batch:
                try:
                    look, unheard = self._ask(account, run), 0
                except StripeUnavailableError as problem:
                    log.warning("account.not_reached", account=account.account_id, problem=str(problem))
                    look, unheard = Look(None, is_answered=False), unheard + 1
                run = self._count(run.id, account, look, is_by_itself=True)
                if unheard == MOST_UNHEARD:
                    break
        return self._finish(run.id, unasked=self._left(run) if unheard == MOST_UNHEARD else 0)

    def make_up(self, *, run_id: UUID) -> VerificationRun | None:
        """Ask for those whom the newest run did not reach, because Stripe was away; None if there are none."""
        return self.run(trigger="timetable", stale_hours=24, run_id=run_id) if self._unreached() else None

    @reading
    def _unreached(self) -> int:
        finished = sa.select(VerificationRun.unreached).where(VerificationRun.finished_at.is_not(None))
        return self._database.scalar(finished.order_by(VerificationRun.started_at.desc()).limit(1)) or 0

    def _list(self, run: VerificationRun) -> None:
        """Page after page of Stripe's list, for as long as that is fewer calls than one for each account."""
        left, found, pages, after = self._left(run), 0, 0, run.listed_until
        if left <= WORTH_A_LIST:
            return
        while found < left and pages <= found + left // SPARE_SHARE:
            asked_at = self._clock.real_now()
            try:
                page = self._stripe.accounts_after(after)
            except StripeKeyRefusedError:
                raise
            except StripeProblemError as problem:
                log.warning("accounts.not_listed", problem=str(problem))
                return
            found, pages = found + self._take_page(run, page.accounts, asked_at), pages + 1
            self._turn_page(run.id, page.next_after)
            if page.next_after is None:
                return
            after = page.next_after

    def _take_page(self, run: VerificationRun, shown: Sequence[AccountFacts], asked_at: datetime) -> int:
        """Write down what a page says of ours; how many it showed. What has changed is written like any other look."""
        facts = {each.account_id: each for each in shown}
        changed = self._changed(run, facts)
        cause = Cause.system(f"verify-stripe-accounts {run.id}")
        for account in changed:
            is_announced = self._is_announced(account)
            recorded = self._accounts.record(
                account.affiliate_id, facts.pop(account.account_id), asked_at=asked_at, cause=cause
            )
            self._count(run.id, account, Look(recorded, is_announced), is_by_itself=False)
        found = len(changed) + self._keep(run, facts, asked_at)
        if found:
            self._platform.remember()
        return found

    def _ask(self, account: _Account, run: VerificationRun) -> Look:
        """Raises StripeUnavailableError."""
        is_announced = self._is_announced(account)
        cause = Cause.system(f"verify-stripe-accounts {run.id}")
        try:
            recorded = self._accounts.look(account.affiliate_id, account.account_id, cause=cause)
        except StripeRefusedError as problem:
            log.warning("account.not_shown", account=account.account_id, problem=str(problem))
            return Look(None)
        return Look(recorded, is_announced)

    @writing
    def _begin(self, run_id: UUID, trigger: str, stale_hours: int | None) -> VerificationRun:
        run = self._database.get(VerificationRun, run_id)
        if run is None:
            run = VerificationRun(
                id=run_id,
                trigger=trigger,
                stale_hours=stale_hours,
                started_at=self._clock.now(),
            )
            self._database.add(run)
        return run

    @reading
    def _left(self, run: VerificationRun) -> int:
        count = sa.select(sa.func.count()).select_from(Affiliate).where(is_left(run, self._clock.now()))
        return self._database.scalars(count).one()

    @reading
    def _batch(self, run: VerificationRun) -> list[_Account]:
        query = sa.select(Affiliate.id, Affiliate.stripe_account_id).where(is_left(run, self._clock.now()))
        rows = self._database.execute(query.order_by(Affiliate.id).limit(BATCH))
        return [_Account(affiliate_id, account_id) for affiliate_id, account_id in rows if account_id]

    @reading
    def _changed(self, run: VerificationRun, facts: Mapping[str, AccountFacts]) -> list[_Account]:
        """Those of ours on a page of which it says something new."""
        return [
            _Account(affiliate.id, account_id)
            for affiliate, account_id in self._of_ours(run, facts)
            if not self._standings.says_nothing_new(affiliate, facts[account_id])
        ]

    @writing
    def _keep(self, run: VerificationRun, facts: Mapping[str, AccountFacts], asked_at: datetime) -> int:
        """Note that a page said nothing new of the others; of whom it does by now, they are asked by themselves."""
        ids = [
            affiliate.id
            for affiliate, account_id in self._of_ours(run, facts, for_update=True)
            if self._standings.says_nothing_new(affiliate, facts[account_id])
        ]
        checked_at = Affiliate.stripe_checked_at
        self._database.execute(
            sa.update(Affiliate)
            .where(Affiliate.id.in_(ids))
            .values(
                verification_run_id=run.id,
                stripe_checked_at=sa.case((checked_at > asked_at, checked_at), else_=asked_at),
            )
            .execution_options(synchronize_session=False)
        )
        row = self._database.get_one(VerificationRun, run.id)
        row.checked += len(ids)
        row.unchanged += len(ids)
        return len(ids)

    def _of_ours(
        self, run: VerificationRun, facts: Mapping[str, AccountFacts], *, for_update: bool = False
    ) -> list[tuple[Affiliate, str]]:
        query = sa.select(Affiliate).where(
            Affiliate.stripe_account_id.in_(list(facts)), is_left(run, self._clock.now())
        )
        if for_update:
            query = query.with_for_update(key_share=True)
        rows = self._database.scalars(query.order_by(Affiliate.id))
        return [(row, row.stripe_account_id) for row in rows if row.stripe_account_id]

    @reading
    def _is_announced(self, account: _Account) -> bool:
        """Whether an event about the account has come in since it was last asked for."""
        checked_at = self._database.scalar(
            sa.select(Affiliate.stripe_checked_at).where(Affiliate.id == account.affiliate_id)
        )
        query = sa.select(WebhookEvent.id).where(
            sa.or_(
                WebhookEvent.account_id == account.account_id, WebhookEvent.object_id == account.account_id
            ),
            ~WebhookEvent.is_backfilled,
        )
        if checked_at is not None:
            query = query.where(WebhookEvent.received_at >= checked_at)
        return self._database.scalar(query.limit(1)) is not None

    @writing
    def _count(self, run_id: UUID, account: _Account, look: Look, *, is_by_itself: bool) -> VerificationRun:
        run = self._database.get_one(VerificationRun, run_id)
        if is_by_itself:
            run.last_affiliate_id = account.affiliate_id
        count(self._database, run, self._database.get_one(Affiliate, account.affiliate_id), look)
        return run

    @writing
    def _turn_page(self, run_id: UUID, after: str | None) -> None:
        self._database.get_one(VerificationRun, run_id).listed_until = after

    @writing
    def _end_list(self, run_id: UUID) -> VerificationRun:
        run = self._database.get_one(VerificationRun, run_id)
        run.is_listed = True
        return run

    @writing
    def _finish(self, run_id: UUID, *, unasked: int) -> VerificationRun:
        run = self._database.get_one(VerificationRun, run_id)
        run.errors += unasked
        run.unreached += unasked
        run.finished_at = self._clock.now()
        log.info("verification.finished", checked=run.checked, changed=run.changed, errors=run.errors)
        return run
