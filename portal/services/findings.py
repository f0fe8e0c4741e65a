"""What a verification found of whom: each account's part of its run's tally, and how far a run is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.models import Affiliate, FindingKind, JobSlot, VerificationFinding, VerificationRun
from portal.models.base import Database, reading
from portal.services.accounts import Recorded
from portal.services.timetable import LEFT_BEHIND_AFTER

#: The jobs that do runs, as the timetable's slots name them: every night, for whom that did not reach, and on request.
NIGHTLY, MAKE_UP, REQUESTED = "verify-stripe-accounts", "verify-unreached", "requested-verification"


@dataclass(frozen=True)
class Look:
    """One account that a run asked about; `recorded` is None where Stripe did not show it."""

    recorded: Recorded | None
    is_announced: bool = False
    """Whether an event had come in about it since it was last asked for."""
    is_answered: bool = True


@dataclass(frozen=True)
class Finding:
    """A finding with the affiliate's code."""

    row: VerificationFinding
    affiliate_code: str


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    done: int
    """Accounts that it is through with, answered or not."""
    left: int
    """Accounts that it has still to ask about; 0 once it is over."""
    is_left_behind: bool
    """Whether nothing was heard of whoever does it for so long that they must have died."""


class Findings:
    """Reads what runs found and how far they are."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @reading
    def of(self, run_id: UUID, *, after: int | None = None, limit: int = 50) -> list[Finding]:
        """What a run found, in the order in which it did."""
        query = (
            sa.select(VerificationFinding, Affiliate.code)
            .join(Affiliate, Affiliate.id == VerificationFinding.affiliate_id)
            .where(VerificationFinding.run_id == run_id, VerificationFinding.id > (after or 0))
        )
        rows = self._database.execute(query.order_by(VerificationFinding.id).limit(limit))
        return [Finding(row, code) for row, code in rows]

    @reading
    def progress(self, run: VerificationRun) -> Progress:
        """How far a run is at this moment."""
        done = run.checked + run.errors
        if run.finished_at is not None:
            return Progress(done, left=0, is_left_behind=False)
        now = self._clock.now()
        left = sa.select(sa.func.count()).select_from(Affiliate).where(is_left(run, now))
        signs = sa.select(sa.func.max(sa.func.coalesce(JobSlot.alive_at, JobSlot.started_at))).where(
            JobSlot.job.in_([NIGHTLY, MAKE_UP, REQUESTED]), JobSlot.run_id == run.id
        )
        heard_at = self._database.scalar(signs) or run.started_at
        return Progress(
            done,
            left=self._database.scalars(left).one(),
            is_left_behind=heard_at <= now - LEFT_BEHIND_AFTER,
        )


def is_left(run: VerificationRun, now: datetime) -> sa.ColumnElement[bool]:
    """Of an affiliate: whether the run has still to ask about their account."""
    wanted = [
        Affiliate.stripe_account_id.is_not(None),
        Affiliate.verification_run_id.is_distinct_from(run.id),
    ]
    if run.last_affiliate_id is not None:
        wanted.append(Affiliate.id > run.last_affiliate_id)
    if run.stale_hours is not None:
        # staleness is a matter of business: rehearsed with the business clock, against the moment of asking
        before = now - timedelta(hours=run.stale_hours)
        checked_at = Affiliate.stripe_checked_at
        wanted.append(sa.or_(checked_at.is_(None), checked_at <= before))
    return sa.and_(*wanted)


def count(database: Database, run: VerificationRun, affiliate: Affiliate, look: Look) -> None:
    """One account's part of the run's tally, and its finding if it is worth reading; within a unit of work."""
    affiliate.verification_run_id = run.id
    recorded = look.recorded
    if recorded is None:
        run.errors += 1
        run.unreached += not look.is_answered
        kind = FindingKind.not_shown if look.is_answered else FindingKind.no_answer
        database.add(VerificationFinding(run_id=run.id, affiliate_id=affiliate.id, kind=kind))
        return
    run.checked += 1
    if not recorded.is_standing_changed:
        run.unchanged += 1
        return
    run.changed += 1
    run.webhooks_missed += not look.is_announced
    detail_before, detail_after = recorded.details
    database.add(
        VerificationFinding(
            run_id=run.id,
            affiliate_id=affiliate.id,
            kind=FindingKind.changed,
            status_before=recorded.before,
            detail_before=detail_before,
            status_after=recorded.after,
            detail_after=detail_after,
            is_webhook_missed=not look.is_announced,
        )
    )
