"""What is due when: each slot of a job is taken by exactly one worker, and a missed one is taken late, once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from huey import crontab

from portal.clock import Clock
from portal.models import Installation, JobSlot
from portal.models.base import Database, new_id, reading, writing
from portal.services.heartbeats import Heartbeats

#: A slot that was missed longer ago than this is not made up for.
LOOK_BACK = timedelta(days=32)

#: How far ahead the next slot is looked for; a crontab that names none within is as good as none.
LOOK_AHEAD = timedelta(days=366)

#: A job of which nothing was heard for this long is taken up by another worker; every job may be done twice.
LEFT_BEHIND_AFTER = timedelta(hours=1)

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Slot:
    """One run of a job that is due; `run_id` names what it does."""

    job: str
    slot_at: datetime
    run_id: UUID


class Timetable:
    """Jobs with their crontabs (UTC, five fields), and the rows that say which slots were taken."""

    def __init__(
        self, database: Database, *, clock: Clock, crontabs: Mapping[str, str], heartbeats: Heartbeats
    ) -> None:
        self._database = database
        self._clock = clock
        self._crontabs = crontabs
        self._heartbeats = heartbeats

    def take_due(self, *, only: str | None = None) -> list[Slot]:
        """Take the latest slot of every job (or of one) that is due and that nobody took, and those that somebody
        took and never finished; several missed ones count as one."""
        due = [(job, slot_at) for job, slot_at in self._due() if only in {None, job}]
        slots = [self._take(job, slot_at) for job, slot_at in due]
        return [slot for slot in slots if slot is not None]

    @reading
    def _due(self) -> list[tuple[str, datetime]]:
        begun_at = self._database.scalars(sa.select(Installation.created_at)).one()
        due: list[tuple[str, datetime]] = []
        for job, fields in self._crontabs.items():
            newest = self._database.scalar(
                sa.select(JobSlot).where(JobSlot.job == job).order_by(JobSlot.slot_at.desc()).limit(1)
            )
            after = newest.slot_at if newest else begun_at
            slot_at = latest_slot(fields, now=self._clock.now(), after=after)
            if slot_at is None and newest is not None and self._is_left_behind(newest):
                slot_at = newest.slot_at  # a later one would make up for it
            if slot_at is not None:
                due.append((job, slot_at))
        return due

    def _is_left_behind(self, slot: JobSlot) -> bool:
        """Whether nothing was heard for so long of whoever took it that they must have died."""
        heard_at = slot.alive_at or slot.started_at
        return slot.finished_at is None and heard_at <= self._clock.now() - LEFT_BEHIND_AFTER

    @writing
    def _take(self, job: str, slot_at: datetime) -> Slot | None:
        now = self._clock.now()
        taken = self._database.get(JobSlot, (job, slot_at), with_for_update=True)
        if taken is not None:
            if not self._is_left_behind(taken):
                return None
            taken.started_at = taken.alive_at = now  # goes on under the same run_id
            return Slot(job, slot_at, taken.run_id)
        slot = JobSlot(job=job, slot_at=slot_at, run_id=new_id(), started_at=now)
        self._database.add(slot)
        self._database.flush()
        return Slot(job, slot_at, slot.run_id)

    def kept(self, slot: Slot) -> AbstractContextManager[None]:
        """While a taken slot's job is done within, nobody else takes it, however long it lasts."""
        return self._heartbeats.beating(lambda: self.renew(slot))

    @writing
    def renew(self, slot: Slot) -> None:
        """Note that a taken slot's job is still being done."""
        self._database.get_one(JobSlot, (slot.job, slot.slot_at)).alive_at = self._clock.now()

    @writing
    def finish(self, slot: Slot, tally: Mapping[str, Any]) -> None:
        """Note what a taken slot's job did."""
        row = self._database.get_one(JobSlot, (slot.job, slot.slot_at))
        row.finished_at = self._clock.now()
        row.tally = dict(tally)


def latest_slot(fields: str, *, now: datetime, after: datetime) -> datetime | None:
    """The newest minute up to `now`, later than `after`, that a crontab names; UTC."""
    minute, hour, day, month, weekday = fields.split()
    matches = crontab(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday)
    moment = now.replace(second=0, microsecond=0)
    earliest = max(after, now - LOOK_BACK)
    while moment > earliest:
        if matches(moment):
            return moment
        moment -= _MINUTE
    return None


def next_slot(fields: str, *, after: datetime) -> datetime | None:
    """The first minute later than `after` that a crontab names; UTC."""
    minute, hour, day, month, weekday = fields.split()
    is_on_day = crontab(day=day, month=month, day_of_week=weekday)
    is_in_hour = crontab(hour=hour)
    is_at_minute = crontab(minute=minute)
    moment = after.replace(second=0, microsecond=0) + _MINUTE
    while moment <= after + LOOK_AHEAD:
        if not is_on_day(moment):
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
        elif not is_in_hour(moment):
            moment = moment.replace(minute=0) + timedelta(hours=1)
        elif not is_at_minute(moment):
            moment += _MINUTE
        else:
            return moment
    return None
