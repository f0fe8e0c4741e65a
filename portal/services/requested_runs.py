"""Verification runs that somebody asked for: written down at once, done by the worker, each by exactly one."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.models import ActorKind, JobSlot, VerificationRun
from portal.models.base import Database, new_id, reading, writing
from portal.services.findings import REQUESTED
from portal.services.heartbeats import Heartbeats
from portal.services.journal import Cause, Journal
from portal.services.timetable import LEFT_BEHIND_AFTER
from portal.services.verification import Verification

log = structlog.get_logger(__name__)

#: Those who may ask; the names are stored as the run's trigger.
_TRIGGERS = {ActorKind.operator: "operator", ActorKind.machine: "machine"}


class RequestedRuns:
    """Runs of `verify-stripe-accounts` between the asking and the doing."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        journal: Journal,
        verification: Verification,
        heartbeats: Heartbeats,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._verification = verification
        self._heartbeats = heartbeats

    @writing
    def request(self, *, cause: Cause) -> VerificationRun:
        """A run for the worker to do; while an earlier one is not finished, that one. Nothing is asked of Stripe."""
        waiting = self._database.scalar(_unfinished().order_by(VerificationRun.started_at).limit(1))
        if waiting is not None:
            return waiting
        now = self._clock.now()
        run = VerificationRun(
            id=new_id(),
            trigger=_TRIGGERS[cause.actor],
            started_at=now,
        )
        self._database.add(run)
        self._journal.changed(
            "verification_run", run.id, action="verification.requested", before=None, after=run.trigger,
            cause=cause, at=now,
        )  # fmt: skip
        log.info("verification.requested", run=str(run.id), trigger=run.trigger)
        return run

    def do_waiting(self) -> int:
        """Do what was asked for and nobody has taken; how many runs. Raises StripeKeyRefusedError."""
        taken = self._take()
        for run_id, trigger in taken:
            with self._heartbeats.beating(partial(self.renew, run_id)):
                self._verification.run(trigger=trigger, run_id=run_id)
            self._finish(run_id)
        return len(taken)

    @reading
    def get(self, run_id: UUID) -> VerificationRun:
        """One run, whoever asked for it. Raises NotFound."""
        run = self._database.get(VerificationRun, run_id)
        if run is None:
            raise NotFound("There is no such verification run.")
        return run

    @reading
    def newest(self, *, limit: int = 50) -> list[VerificationRun]:
        """The latest runs, newest first."""
        query = sa.select(VerificationRun).order_by(VerificationRun.started_at.desc())
        return [*self._database.scalars(query.limit(limit))]

    @writing
    def _take(self) -> list[tuple[UUID, str]]:
        """The runs that this worker has to do; the slot's primary key lets exactly one worker have each."""
        now = self._clock.now()
        taken: list[tuple[UUID, str]] = []
        for run in self._database.scalars(_unfinished().order_by(VerificationRun.started_at)):
            slot = self._database.get(JobSlot, (REQUESTED, run.started_at), with_for_update=True)
            if slot is None:
                slot = JobSlot(job=REQUESTED, slot_at=run.started_at, run_id=run.id, started_at=now)
                self._database.add(slot)
            elif (slot.alive_at or slot.started_at) > now - LEFT_BEHIND_AFTER:
                continue
            slot.alive_at = now
            taken.append((run.id, run.trigger))
        self._database.flush()
        return taken

    @writing
    def renew(self, run_id: UUID) -> None:
        """Note that a taken run is still being done."""
        self._slot(run_id).alive_at = self._clock.now()

    @writing
    def _finish(self, run_id: UUID) -> None:
        self._slot(run_id).finished_at = self._clock.now()

    def _slot(self, run_id: UUID) -> JobSlot:
        query = sa.select(JobSlot).where(JobSlot.job == REQUESTED, JobSlot.run_id == run_id)
        return self._database.scalars(query).one()


def _unfinished() -> sa.Select[VerificationRun]:
    return sa.select(VerificationRun).where(
        VerificationRun.trigger.in_(list(_TRIGGERS.values())), VerificationRun.finished_at.is_(None)
    )
