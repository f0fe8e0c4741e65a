"""What a rehearsal is made of, and in which order a seed puts it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from tests.rehearsal import migrating
from tests.rehearsal.crowd import all_send, many_wait
from tests.rehearsal.kills import Kill, SceneSpoiled, every_kill
from tests.rehearsal.proof import prove
from tests.rehearsal.report import Report
from tests.rehearsal.scenes import SCENES, Scene
from tests.rehearsal.stage import Stage
from tests.rehearsal.weather import Weather

#: How many things happen in one spell of foul weather.
SPELL = 400

#: How many payouts wait where many work at once.
CROWD = 1_000

WEATHER = "weather"


@dataclass(frozen=True)
class Telling:
    """Whom an act tells what it did, on which kind of database it plays, and when it is time to end."""

    report: Report
    database: str
    is_time_up: Callable[[], bool]


@dataclass(frozen=True)
class Act:
    """One part of a rehearsal, on a stage of its own. Raises SceneSpoiled."""

    name: str
    play: Callable[[Stage, Telling], None]


def acts(seed: int) -> Iterator[Act]:
    """Round after round everything there is, mixed by the seed, with foul weather in between."""
    spells = count(1)
    for number in count(1):
        fair = [*map(_scene, SCENES), Act(migrating.SCENE, _migrating), Act("a crowd", _crowd)]
        random.Random(f"{seed} round {number}").shuffle(fair)
        for place, act in enumerate(fair):
            if place % 3 == 0:
                yield _weather(seed, next(spells))
            yield act


def act_named(name: str, seed: int) -> Act:
    """One of them, to see it once more. Raises KeyError."""
    if name.startswith(WEATHER):
        return _weather(seed, int(name.removeprefix(WEATHER)))
    fair = [*map(_scene, SCENES), Act(migrating.SCENE, _migrating), Act("a crowd", _crowd)]
    return {act.name: act for act in fair}[name]


def _scene(scene: Scene) -> Act:
    def play(stage: Stage, telling: Telling) -> None:
        _note(every_kill(stage, scene), telling)
        _prove(stage, telling)

    return Act(scene.name, play)


def _migrating(stage: Stage, telling: Telling) -> None:
    _note(migrating.every_kill_while_migrating(stage), telling)


def _note(kills: Iterable[Kill], telling: Telling) -> None:
    for kill in kills:
        telling.report.killed(telling.database, kill)
        if telling.is_time_up():
            return


def _weather(seed: int, number: int) -> Act:
    name = f"{WEATHER} {number}"

    def play(stage: Stage, telling: Telling) -> None:
        steps: list[str] = []
        weather = Weather(stage, random.Random(f"{seed} {name} {telling.database}"), steps.append)
        try:
            for _ in range(SPELL):
                weather.blow()
                if telling.is_time_up():
                    break
            weather.clear_up()
            _prove(stage, telling)
        except AssertionError as broken:
            raise SceneSpoiled("\n".join([str(broken), "steps:", *steps])) from broken
        finally:
            telling.report.kills.update(weather.kills)

    return Act(name, play)


def _crowd(stage: Stage, telling: Telling) -> None:
    many_wait(stage, CROWD, is_enough=telling.is_time_up)
    all_send(stage)
    _prove(stage, telling)


def _prove(stage: Stage, telling: Telling) -> None:
    proof = prove(stage)
    telling.report.add(proof)
    if proof.violations:
        raise SceneSpoiled("\n".join(proof.violations))
