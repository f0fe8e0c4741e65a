"""The queue between web and worker: a message says “look now”, and losing one loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Response
from huey.serializer import SignedSerializer

from portal.jobs.queue import Jobs
from portal.models import OutboxMail, WebhookEvent
from tests.services.programme import Programme

EVENT = {"id": "evt_1", "object": "event", "type": "balance.available", "livemode": False}


@pytest.fixture
def jobs(programme: Programme) -> Iterator[Jobs]:
    """The queue of the programme's portal."""
    jobs: Jobs = programme.app.extensions["portal_jobs"]
    yield jobs
    if "_huey" in vars(jobs):
        storage_of(jobs).storage.close()


def storage_of(jobs: Jobs) -> Any:
    """What the messages are kept in, as a worker sees it."""
    return vars(jobs)["_huey"]


def test_an_announced_event_is_worked_on_by_whoever_takes_the_message(
    programme: Programme, jobs: Jobs
) -> None:
    programme.receive(EVENT)
    jobs.look_at_events()
    worker = storage_of(jobs)
    assert worker.pending_count() == 1
    worker.execute(worker.dequeue())
    assert [row.state for row in programme.rows(sa.select(WebhookEvent.__table__))] == ["ignored"]


def test_a_message_holds_no_data(programme: Programme, jobs: Jobs) -> None:
    jobs.look_at_events()
    task = storage_of(jobs).dequeue()
    assert (task.args, task.kwargs) == ((), {})


def test_a_message_that_we_did_not_sign_is_not_taken(programme: Programme, jobs: Jobs) -> None:
    jobs.look_at_events()
    worker = storage_of(jobs)
    worker.dequeue()
    forged = SignedSerializer(secret="somebody else's secret", salt="portal-jobs").serialize("do this")
    worker.storage.enqueue(forged)
    with pytest.raises(ValueError, match="ignature"):
        worker.dequeue()


def test_an_event_whose_message_was_lost_is_found_by_the_sweep(programme: Programme, jobs: Jobs) -> None:
    programme.receive(EVENT)
    jobs.look_at_events()
    storage_of(jobs).flush()
    vars(type(jobs))["_sweep"](jobs)
    assert [row.state for row in programme.rows(sa.select(WebhookEvent.__table__))] == ["ignored"]


def test_a_request_that_has_written_mail_tells_the_worker_and_another_does_not(
    programme: Programme, jobs: Jobs
) -> None:
    affiliate_id = programme.affiliate()
    for _ in range(2):  # the second changes nothing
        with programme.app.test_request_context():
            programme.block(affiliate_id)
            programme.app.process_response(Response())
    worker = storage_of(jobs)
    assert worker.pending_count() == 1
    worker.execute(worker.dequeue())
    assert [row.state for row in programme.rows(sa.select(OutboxMail.__table__))] == ["sent"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_queue_that_is_away_is_no_fault_of_whoever_announces(programme: Programme, jobs: Jobs) -> None:
    queue = programme.services.settings.data_directory / "queue.db"
    queue.mkdir()
    jobs.look_at_events()
    assert jobs.is_reachable() is False
    queue.rmdir()
    assert jobs.is_reachable() is True
