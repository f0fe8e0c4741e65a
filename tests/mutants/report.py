"""What became of the mutants, as a table, and those that survived."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.mutants.inside import Order, verdicts
from tests.mutants.trying import Verdict


@dataclass(frozen=True)
class Count:
    """Of one module."""

    module: str
    verdicts: Sequence[Verdict]
    skipped: int

    @property
    def killed(self) -> int:
        return sum(each.killed_by is not None for each in self.verdicts)

    def line(self) -> str:
        tried = len(self.verdicts)
        share = f"{self.killed / tried:8.1%}" if tried else f"{'–':>8}"
        return f"{self.module:44}{tried:8}{self.killed:8}{tried - self.killed:10}{self.skipped:9}{share}"


def counted(order: Order) -> list[Count]:
    """The modules of an order."""
    known = {each.key: each for each in verdicts(order.verdicts)}
    made: dict[str, tuple[list[str], int]] = json.loads(order.made.read_text())
    return [
        Count(module, [known[key] for key in keys if key in known], skipped)
        for module, (keys, skipped) in made.items()
    ]


def told(order: Order) -> str:
    """The survivors as diffs, and the table."""
    counts = counted(order)
    survivors = (each for count in counts for each in count.verdicts if each.killed_by is None)
    heading = f"{'module':44}{'mutants':>8}{'killed':>8}{'survived':>10}{'skipped':>9}{'':>8}"
    table = [heading, *(count.line() for count in [*counts, *_groups(counts)])]
    return "\n".join([*map(_survivor, survivors), *table, f"seed {order.seed}, share {order.share:g}", ""])


def _groups(counts: Iterable[Count]) -> list[Count]:
    groups: dict[str, list[Count]] = {}
    for count in counts:
        groups.setdefault(count.module.rpartition("/")[0], []).append(count)
    return [
        Count(
            f"all of {group}", [each for one in of for each in one.verdicts], sum(one.skipped for one in of)
        )
        for group, of in groups.items()
    ]


def _survivor(verdict: Verdict) -> str:
    return f"{verdict.diff}\n    {verdict.tests or 'no'} tests that execute it passed\n"
