"""Real processes that are killed or told to stop in the middle: what they began is finished by the next, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.config import PROJECT_ROOT
from portal.jobs.queue import WORKER_PROCESSES
from portal.models import WebhookEvent
from tests.conftest import TEST_SETTINGS
from tests.databases import free_port
from tests.services.programme import Programme
from tests.serving import served

#: Far longer than anything here takes.
DEADLINE_SECONDS = 40.0

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(programme: Programme, stand_in: Flask, database_url: str) -> Iterator[Start]:
    """Starts one of the portal's commands as a process of its own, which speaks to the stand-in over the network."""
    processes: list[subprocess.Popen[bytes]] = []
    with served(stand_in, port=free_port()) as address:
        environment = {
            **os.environ,
            **TEST_SETTINGS,
            "DATABASE_URL": database_url,
            "STRIPE_API_BASE": address,
        }

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
            processes.append(
                subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, start_new_session=True)
            )
            return processes[-1]

        try:
            yield start
        finally:
            for process in processes:
                with suppress(ProcessLookupError):  # what it started may outlive it
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(DEADLINE_SECONDS)


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS} s: {what}"
        time.sleep(0.02)


def test_a_run_killed_while_stripe_answers_pays_once(programme: Programme, start: Start) -> None:
    payouts = [programme.approved() for _ in range(2)]
    programme.stripe.fault("slow", seconds=3)
    run = start("process-payouts")
    wait_until(lambda: programme.stripe.requests("POST", "/v1/transfers"), "the transfer was asked for")
    run.kill()
    assert run.wait(DEADLINE_SECONDS) == -signal.SIGKILL
    assert {programme.payout(payout_id).status.value for payout_id in payouts} == {"processing", "approved"}
    wait_until(programme.stripe.transfers, "the transfer landed all the same")
    # the lease of a process that is gone holds nobody up
    assert start("process-payouts").wait(DEADLINE_SECONDS) == 0
    assert {programme.payout(payout_id).status.value for payout_id in payouts} == {"paid"}
    assert len(programme.stripe.transfers()) == 2


def test_a_worker_works_until_it_is_told_to_stop(programme: Programme, start: Start) -> None:
    event = {"id": "evt_1", "object": "event", "type": "balance.available", "livemode": False}
    programme.receive(event)
    worker = start("worker")

    def states() -> set[str]:
        return {row.state.value for row in programme.rows(sa.select(WebhookEvent.__table__))}

    wait_until(lambda: states() == {"ignored"}, "what was missed while none ran is done first")
    programme.receive(event | {"id": "evt_2"})
    programme.app.extensions["portal_jobs"].look_at_events()
    wait_until(lambda: states() == {"ignored"}, "an announced event is worked on")
    vars(programme.app.extensions["portal_jobs"])["_huey"].storage.close()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_SECONDS) == 0


def test_whoever_kills_the_worker_leaves_none_of_its_processes_at_work(start: Start) -> None:
    worker = start("worker")
    wait_until(lambda: len(children(worker.pid)) >= WORKER_PROCESSES, "the worker has started its processes")
    left = children(worker.pid)
    worker.kill()
    assert worker.wait(DEADLINE_SECONDS) == -signal.SIGKILL
    wait_until(lambda: not any(map(is_at_work, left)), "its processes have gone too")


def children(pid: int) -> list[int]:
    """https://man7.org/linux/man-pages/man5/proc_pid_task.5.html"""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_at_work(pid: int) -> bool:
    """Whether a process lives, or was at least noticed by nobody since it died."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
