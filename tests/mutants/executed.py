"""Which tests execute which lines, and how long each takes: the suite once, on SQLite, under coverage."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from tests.mutants.making import Mutant

#: The arguments of every run of pytest in here: nothing is said, and nothing kept.
QUIETLY = (
    "-o",
    "addopts=--import-mode=importlib",
    "-p",
    "no:terminal",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
)


@dataclass(frozen=True)
class Executed:
    """What the tests execute; a test that fails without a mutant is none."""

    tests: dict[str, dict[int, list[str]]]
    """By module and line."""
    seconds: dict[str, float]

    @classmethod
    def read(cls, file: Path) -> Executed:
        stored = json.loads(file.read_text())
        return cls(
            {module: {int(at): tests for at, tests in lines.items()} for module, lines in stored[0].items()},
            stored[1],
        )

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that a mutant can make fail: of each file the quickest, then the second, and so on; the file that
        is named after the module comes first, and then those of its room."""
        lines = self.tests.get(mutant.module, {})
        chosen = lines.keys() if mutant.place is None else [at for at in mutant.lines if at in lines]
        tests = {test for at in chosen for test in lines[at] if test in self.seconds}
        path = Path(mutant.module)
        named_after = f"/test_{path.stem}.py::"
        if mutant.place is None:  # a constant may be looked at without executing anything
            tests |= {test for test in self.seconds if named_after in test}

        in_file: Counter[str] = Counter()
        distances: dict[str, tuple[int, bool, bool]] = {}
        for test in sorted(tests, key=lambda each: (self.seconds[each], each)):
            file = test.partition("::")[0]
            in_file[file] += 1
            is_far = named_after not in test, f"/{path.parent.name}/" not in test
            distances[test] = (in_file[file], *is_far)
        return sorted(distances, key=lambda each: distances[each])


class _Recorder:
    """Tells coverage which test runs, and remembers which passed."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "postgresql" not in item.name]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._coverage.switch_context(item.nodeid)
        began = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - began
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.add(report.nodeid)


def record(modules: Sequence[str], tests: Sequence[str], file: Path) -> None:
    """Run the tests and write down what they execute of the modules, below the folder that we are in."""
    here = Path.cwd()
    coverage = Coverage(data_file=None, include=[str(here / module) for module in modules])
    recorder = _Recorder(coverage)
    coverage.start()
    ended = pytest.main([*QUIETLY, *tests], plugins=[recorder])
    coverage.stop()
    if not recorder.seconds:
        raise ValueError(f"no test was run: {ended}")
    data = coverage.get_data()
    lines = {
        module: {
            at: [context for context in contexts if context]
            for at, contexts in data.contexts_by_lineno(str(here / module)).items()
        }
        for module in modules
    }
    passed = {test: each for test, each in recorder.seconds.items() if test not in recorder.failed}
    being_written = file.with_suffix(".part")
    being_written.write_text(json.dumps([lines, passed]))
    being_written.replace(file)
