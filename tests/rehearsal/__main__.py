"""`python -m tests.rehearsal`: kills on purpose and at random for as long as it is told, and counts.

For people it speaks on standard error; for machines it writes one JSON object to standard output. It ends with 1 if
anything is not as it must be, and says how to see that once more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from tests.rehearsal.acts import Act, Telling, act_named, acts
from tests.rehearsal.grounds import POSTGRESQL, SQLITE, Grounds
from tests.rehearsal.report import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse; 0 if everything was as it must be."""
    asked = _options().parse_args(arguments)
    report = Report(asked.seed)
    databases = [asked.database] if asked.database else [SQLITE, POSTGRESQL]
    programme: Iterable[Act] = [act_named(asked.only, asked.seed)] if asked.only else acts(asked.seed)
    ends = time.monotonic() + 60 * asked.minutes
    with (
        tempfile.TemporaryDirectory(prefix="portal-rehearsal-") as folder,
        closing(Grounds(Path(folder))) as grounds,
    ):
        for act in programme:
            for database in databases:
                _play(act, grounds, Telling(report, database, lambda: time.monotonic() >= ends))
            if time.monotonic() >= ends:
                break
    report.told(_say)
    sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    return 1 if report.violations else 0


def _play(act: Act, grounds: Grounds, telling: Telling) -> None:
    if telling.is_time_up():
        return
    report, began = telling.report, time.monotonic()
    kills, runs = report.kills.total(), 0
    try:
        with grounds.stage(telling.database) as stage:
            try:
                act.play(stage, telling)
            finally:
                runs = stage.started
    except AssertionError as broken:
        again = f"python -m tests.rehearsal --seed {report.seed} --database {telling.database} --only '{act.name}'"
        report.broken(f"{act.name}: {broken}", again=again)
        _say(f"VIOLATION in {act.name} on {telling.database}: {broken}\n    again: {again}")
    report.runs += runs
    _say(
        f"{time.monotonic() - report.begun:6.0f} s  {telling.database:10}  {act.name}: {runs} processes, "
        f"{report.kills.total() - kills} killed, {time.monotonic() - began:.0f} s"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10, help="how long; what is begun then is ended first"
    )
    parser.add_argument("--seed", type=int, default=1, help="what is drawn by lot is drawn by it")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), help="one kind of database alone")
    parser.add_argument(
        "--only", metavar="NAME", help="one act alone, once: a scene, “migrating” or “weather 3”"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
