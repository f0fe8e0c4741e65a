"""What needs a person, and whether jobs and webhooks are well: a handful of bounded questions to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.accounts import AccountStatus
from portal.domain.money import Money
from portal.domain.needs import Need
from portal.domain.payout_runs import Cover
from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.models import (
    Affiliate,
    Installation,
    JobSlot,
    MailState,
    OutboxMail,
    Payout,
    ReconciliationPass,
    VerificationRun,
    WebhookEvent,
)
from portal.models.base import Database, bounded_count, reading, written_out
from portal.services.affiliate_search import has_balance, is_stuck
from portal.services.payout_queue import needs_a_person
from portal.services.platform_balance import BalanceReading, last_reading
from portal.services.refused_accounts import RefusedAccounts, refused_accounts
from portal.services.run_records import RunRecord, RunRecords
from portal.services.shared_banks import is_bank_shared
from portal.services.webhook_health import WebhookFacts, WebhookHealth

#: Mail that could not be delivered, and a payout that Stripe refused, are news for so long.
QUIET_DAYS = 7

#: The nightly verification is due every 24 hours; two more are for its own length and a worker that was restarted.
NIGHTLY_HOURS = 26

#: A minute is usual; mail that waits for so long says that the server is away, or that no worker runs.
MAIL_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Waiting:
    """Payouts of one status and currency: how many, how much in all."""

    status: PayoutStatus
    count: int
    total: Money
    is_by_hand: bool = False
    """Whether an operator pays them, not a run."""


@dataclass(frozen=True)
class Health:
    """When Stripe and the timetable last gave a sign; None: never."""

    webhooks: WebhookFacts
    last_run: VerificationRun | None
    nightly_at: datetime | None
    is_nightly_missed: bool
    events_missed: int
    """That no webhook had brought when a backfill found them, of the last day."""
    mails_late: int
    """That still wait an hour after they were written."""
    mails_parked: int
    """That could not be delivered, of the time that is looked at."""


@dataclass(frozen=True)
class OverviewFacts:
    """The whole page. Counts are bounded; times are UTC."""

    at: datetime
    open_payouts: Sequence[Waiting]
    oldest_request_at: datetime | None
    parked_payouts: int
    failed_payouts: int
    """That Stripe refused for good, of the time that is looked at."""
    stuck: int
    restricted_with_balance: int
    blocked: int
    shared_banks: int
    """Affiliates whose bank account others have too, which nobody has accepted."""
    differences: int
    """That the last comparison of the books with Stripe left open."""
    refused_accounts: Sequence[RefusedAccounts]
    halted_at: datetime | None
    halt_reason: str | None
    balance: BalanceReading | None
    """The platform's balance at Stripe as it was last read; nobody waits for Stripe here."""
    last_payout_run: RunRecord | None
    health: Health

    @property
    def covers(self) -> list[Cover]:
        """What goes out with the next run against what the platform has, by currency; none before the first look."""
        approved = [each.total for each in self.of(PayoutStatus.approved)]
        return self.balance.against(approved) if self.balance is not None else []

    def of(self, status: PayoutStatus | Need) -> list[Waiting]:
        """The open payouts of one status, by currency; without what is paid by hand."""
        return [each for each in self.open_payouts if each.status == status.value and not each.is_by_hand]

    @property
    def by_hand(self) -> list[Waiting]:
        """What is approved and waits for an operator to pay it to a wallet, by currency."""
        return [each for each in self.open_payouts if each.is_by_hand]

    def count(self, status: PayoutStatus) -> int:
        """How many payouts of one status there are."""
        return sum(each.count for each in self.of(status))

    @property
    def needs(self) -> Mapping[Need, int]:
        """How many of each there are; a yes or no is 1 or 0."""
        health = self.health
        return {
            Need.halted: int(self.halted_at is not None),
            Need.payout_run: int(self.last_payout_run is not None and self.last_payout_run.is_alarming),
            Need.webhooks: int(health.webhooks.needs_a_person),
            Need.requested: self.count(PayoutStatus.requested),
            Need.by_hand: sum(each.count for each in self.by_hand),
            Need.held: self.count(PayoutStatus.held),
            Need.processing: self.count(PayoutStatus.processing),
            Need.parked_payouts: self.parked_payouts,
            Need.failed: self.failed_payouts,
            Need.parked: health.webhooks.parked,
            Need.differences: self.differences,
            Need.stuck: self.stuck,
            Need.restricted: self.restricted_with_balance,
            Need.blocked: self.blocked,
            Need.shared_banks: self.shared_banks,
            Need.refused_accounts: sum(len(each.affiliates) for each in self.refused_accounts),
            Need.short: sum(cover.short_by is not None for cover in self.covers),
            Need.nightly: int(health.is_nightly_missed),
            Need.mail: health.mails_parked,
        }

    @property
    def is_quiet(self) -> bool:
        """Whether nothing needs a person."""
        return not any(self.needs.values())


class Overview:
    """Asks what operators see first."""

    def __init__(
        self, database: Database, *, clock: Clock, webhook_health: WebhookHealth, records: RunRecords
    ) -> None:
        self._database = database
        self._clock = clock
        self._webhook_health = webhook_health
        self._records = records

    @reading
    def get(self) -> OverviewFacts:
        """The facts of this moment, in one look."""
        return self.within()

    def within(self) -> OverviewFacts:
        """The same, in the unit of work that is open."""
        now = self._clock.now()
        installation = self._database.scalars(sa.select(Installation)).one()
        requested = sa.select(Payout.created_at).where(Payout.status == PayoutStatus.requested)
        restricted = Affiliate.stripe_account_status == AccountStatus.restricted
        return OverviewFacts(
            at=now,
            open_payouts=self._open_payouts(),
            oldest_request_at=self._database.scalar(requested.order_by(Payout.number).limit(1)),
            parked_payouts=self._count(sa.select(Payout.id).where(needs_a_person())),
            failed_payouts=self._count(
                sa.select(Payout.id).where(
                    Payout.status == written_out(PayoutStatus.failed),
                    Payout.ended_at >= now - timedelta(days=QUIET_DAYS),
                )
            ),
            stuck=self._count(sa.select(Affiliate.id).where(is_stuck(now))),
            restricted_with_balance=self._count(sa.select(Affiliate.id).where(restricted, has_balance())),
            blocked=self._count(sa.select(Affiliate.id).where(Affiliate.is_blocked)),
            shared_banks=self._count(sa.select(Affiliate.id).where(is_bank_shared())),
            differences=len(self._last_differences()),
            refused_accounts=refused_accounts(self._database, now),
            halted_at=installation.halted_at,
            halt_reason=installation.halt_reason,
            balance=last_reading(installation),
            last_payout_run=next(iter(self._records.newest_within(limit=1)), None),
            health=self._health(now, installation.created_at),
        )

    def _open_payouts(self) -> list[Waiting]:
        statuses = (
            PayoutStatus.requested,
            PayoutStatus.approved,
            PayoutStatus.held,
            PayoutStatus.processing,
        )
        # what is approved for a wallet is sent by nobody but a person
        by_hand = sa.and_(Payout.status == PayoutStatus.approved, Payout.method == PayoutMethod.crypto).label(
            "is_by_hand"
        )
        rows = self._database.execute(
            sa.select(Payout.status, Payout.currency, by_hand, sa.func.count(), sa.func.sum(Payout.amount))
            .where(Payout.status.in_(statuses))
            .group_by(Payout.status, Payout.currency, "is_by_hand")
            .order_by(Payout.currency)
        )
        # PostgreSQL sums bigints to a Decimal
        return [
            Waiting(status, count, Money(int(total), currency), is_by_hand=bool(is_by_hand))
            for status, currency, is_by_hand, count, total in rows
        ]

    def _count(self, query: sa.Select[Any]) -> int:
        return bounded_count(self._database, query)

    def _last_differences(self) -> Sequence[object]:
        passes = sa.select(ReconciliationPass.differences).order_by(ReconciliationPass.started_at.desc())
        return self._database.scalar(passes.limit(1)) or []

    def _health(self, now: datetime, begun_at: datetime) -> Health:
        nightly_at = self._database.scalar(
            sa.select(sa.func.max(JobSlot.slot_at)).where(
                JobSlot.job == "verify-stripe-accounts", JobSlot.finished_at.is_not(None)
            )
        )
        last_run = self._database.scalar(
            sa.select(VerificationRun).order_by(VerificationRun.started_at.desc()).limit(1)
        )
        return Health(
            webhooks=self._webhook_health.within(),
            last_run=last_run,
            nightly_at=nightly_at,
            is_nightly_missed=now - (nightly_at or begun_at) > timedelta(hours=NIGHTLY_HOURS),
            events_missed=self._count(
                sa.select(WebhookEvent.id).where(
                    WebhookEvent.is_backfilled,
                    WebhookEvent.received_at >= self._clock.real_now() - timedelta(days=1),
                )
            ),
            mails_late=self._mails(MailState.waiting, OutboxMail.created_at < now - MAIL_WITHIN),
            mails_parked=self._mails(
                MailState.parked, OutboxMail.created_at >= now - timedelta(days=QUIET_DAYS)
            ),
        )

    def _mails(self, state: MailState, when: sa.ColumnElement[bool]) -> int:
        return self._count(sa.select(OutboxMail.id).where(OutboxMail.state == state, when))
