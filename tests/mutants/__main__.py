"""`python -m tests.mutants`: mutants of what decides about money, in a copy of the tree, and a table of what became of
them. What was killed is remembered in the folder for results, so that a run that was broken off is taken up again."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.inside import Order
from tests.mutants.modules import MODULES
from tests.mutants.outside import carried_out
from tests.mutants.report import told

ROOT = Path(__file__).resolve().parents[2]

_WARM = (
    "flask_migrate",
    "flask_sqlalchemy",
    "stripe",
    "huey",
    "authlib",
    "babel",
    "fpdf",
    "playwright.sync_api",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them; 0 however many survive: a person decides about each."""
    asked = _options().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(1))  # the copy is removed even then
    folder = asked.results.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    order = Order(
        modules=asked.only.split() if asked.only else MODULES,
        tests=asked.tests.split(),
        seed=asked.seed,
        share=asked.share,
        most_tests=asked.most_tests,
        most_seconds=asked.most_seconds,
        folder=str(folder),
        warm=_WARM,
    )
    sys.stderr.write(f"seed {order.seed}, share {order.share}; results in {folder}\n")
    carried_out(order, ROOT)
    sys.stdout.write(told(order))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which share is drawn")
    parser.add_argument("--share", type=float, default=1, help="of each module's mutants, 1 for all")
    parser.add_argument("--only", default="", help="modules, instead of all that decide about money")
    parser.add_argument(
        "--tests", default="tests/domain tests/services tests/cli", help="which tests there are"
    )
    parser.add_argument("--most-tests", type=int, default=300, help="of each mutant")
    parser.add_argument("--most-seconds", type=float, default=10, help="of tests for each mutant")
    parser.add_argument("--results", type=Path, default=ROOT / ".cache/mutants", help="a folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
