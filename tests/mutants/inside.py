"""`python -m tests.mutants.inside ORDER`: what happens in the copy of the tree, in a process that imports the portal
only where it has forked."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

import pytest

from tests.mutants.executed import QUIETLY, Executed, record
from tests.mutants.forking import forked
from tests.mutants.making import Mutant, mutants_of
from tests.mutants.modules import MODULES
from tests.mutants.trying import Measure, Trials, Verdict, Warm, imported_and_failing

#: No run of the suite takes longer.
_SUITE_SECONDS = 3_600


@dataclass(frozen=True)
class Order:
    """What is to be tried, and where it is written down."""

    modules: Sequence[str]
    tests: Sequence[str]
    seed: int
    share: float
    most_tests: int
    most_seconds: float
    folder: str
    warm: Sequence[str] = ()
    """What is imported once, before anything is forked, since the tests will import it anyhow."""

    @property
    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def against(self) -> str:
        """Names the tests, what they execute, and how much of them is run."""
        return f"{self._tree}-{self.most_tests}-{self.most_seconds:g}"

    @property
    def executed(self) -> Path:
        return Path(self.folder) / f"executed-{self._tree}.json"

    @cached_property
    def _tree(self) -> str:
        digest = hashlib.sha256(" ".join(self.tests).encode())
        for file in sorted(file for room in ("portal", "tests") for file in Path(room).rglob("*.py")):
            digest.update(file.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def verdicts(self) -> Path:
        return Path(self.folder) / "verdicts.jsonl"

    @property
    def made(self) -> Path:
        return Path(self.folder) / "made.json"


def carry_out(order: Order) -> None:
    """Try what has not been killed before."""
    for name in order.warm:
        importlib.import_module(name)
    if not order.executed.exists():
        forked(partial(_recorded, order), seconds=_SUITE_SECONDS)
    mutants = list(_drawn(order))
    measure = Measure(order.most_tests, order.most_seconds)
    executed = Executed.read(order.executed)
    trials = Trials(executed, measure, partial(_told, order), against=order.against)
    forked(partial(_warm, mutants, trials, order.tests), seconds=len(mutants) * _SUITE_SECONDS)
    tried = {each.key for each in verdicts(order.verdicts) if each.against == order.against}
    for mutant in mutants:
        if mutant.key not in tried:
            trials.tried(mutant, partial(imported_and_failing, mutant))


def verdicts(file: Path) -> Iterator[Verdict]:
    """What is known, the newest word about each."""
    lines = file.read_text().splitlines() if file.exists() else []
    yield from {(each := Verdict(**json.loads(line))).key: each for line in lines}.values()


def _recorded(order: Order) -> str:
    """All modules at once: whoever tries another one next has not to wait again."""
    modules = [each for each in {*MODULES, *order.modules} if Path(each).is_file()]
    record(modules, order.tests, order.executed)
    return "recorded"


def _warm(mutants: Sequence[Mutant], trials: Trials, tests: Sequence[str]) -> str:
    pytest.main([*QUIETLY, *tests], plugins=[Warm(mutants, trials)])
    return "tried"


def _drawn(order: Order) -> Iterator[Mutant]:
    """A share of each module's mutants, without those of which the tests have said what they can."""
    known = {each.key for each in verdicts(order.verdicts) if each.killed_by or each.against == order.against}
    made: dict[str, tuple[list[str], int]] = {}
    for module in order.modules:
        mutants, skipped = mutants_of(module, Path(module).read_text())
        drawn = [each for each in mutants if random.Random(f"{order.seed} {each.key}").random() < order.share]
        made[module] = [each.key for each in drawn], skipped.total()
        yield from (each for each in drawn if each.key not in known)
    order.made.write_text(json.dumps(made))


def _told(order: Order, verdict: Verdict) -> None:
    with order.verdicts.open("a") as file:
        file.write(json.dumps(asdict(verdict)) + "\n")


if __name__ == "__main__":
    carry_out(Order(**json.loads(sys.argv[1])))
