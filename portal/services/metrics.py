"""How the portal is doing, in numbers for a monitoring system: counts and ages, nothing of single people."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.payouts import PayoutStatus
from portal.models import JobSlot, MailState, OutboxMail, Payout, VerificationRun
from portal.models.base import Database, bounded_count, reading
from portal.services.overview import Overview, OverviewFacts

#: A process asks the database at most this often, however often it is asked.
KEPT_FOR = timedelta(seconds=10)

#: Further than this nothing is counted.
MOST_COUNTED = 10_000

#: Of so many payouts, the newest, is said how they stand.
NEWEST_PAYOUTS = 1_000

#: A job that failed at its slot left this word in its tally; so many slots back one that went well is looked for.
_PROBLEM, _SLOTS_LOOKED_AT = "problem", 20


@dataclass(frozen=True)
class MetricsFacts:
    """The numbers of one moment; what was never is not in a mapping."""

    at: datetime
    overview: OverviewFacts
    """What the operators' first page says."""
    jobs_done_at: Mapping[str, datetime]
    """When each job of the timetable last finished well (business clock)."""
    open_payouts: Mapping[PayoutStatus, int]
    """Counted up to MOST_COUNTED."""
    newest_payouts: Mapping[PayoutStatus, int]
    """Of the newest NEWEST_PAYOUTS."""
    mails: Mapping[MailState, int]
    last_run: VerificationRun | None
    """The last verification that has finished (business clock)."""


class Metrics:
    """Keeps an answer for some seconds, so that scrapes cost the same whoever asks and how often."""

    def __init__(self, database: Database, *, clock: Clock, overview: Overview, jobs: Sequence[str]) -> None:
        self._database = database
        self._clock = clock
        self._overview = overview
        self._jobs = jobs
        self._lock = threading.Lock()
        self._kept: MetricsFacts | None = None

    def get(self) -> MetricsFacts:
        """The numbers, at most KEPT_FOR old."""
        with self._lock:
            if (
                self._kept is None
                or abs(self._clock.real_now() - self._kept.overview.health.webhooks.at) >= KEPT_FOR
            ):
                self._kept = self._read()
            return self._kept

    @reading
    def _read(self) -> MetricsFacts:
        done = {job: self._done_at(job) for job in self._jobs}
        return MetricsFacts(
            at=self._clock.now(),
            overview=self._overview.within(),
            jobs_done_at={job: at for job, at in done.items() if at is not None},
            open_payouts={status: self._open(status) for status in PayoutStatus if status.is_open},
            newest_payouts=self._newest(),
            mails={state: self._mails(state) for state in (MailState.waiting, MailState.parked)},
            last_run=self._database.scalar(
                sa.select(VerificationRun)
                .where(VerificationRun.finished_at.is_not(None))
                .order_by(VerificationRun.started_at.desc())
                .limit(1)
            ),
        )

    def _done_at(self, job: str) -> datetime | None:
        slots = self._database.scalars(
            sa.select(JobSlot)
            .where(JobSlot.job == job)
            .order_by(JobSlot.slot_at.desc())
            .limit(_SLOTS_LOOKED_AT)
        )
        well = [slot.finished_at for slot in slots if slot.finished_at and _PROBLEM not in (slot.tally or {})]
        return well[0] if well else None

    def _open(self, status: PayoutStatus) -> int:
        return bounded_count(
            self._database, sa.select(Payout.id).where(Payout.status == status), most=MOST_COUNTED
        )

    def _newest(self) -> dict[PayoutStatus, int]:
        newest = sa.select(Payout.status).order_by(Payout.id.desc()).limit(NEWEST_PAYOUTS).subquery()
        rows = self._database.execute(sa.select(newest.c.status, sa.func.count()).group_by(newest.c.status))
        return dict.fromkeys(PayoutStatus, 0) | dict(tuple(row) for row in rows)

    def _mails(self, state: MailState) -> int:
        return bounded_count(
            self._database, sa.select(OutboxMail.id).where(OutboxMail.state == state), most=MOST_COUNTED
        )
