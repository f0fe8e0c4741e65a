"""A process killed at any moment is followed by one that finishes what was begun: paid once, nothing lost."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from tests.rehearsal.kills import every_kill, play
from tests.rehearsal.migrating import every_kill_while_migrating
from tests.rehearsal.proof import prove
from tests.rehearsal.scenes import LIFE, SCENES
from tests.rehearsal.stage import Stage, staged
from tests.rehearsal.weather import Weather

#: Without these a walk through the kill points has not gone where it matters.
DANGEROUS = {
    "after the commit of Payouts.request", "after the commit of Attempts.intend", "before POST /v1/transfers",
    "after POST /v1/transfers", "before the commit of Attempts.record", "before the commit of Attempts.record_found",
    "before the commit of Reversals._write", "before the commit of Reconciliation._write",
}  # fmt: skip

#: So many further scenes and spells are drawn by lot; `make rehearse` plays them all, for as long as it is told.
DRAWN = 4


def test_every_kill_point_of_a_payouts_life(stage: Stage) -> None:
    moments = {kill.moment for scene in LIFE for kill in every_kill(stage, scene)}
    assert moments >= DANGEROUS, DANGEROUS - moments
    proof = prove(stage)
    assert (proof.double, proof.lost, proof.violations) == (0, 0, [])


def test_kills_at_random_in_foul_weather(stage: Stage) -> None:
    lot = random.Random(20)
    for scene in lot.sample(SCENES[len(LIFE) :], DRAWN):
        play(stage, scene, stage.programme.verified(), number=lot.randint(1, 12))
    steps: list[str] = []
    weather = Weather(stage, lot, steps.append)
    for _ in range(12):
        weather.blow()
    weather.clear_up()
    proof = prove(stage)
    assert (proof.double, proof.lost, proof.violations) == (0, 0, []), steps


def test_a_migration_that_was_killed_is_done_again(stage_of_its_own: Stage) -> None:
    kills = list(islice(every_kill_while_migrating(stage_of_its_own), 3))
    assert {kill.moment for kill in kills} == {
        "before the commit of a migration",
        "after the commit of a migration",
    }


def test_a_second_transfer_would_be_noticed(sqlite_url: str, tmp_path: Path) -> None:
    """A count that cannot fail would prove nothing."""
    with staged(sqlite_url, tmp_path) as stage:
        payout = stage.programme.payout(stage.programme.approved())
        assert stage.run("process-payouts").code == 0
        transfer_id = stage.programme.payout(payout.id).transfer_id
        stage.stripe.send_again(str(transfer_id), key="another key")
        assert prove(stage).double == 1
