"""Signs of life beside long work: given while it lasts, no longer, and whatever becomes of one of them."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from datetime import timedelta

import pytest

from portal.models import ActorKind
from portal.services.heartbeats import Heartbeats
from portal.services.journal import Cause
from tests.services.line import Killed, Line
from tests.services.programme import Programme

#: Far longer than anything here takes.
PATIENCE_SECONDS = 30.0

OFTEN = Heartbeats(nullcontext, every_seconds=0.001)


def some_morning(programme: Programme) -> None:
    """After the nightly run should have begun, and hours before the next one."""
    programme.clock.set((programme.clock.now() + timedelta(days=2)).replace(hour=3))


def beating_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_signs_are_given_while_the_work_goes_on_and_end_with_it() -> None:
    heard = threading.Semaphore(0)
    with OFTEN.beating(heard.release):
        assert all(heard.acquire(timeout=PATIENCE_SECONDS) for _ in range(3))
    assert beating_threads() == []


def test_one_that_fails_is_followed_by_another() -> None:
    failed, heard = threading.Event(), threading.Event()

    def beat() -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("the database is away")
        heard.set()

    with OFTEN.beating(beat):
        assert heard.wait(PATIENCE_SECONDS)


def test_work_that_raises_ends_them_too() -> None:
    with pytest.raises(ValueError, match="no"), OFTEN.beating(lambda: None):
        raise ValueError("no")
    assert beating_threads() == []


def test_a_slot_that_gives_signs_is_nobody_elses_however_long_it_lasts(programme: Programme) -> None:
    timetable = programme.services.timetable
    some_morning(programme)
    (slot,) = timetable.take_due(only="verify-stripe-accounts")
    for _ in range(4):
        programme.clock.advance(minutes=59)
        timetable.renew(slot)
        assert timetable.take_due(only=slot.job) == []
    programme.clock.advance(minutes=60)
    assert timetable.take_due(only=slot.job) == [slot]


def test_the_timetable_is_told_from_another_thread(programme: Programme) -> None:
    timetable = programme.services.timetable
    some_morning(programme)
    (slot,) = timetable.take_due(only="verify-stripe-accounts")
    programme.clock.advance(minutes=59)
    told = threading.Event()

    def renew() -> None:
        timetable.renew(slot)
        told.set()

    with Heartbeats(programme.app.app_context, every_seconds=0.001).beating(renew):
        assert told.wait(PATIENCE_SECONDS)
    programme.clock.advance(minutes=59)
    assert timetable.take_due(only=slot.job) == []


def test_a_run_that_was_asked_for_and_gives_signs_is_nobody_elses(programme: Programme, line: Line) -> None:
    account_id = programme.account_of(programme.verified())
    runs = programme.services.requested_runs
    run = runs.request(cause=Cause(ActorKind.machine, None, "request:1"))
    line.dies_before("GET", f"/v1/accounts/{account_id}")
    with pytest.raises(Killed):
        runs.do_waiting()
    for _ in range(3):
        programme.clock.advance(minutes=59)
        runs.renew(run.id)
        assert runs.do_waiting() == 0
    programme.clock.advance(minutes=60)
    assert runs.do_waiting() == 1
