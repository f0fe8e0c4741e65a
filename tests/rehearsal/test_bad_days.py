"""Days on which everything goes wrong at once around a run: it ends, and nothing is paid twice or lost."""

from __future__ import annotations

import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from portal.domain.payouts import PayoutStatus
from tests.journeys.running import eventually
from tests.rehearsal.crowd import all_send, many_wait
from tests.rehearsal.moments import Plan, disk_full_at, stop_at
from tests.rehearsal.proof import prove
from tests.rehearsal.stage import Stage, staged
from tests.rehearsal.wire import wired

RUN = "process-payouts"
POSTED = "after POST /v1/transfers"
LOOKED = "after the commit of Accounts.record"
INTENDED = "before the commit of Attempts.intend"

#: As short as the portal's own 30 seconds are long.
SHORT_PATIENCE_MILLISECONDS = 20

CROWD = 40


def assert_paid_once(stage: Stage, *payouts: UUID) -> None:
    """Each of these has one transfer, and all else is as it must be too."""
    assert {stage.programme.payout(payout_id).status for payout_id in payouts} == {PayoutStatus.paid}
    groups = Counter(transfer["transfer_group"] for transfer in stage.stripe.transfers())
    assert {groups[f"payout-{payout_id}"] for payout_id in payouts} == {1}
    proof = prove(stage)
    assert (proof.double, proof.lost, proof.violations) == (0, 0, [])


def posts(stage: Stage) -> int:
    return len(stage.stripe.requests("POST", "/v1/transfers"))


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    file = stage.portal.settings["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.execute("ROLLBACK")


def test_four_workers_and_a_run_by_hand_pay_each_of_many_once(stage: Stage) -> None:
    payouts = many_wait(stage, CROWD)
    ended = all_send(stage)
    assert sum(POSTED in one.moments for one in ended) > 1, "they did not work at once"
    assert stage.run(RUN).code == 0
    assert_paid_once(stage, *payouts)


def test_a_worker_that_is_told_to_stop_finishes_what_it_is_sending(stage: Stage) -> None:
    payout_id = stage.programme.approved()
    stage.pass_time(hours=1)
    stage.stripe.fault("slow", seconds=1)
    before = posts(stage)
    worker = stage.start("worker")
    eventually(lambda: posts(stage) > before, what="the worker sends")
    worker.send(signal.SIGTERM)
    assert worker.wait().code == 0
    assert_paid_once(stage, payout_id)


def test_a_run_that_is_told_to_stop_leaves_what_the_next_one_finishes(stage: Stage) -> None:
    payouts = [stage.programme.approved() for _ in range(2)]
    run = stage.start(RUN, plan=stop_at(POSTED))
    run.come_to(POSTED)
    run.send(signal.SIGTERM)
    run.send(signal.SIGCONT)
    assert run.wait().code == -signal.SIGTERM
    statuses = Counter(stage.programme.payout(payout_id).status for payout_id in payouts)
    assert statuses == {PayoutStatus.processing: 1, PayoutStatus.approved: 1}
    assert stage.run(RUN).code == 0
    assert_paid_once(stage, *payouts)


def test_nothing_is_lost_while_another_process_keeps_sqlite_locked(stage_on_sqlite: Stage) -> None:
    stage = stage_on_sqlite
    first = stage.programme.approved()
    run = stage.start(RUN, plan=stop_at(POSTED), busy_timeout_milliseconds=SHORT_PATIENCE_MILLISECONDS)
    run.come_to(POSTED)
    with locked(stage):
        run.send(signal.SIGCONT)
        run.wait()
        late = stage.start(RUN, busy_timeout_milliseconds=SHORT_PATIENCE_MILLISECONDS).wait()
        assert "database is locked" in late.said
    assert stage.programme.payout(first).status is PayoutStatus.processing
    assert stage.run(RUN).code == 0
    assert_paid_once(stage, first)


@pytest.mark.parametrize("moment", [LOOKED, INTENDED])
def test_nothing_is_sent_when_the_disk_is_full_at_the_turn_or_the_intent(
    stage_on_sqlite: Stage, moment: str
) -> None:
    stage = stage_on_sqlite
    payout_id = stage.programme.approved()
    before = posts(stage)
    ended = stage.run(RUN, plan=disk_full_at(moment))
    assert moment in ended.moments
    assert posts(stage) == before
    assert stage.programme.payout(payout_id).status is PayoutStatus.approved
    assert stage.run(RUN).code == 0
    assert_paid_once(stage, payout_id)


def test_what_was_sent_is_written_down_later_when_the_disk_is_full_at_the_answer(
    stage_on_sqlite: Stage,
) -> None:
    stage = stage_on_sqlite
    payout_id = stage.programme.approved()
    ended = stage.run(RUN, plan=disk_full_at(POSTED))
    assert "before the commit of Attempts.record" in ended.moments
    assert stage.programme.payout(payout_id).status is PayoutStatus.processing
    assert stage.run(RUN).code == 0
    assert_paid_once(stage, payout_id)


def test_a_commit_whose_outcome_nobody_is_told_of_is_paid_once(postgresql_url: str, tmp_path: Path) -> None:
    """The line to PostgreSQL is cut after each commit of a run in turn."""
    with wired(postgresql_url) as (wire, address), staged(address, tmp_path) as stage:
        payouts = []
        for number in count(1):
            payouts.append(stage.programme.approved())
            wire.cut_at_commit(number)
            ended = stage.run(RUN)
            if wire.is_to_be_cut:
                break
            assert ended.code in {0, 1}, ended.said
            stage.pass_time(hours=1)
            assert stage.run(RUN).code == 0
        assert number > 5, "claim, look, intent, answer, and letting go are five"
        wire.cut_at_commit(0)
        assert_paid_once(stage, *payouts)


@pytest.mark.parametrize("moment", ["before POST /v1/transfers", POSTED])
def test_a_worker_that_was_dead_for_three_days_pays_once(stage: Stage, moment: str) -> None:
    """Stripe has forgotten the key by then, whether the request arrived or not."""
    payout_id = stage.programme.approved()
    assert stage.run(RUN, plan=Plan("kill", name=moment)).was_killed
    stage.pass_time(days=3)
    for _ in range(2):
        assert stage.run("worker", "--once").code == 0
        stage.pass_time(hours=1)
    assert_paid_once(stage, payout_id)
