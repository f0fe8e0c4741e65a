"""Leases save work and keep nobody safe: whoever stalls past their own writes down only what still follows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.attempts import KEY_LIFETIME, Outcome
from portal.models import Installation, Payout
from portal.services.attempts import Attempts
from tests.services.line import Answer, Line
from tests.services.programme import Programme


def meanwhile(line: Line, path: str, do: Callable[[], None]) -> None:
    """Do this once, after Stripe has answered such a reading and before whoever asked goes on."""

    def go_on(method: str, asked: str, answer: Answer) -> Answer:
        if method == "GET" and asked.startswith(path):
            line.on_answer = lambda _method, _path, answer: answer
            do()
        return answer

    line.on_answer = go_on


def states(programme: Programme, payout_id: UUID) -> list[str]:
    return [attempt.state.value for attempt in programme.attempts(payout_id)]


def is_halted(programme: Programme) -> bool:
    return programme.rows(sa.select(Installation.halted_at))[0][0] is not None


def test_a_list_that_was_asked_for_one_attempt_proves_nothing_of_the_next(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.clock.advance(hours=25)

    def another_worker_sends_the_next() -> None:
        programme.clock.advance(minutes=3)
        programme.retry()
        programme.stripe.fault("late")
        programme.run()

    meanwhile(line, "/v1/transfers", another_worker_sends_the_next)
    assert programme.retry().counts[Outcome.unknown] == 1
    assert states(programme, payout_id) == ["failed", "open"]
    programme.stripe.land()
    programme.run()
    assert states(programme, payout_id) == ["failed", "succeeded"]
    assert len(programme.stripe.transfers()) == 1


def test_a_transfer_that_another_worker_made_meanwhile_settles_and_stops_nothing(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    programme.stripe.set_balance(usd=0)
    programme.run()
    programme.stripe.set_balance(usd=10**6)

    def another_worker_sends_it() -> None:
        programme.clock.advance(minutes=3)
        programme.stripe.fault("timeout_after")
        programme.run()

    meanwhile(line, "/v1/accounts/", another_worker_sends_it)
    assert programme.run().counts[Outcome.paid] == 1
    assert states(programme, payout_id) == ["failed", "succeeded"]
    assert not is_halted(programme)


def test_a_key_that_became_too_old_since_the_run_took_the_payout_is_not_sent(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    attempts: Attempts = vars(programme.services.transfers)["_attempts"]
    programme.clock.advance(seconds=KEY_LIFETIME.total_seconds())
    assert attempts.intend_again(payout_id) is Outcome.skipped


@pytest.mark.parametrize(
    ("ends_in", "is_taken"), [(timedelta(minutes=1), False), (timedelta(hours=6), True)], ids=str
)
def test_a_lease_counts_unless_it_was_taken_by_a_clock_that_was_ahead(
    programme: Programme, ends_in: timedelta, is_taken: bool
) -> None:
    programme.approved()
    until = programme.clock.real_now() + ends_in
    programme.execute(sa.update(Payout).values(lease_owner="elsewhere:4194305:1", lease_until=until))
    assert programme.run().counts[Outcome.paid] == is_taken


@pytest.mark.parametrize("is_over", [False, True])
def test_a_lease_of_this_machine_counts_while_its_process_lives_whoever_runs_it(
    programme: Programme, is_over: bool
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    process = ended.pid if is_over else 1  # init: another user's, unless these tests are root's
    programme.approved()
    until = programme.clock.real_now() + timedelta(minutes=1)
    owner = f"{socket.gethostname()[:40]}:{process}:1"
    programme.execute(sa.update(Payout).values(lease_owner=owner, lease_until=until))
    assert programme.run().counts[Outcome.paid] == is_over


@pytest.mark.parametrize("is_taken_over", [False, True])
def test_a_run_gives_back_its_own_lease_and_nobody_elses(
    programme: Programme, line: Line, is_taken_over: bool
) -> None:
    payout_id = programme.approved()
    lease = ("elsewhere:1:1", programme.clock.real_now() + timedelta(minutes=1))

    def taken_over() -> None:
        programme.execute(sa.update(Payout).values(lease_owner=lease[0], lease_until=lease[1]))

    if is_taken_over:
        meanwhile(line, "/v1/accounts/", taken_over)
    programme.run()
    payout = programme.payout(payout_id)
    assert (payout.lease_owner, payout.lease_until) == (lease if is_taken_over else (None, None))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux says what became of a process")
def test_a_lease_of_a_killed_process_that_nobody_has_buried_counts_no_more_whatever_its_name(
    programme: Programme, tmp_path: Path
) -> None:
    named = tmp_path / "x) R 1 (x"
    named.symlink_to(Path("/bin/true"))
    programme.approved()
    with subprocess.Popen([named]) as killed:
        os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
        until = programme.clock.real_now() + timedelta(minutes=1)
        owner = f"{socket.gethostname()[:40]}:{killed.pid}:1"
        programme.execute(sa.update(Payout).values(lease_owner=owner, lease_until=until))
        assert programme.run().counts[Outcome.paid] == 1
