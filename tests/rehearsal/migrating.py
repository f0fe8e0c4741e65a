"""Kills while the database is brought up to date: who is killed there is started again and ends where it should."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tests.rehearsal.kills import Kill, SceneSpoiled
from tests.rehearsal.moments import kill_at
from tests.rehearsal.stage import Stage

SCENE = "migrating"
DOWN, UP = ("db", "downgrade", "base"), ("db", "upgrade")

#: That the models and their tables agree, and that the database keeps all its rules.
CHECKS = (("db", "check"), ("selfcheck",))


def every_kill_while_migrating(stage: Stage) -> Iterator[Kill]:
    """Up from nothing again and again, with a kill at the first moment, at the second, and so on. Raises
    SceneSpoiled."""
    for number in count(1):
        _must(stage, *DOWN)
        ended = stage.run(*UP, plan=kill_at(number))
        if not ended.was_killed:
            return
        for words in (UP, *CHECKS):
            _must(stage, *words)
        yield Kill(SCENE, number, ended.moments[-1])


def _must(stage: Stage, *words: str) -> None:
    ended = stage.run(*words)
    if ended.code != 0:
        raise SceneSpoiled(f"{SCENE}: {' '.join(words)} ended with {ended.code}: {ended.said}")
