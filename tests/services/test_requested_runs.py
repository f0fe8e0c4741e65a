"""Verification runs that somebody asked for: durable, done once, gone on with after a crash."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from portal.domain.errors import NotFound
from portal.gateways.stripe import StripeKeyRefusedError
from portal.models import ActorKind
from portal.models.base import new_id
from portal.services.journal import Cause
from tests.services.line import Killed, Line
from tests.services.programme import Programme

OPERATOR = Cause(ActorKind.operator, str(new_id()), "request:1")
MACHINE = Cause(ActorKind.machine, str(new_id()), "request:2")


def ask(programme: Programme, cause: Cause = OPERATOR) -> UUID:
    return programme.services.requested_runs.request(cause=cause).id


def test_asking_asks_stripe_nothing_and_is_written_down_with_who_asked(programme: Programme) -> None:
    programme.verified()
    programme.stripe.forget_requests()
    run_id = ask(programme)
    assert programme.stripe.requests("GET", "/v1/") == []
    run = programme.services.requested_runs.get(run_id)
    assert (run.trigger, run.finished_at, run.checked) == ("operator", None, 0)
    assert programme.changes(run_id) == [(None, "operator", "request:1")]


def test_the_worker_does_it_once_and_then_another_may_be_asked_for(programme: Programme) -> None:
    programme.verified()
    run_id = ask(programme)
    assert ask(programme, MACHINE) == run_id
    assert programme.services.requested_runs.do_waiting() == 1
    assert programme.services.requested_runs.do_waiting() == 0
    run = programme.services.requested_runs.get(run_id)
    assert run.finished_at is not None
    assert run.checked == 1
    programme.clock.advance(seconds=1)
    assert ask(programme, MACHINE) != run_id
    assert [each.trigger for each in programme.services.requested_runs.newest()] == ["machine", "operator"]


def test_two_workers_do_each_run_once(programme: Programme) -> None:
    for _ in range(3):
        programme.verified()
    run_id = ask(programme)
    barrier, done = threading.Barrier(2), []

    def work() -> None:
        with programme.app.app_context():
            barrier.wait()
            done.append(programme.services.requested_runs.do_waiting())

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(done) == [0, 1]
    assert programme.services.requested_runs.get(run_id).checked == 3


def test_a_run_whose_worker_died_is_gone_on_with_after_an_hour(programme: Programme, line: Line) -> None:
    for _ in range(2):
        programme.verified()
    run_id = ask(programme)
    seen: list[str] = []

    def die_at_the_second(method: str, path: str) -> None:
        seen.append(path)
        if len(seen) == 2:
            raise Killed

    line.on_request = die_at_the_second
    with pytest.raises(Killed):
        programme.services.requested_runs.do_waiting()
    assert programme.services.requested_runs.do_waiting() == 0
    programme.clock.advance(hours=1, seconds=1)
    assert programme.services.requested_runs.do_waiting() == 1
    run = programme.services.requested_runs.get(run_id)
    assert run.finished_at is not None
    assert run.checked == 2


def test_a_refused_key_leaves_the_run_unfinished(programme: Programme) -> None:
    programme.verified()
    run_id = ask(programme)
    programme.stripe.fault("401", path="/v1/", method="*", times=50)
    with pytest.raises(StripeKeyRefusedError):
        programme.services.requested_runs.do_waiting()
    assert programme.services.requested_runs.get(run_id).finished_at is None


def test_a_run_that_is_not_there_is_not_found(programme: Programme) -> None:
    with pytest.raises(NotFound):
        programme.services.requested_runs.get(new_id())
