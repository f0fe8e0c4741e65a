"""Trying mutants: each in a process of its own, until a test fails or enough of them have passed."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.executed import QUIETLY, Executed
from tests.mutants.forking import forked
from tests.mutants.making import Mutant
from tests.mutants.planting import Change, Functions, Planted

HUNG = "it hangs"
SQLITE, POSTGRESQL = "[sqlite", "[postgresql"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    key: str
    module: str
    killed_by: str | None
    tests: int
    """So many were there to kill it."""
    seconds: float
    diff: str
    against: str
    """Which tests, and how many: what has survived is tried again by others."""


@dataclass(frozen=True)
class Measure:
    """How much is done about one mutant: so many tests, which take so many seconds when nothing is wrong."""

    tests: int
    seconds: float


class Trials:
    """Chooses the tests, and writes down what they said."""

    def __init__(
        self, executed: Executed, measure: Measure, tell: Callable[[Verdict], None], *, against: str
    ) -> None:
        self._executed = executed
        self._measure = measure
        self._tell = tell
        self._against = against
        self._kills: Counter[tuple[str, str]] = Counter()

    def chosen(self, mutant: Mutant) -> list[str]:
        """Those that have killed others of its module first, then the nearest; never none if one executes it."""
        tests = sorted(self._executed.of(mutant), key=lambda test: -self._kills[mutant.module, test])
        if mutant.is_lock:
            tests = [test for test in tests if SQLITE in test]
        chosen: list[str] = []
        seconds = 0.0
        for test in tests[: self._measure.tests]:
            seconds += self._executed.seconds[test]
            if chosen and seconds > self._measure.seconds:
                break
            chosen.append(test.replace(SQLITE, POSTGRESQL) if mutant.is_lock else test)
        return chosen

    def tried(self, mutant: Mutant, failing: Callable[[Sequence[str]], str]) -> None:
        """Try one; `failing` names the first of the tests that fails, or nothing."""
        tests, began = self.chosen(mutant), time.monotonic()
        failed = forked(partial(failing, tests), seconds=3 * self._measure.seconds) if tests else ""
        killed_by = HUNG if failed is None else failed or None
        if killed_by is not None:
            self._kills[mutant.module, killed_by] += 1
        seconds = round(time.monotonic() - began, 2)
        self._tell(
            Verdict(mutant.key, mutant.module, killed_by, len(tests), seconds, mutant.diff, self._against)
        )


class Warm:
    """A run of pytest that has collected everything and made ready what a session needs once; then come mutants.

    What can only be imported is left over.
    """

    def __init__(self, mutants: Sequence[Mutant], trials: Trials) -> None:
        self._mutants = mutants
        self._trials = trials
        self._items: dict[str, pytest.Item] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._warm_up()
        functions = Functions()
        gc.collect()
        gc.freeze()
        began_under = os.getppid()
        for mutant in self._mutants:
            if os.getppid() != began_under:
                break  # whoever wanted to know is gone
            if change := functions.changed_by(mutant):
                folder = Path(mkdtemp())
                self._trials.tried(mutant, partial(self._failing, change, folder))
                shutil.rmtree(folder, ignore_errors=True)
        return True

    def _warm_up(self) -> None:
        """One test on each database that is needed, so that no mutant waits for migrations."""
        for kind in (SQLITE, POSTGRESQL) if any(each.is_lock for each in self._mutants) else (SQLITE,):
            if item := next((item for test, item in self._items.items() if kind in test), None):
                runtestprotocol(item, log=False, nextitem=self._another(item))

    def _failing(self, change: Change, folder: Path, tests: Sequence[str]) -> str:
        change.plant()
        for test in tests:
            item = self._items[test]
            item.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
            reports = runtestprotocol(item, log=False, nextitem=self._another(item))
            if any(report.failed for report in reports):
                return test
        return ""

    def _another(self, item: pytest.Item) -> pytest.Item:
        """Whichever comes next, it keeps what belongs to the session."""
        return next((each for each in self._items.values() if each.parent is not item.parent), item)


def imported_and_failing(mutant: Mutant, tests: Sequence[str]) -> str:
    """The same in a run of pytest of its own, before anything of the portal has been imported."""
    Planted(mutant).plant()
    failures = Failures()
    ended = pytest.main([*QUIETLY, "--exitfirst", *tests], plugins=[failures])
    return failures.first or ("" if ended is pytest.ExitCode.OK else "it can't be imported")


class Failures:
    """Remembers the first."""

    first = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.first:
            self.first = report.nodeid
