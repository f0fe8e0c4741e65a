"""What is due when: once for all workers, late once, never for a time before the portal was."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.jobs.work import everything_due
from portal.models import Installation, JobSlot, VerificationRun
from portal.services.timetable import Slot, latest_slot, next_slot
from tests.services.programme import Programme

VERIFICATION = "verify-stripe-accounts"
SENDING = "process-payouts"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(programme: Programme, job: str) -> list[Slot]:
    return [slot for slot in programme.services.timetable.take_due() if slot.job == job]


def finish(programme: Programme, taken: list[Slot]) -> None:
    for slot in taken:
        programme.services.timetable.finish(slot, {})


def tomorrow_at(programme: Programme, hour: int) -> datetime:
    day = programme.clock.now() + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def test_a_new_database_has_no_missed_slots(programme: Programme) -> None:
    # the tests' database may have been made before the last full hour
    programme.clock.set(programme.rows(sa.select(Installation.created_at))[0][0])
    assert programme.services.timetable.take_due() == []
    assert programme.rows(sa.select(JobSlot.__table__)) == []


def test_every_account_is_verified_at_two_in_the_morning_utc_once(programme: Programme) -> None:
    two = tomorrow_at(programme, 2)
    programme.clock.set(two - timedelta(days=1) + timedelta(days=1, seconds=-1))
    finish(programme, slots(programme, VERIFICATION))
    programme.clock.set(two)
    (slot,) = slots(programme, VERIFICATION)
    assert slot.slot_at == two
    finish(programme, [slot])
    for hours in (0, 1, 20):
        programme.clock.advance(hours=hours)
        assert slots(programme, VERIFICATION) == []


def test_a_missed_slot_is_taken_late_and_several_count_as_one(programme: Programme) -> None:
    programme.clock.set(tomorrow_at(programme, 2) + timedelta(days=3, hours=5))
    (slot,) = slots(programme, VERIFICATION)
    assert slot.slot_at == programme.clock.now() - timedelta(hours=5)
    assert slots(programme, VERIFICATION) == []


def test_two_workers_that_race_take_a_slot_once(programme: Programme) -> None:
    programme.clock.set(tomorrow_at(programme, 2))
    taken: list[Slot] = []
    ready = threading.Barrier(4)

    def take() -> None:
        with programme.app.app_context():
            ready.wait()
            taken.extend(programme.services.timetable.take_due())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    jobs = [slot.job for slot in taken]
    assert len(jobs) == len(set(jobs))
    assert {SENDING, VERIFICATION} <= set(jobs)


def test_a_slot_whose_worker_died_is_taken_up_again_under_its_id(programme: Programme) -> None:
    programme.clock.set(tomorrow_at(programme, 2))
    (first,) = slots(programme, VERIFICATION)
    programme.clock.advance(minutes=59)
    assert slots(programme, VERIFICATION) == []
    programme.clock.advance(minutes=1)
    (again,) = slots(programme, VERIFICATION)
    assert again == first
    finish(programme, [again])
    programme.clock.advance(hours=3)
    assert slots(programme, VERIFICATION) == []


def test_slots_that_keep_failing_do_not_pile_up(programme: Programme) -> None:
    """A run that raises each hour (a refused key, say) leaves its slot unfinished; the next hour's makes up for it."""
    for hour in range(4):
        programme.clock.set(
            tomorrow_at(programme, 3) if hour == 0 else programme.clock.now() + timedelta(hours=1)
        )
        assert len(slots(programme, SENDING)) == 1


@pytest.mark.settings(PORTAL_PAYOUT_RUN="30 9 * * 1")
def test_payouts_are_sent_when_the_setting_says(programme: Programme) -> None:
    programme.clock.set(tomorrow_at(programme, 0))
    finish(programme, programme.services.timetable.take_due())
    monday = programme.clock.now() + timedelta(days=(7 - programme.clock.now().weekday()) % 7 + 7)
    programme.clock.set(monday + timedelta(hours=9, minutes=29))
    finish(programme, programme.services.timetable.take_due())
    programme.clock.advance(minutes=1)
    assert [slot.slot_at for slot in slots(programme, SENDING)] == [monday + timedelta(hours=9, minutes=30)]


@pytest.mark.parametrize(
    ("fields", "now", "after", "slot"),
    [
        ("0 2 * * *", "2026-11-22 02:00:59", "2026-11-21 02:00", "2026-11-22 02:00"),
        ("0 2 * * *", "2026-11-22 01:59:59", "2026-11-21 02:00", None),
        ("0 2 * * *", "2026-11-22 02:00", "2026-11-22 02:00", None),
        ("0 0 1 * *", "2026-11-20 00:00", "2026-10-30 00:00", "2026-11-01 00:00"),
        ("0 0 1 * *", "2028-11-20 00:00", "2026-10-30 00:00", "2028-11-01 00:00"),
        # Europe changes its clocks at 01:00 UTC that night; UTC has each hour once
        ("30 1 * * *", "2026-10-25 01:31", "2026-10-25 01:30", None),
        ("0 0 29 2 *", "2028-03-01 00:00", "2028-02-20 00:00", "2028-02-29 00:00"),
    ],
)
def test_the_latest_slot(fields: str, now: str, after: str, slot: str | None) -> None:
    assert latest_slot(fields, now=at(now), after=at(after)) == (at(slot) if slot else None)


def test_the_nightly_run_has_the_id_of_its_slot(programme: Programme) -> None:
    programme.verified()
    programme.clock.set(tomorrow_at(programme, 2))
    assert everything_due(programme.services)
    ((job, run_id, tally),) = programme.rows(
        sa.select(JobSlot.job, JobSlot.run_id, JobSlot.tally).where(JobSlot.job == VERIFICATION)
    )
    (run,) = programme.rows(sa.select(VerificationRun.__table__))
    assert (job, run.id, run.trigger) == (VERIFICATION, run_id, "timetable")
    assert tally["checked"] == run.checked == 1


@pytest.mark.parametrize(
    ("fields", "after", "slot_at"),
    [
        ("0 * * * *", "2031-11-28T09:30", "2031-11-28T10:00"),
        ("0 * * * *", "2031-11-28T10:00", "2031-11-28T11:00"),
        ("* * * * *", "2031-11-28T09:30", "2031-11-28T09:31"),
        ("15 */6 * * *", "2031-11-28T18:15", "2031-11-29T00:15"),
        ("0 0 1 * *", "2031-11-28T09:30", "2031-12-01T00:00"),
        ("0 0 31 * *", "2031-11-30T09:30", "2031-12-31T00:00"),
        ("0 0 * * 1", "2031-12-01T00:00", "2031-12-08T00:00"),
        ("59 23 31 12 *", "2031-12-31T23:59", "2032-12-31T23:59"),
        ("0 0 30 2 *", "2031-11-28T09:30", None),
    ],
)
def test_the_next_slot_is_the_first_minute_after_that_the_crontab_names(
    fields: str, after: str, slot_at: str | None
) -> None:
    assert next_slot(fields, after=at(after)) == (slot_at and at(slot_at))
