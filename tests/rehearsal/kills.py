"""Kills on purpose: a scene is played again and again, and its process dies one moment later each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from portal.domain.payouts import PayoutStatus
from tests.rehearsal.moments import kill_at
from tests.rehearsal.scenes import Scene
from tests.rehearsal.stage import Ended, Stage
from tests.services.invariants import assert_books_balance

#: A payout whose outcome was not known has ended after 25 hours and so many runs.
RUNS_AFTER_UNKNOWN = 3

#: No scene has more moments; one that goes on for ever is no scene.
MOST_MOMENTS = 200


class SceneSpoiled(AssertionError):
    """It did not end as it must; the text says after which kill."""


@dataclass(frozen=True)
class Kill:
    """One process that was killed: in which scene, at which of its moments."""

    scene: str
    number: int
    moment: str


def every_kill(stage: Stage, scene: Scene) -> Iterator[Kill]:
    """Play the scene with a kill at its first moment, at its second, and so on, until it has no such moment. Raises
    SceneSpoiled."""
    affiliate_id = stage.programme.verified()
    for number in count(1):
        kill = play(stage, scene, affiliate_id, number=number)
        if kill is None:
            return
        assert number < MOST_MOMENTS, scene.name
        yield kill


def play(stage: Stage, scene: Scene, affiliate_id: UUID, *, number: int) -> Kill | None:
    """One time with a kill at this moment, and to the end; None if the process ended before. Raises SceneSpoiled."""
    payout_id = scene.begin(stage, affiliate_id)
    words = [word.format(payout=payout_id) for word in scene.command]
    ended = stage.run(*words, plan=kill_at(number))
    where = f"{scene.name}, killed at {number}: {ended.moments[-1] if ended.moments else 'its start'}"
    if not ended.was_killed and ended.code != 0:
        raise SceneSpoiled(f"{where}: ended with {ended.code}: {ended.said}")
    scene.heal(stage, affiliate_id)
    _pick_up(stage, words, ended, where)
    payout_id = payout_id or stage.programme.services.payout_history.page(affiliate_id)[0].id
    _wait_for_the_end(stage, payout_id)
    stage.stripe.comes_back()
    status = stage.programme.payout(payout_id).status
    if status is not scene.ends:
        raise SceneSpoiled(f"{where}: the payout is {status}, not {scene.ends}")
    try:
        assert_books_balance(stage.programme)
    except AssertionError as broken:
        raise SceneSpoiled(f"{where}: {broken}") from broken
    return Kill(scene.name, number, ended.moments[-1]) if ended.was_killed else None


def _pick_up(stage: Stage, words: list[str], ended: Ended, where: str) -> None:
    """An hour later whoever was killed is started again."""
    stage.pass_time(hours=1)
    if ended.was_killed:
        again = stage.run(*words)
        if again.code != 0:
            raise SceneSpoiled(f"{where}: the next process ended with {again.code}: {again.said}")


def _wait_for_the_end(stage: Stage, payout_id: UUID) -> None:
    """One more run, and if the outcome is not known, 25 hours and three of them: no payout takes longer."""
    programme = stage.programme
    if programme.payout(payout_id).status.is_open:
        programme.run()
    if programme.payout(payout_id).status is PayoutStatus.processing:
        stage.pass_time(hours=25)
        for _ in range(RUNS_AFTER_UNKNOWN):
            programme.run()
