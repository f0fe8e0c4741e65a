"""`python -m tests.sizes`: fills a small and a large database of each kind, and says how long every page takes.

Everything happens in this process and a PostgreSQL server of its own; it ends by itself. With `--url` a database that
is there is looked at instead.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import flask_migrate

from portal import create_app
from portal.config import PROJECT_ROOT, settings_from
from portal.wiring import services
from tests.conftest import TEST_SETTINGS
from tests.databases import postgres_cluster
from tests.sizes.visiting import fill, visiting

#: A page is asked for once to warm up, then so often.
ROUNDS = 5


@dataclass(frozen=True)
class Taken:
    """Seconds; on a machine that others use as well, the fastest says more than the median."""

    median: float
    fastest: float

    def __str__(self) -> str:
        return f"{1000 * self.median:.0f} ({1000 * self.fastest:.0f})"


Times = Mapping[str, Taken]


def measured(database_url: str, *, only: str = "") -> Times:
    """How long every page takes, and then what the shell and the worker ask of the whole database."""
    found: dict[str, Taken] = {}
    with visiting(database_url) as visitors:
        for visit in visitors.visits:
            if only in visit.label:
                visitors.ask(visit)
                found[visit.label] = _timed(partial(visitors.ask, visit), rounds=ROUNDS)
        with visitors.app.app_context():
            for name, work in (
                ("process-payouts --dry-run", lambda: services().payout_previews.next().as_tally()),
                ("selfcheck", services().selfcheck.run),
            ):
                if only in f"shell: {name}":
                    found[f"shell: {name}"] = _timed(work, rounds=1)
    _say(f"{database_url.partition(':')[0]}: at most {_megabytes()} MB of memory until here")
    return found


def _timed(work: Callable[[], object], *, rounds: int) -> Taken:
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return Taken(statistics.median(seconds), min(seconds))


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def filled(database_url: str, affiliates: int) -> None:
    """Migrate a database and fill it."""
    app = create_app(settings_from({**TEST_SETTINGS, "DATABASE_URL": database_url}))
    with app.app_context():
        flask_migrate.upgrade(directory=str(PROJECT_ROOT / "migrations"))
    begun = time.perf_counter()
    fill(database_url, "--affiliates", str(affiliates))
    _say(f"{affiliates} affiliates on {database_url.partition(':')[0]}: {time.perf_counter() - begun:.0f} s")


@contextmanager
def databases(sizes: Sequence[int]) -> Iterator[dict[str, str]]:
    """Filled ones of both kinds, by what they are called in the table."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="portal-sizes-")))
        cluster = exits.enter_context(postgres_cluster())
        found: dict[str, str] = {}
        for size in sizes:
            found[f"SQLite {size}"] = f"sqlite:///{folder / f'{size}.db'}"
            found[f"PostgreSQL {size}"] = cluster.create_database(f"size_{size}")
        for name, url in found.items():
            filled(url, int(name.split()[1]))
        yield found


def table(columns: Mapping[str, Times]) -> str:
    """As it stands in the papers."""
    names = list(dict.fromkeys(name for times in columns.values() for name in times))
    lines = ["| ms, median (fastest) | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name in names:
        cells = [str(times.get(name, "")) for times in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.sizes", description=__doc__)
    parser.add_argument(
        "--affiliates", type=int, nargs="+", default=[1_000, 100_000], help="ten payouts each"
    )
    parser.add_argument("--url", nargs="+", help="databases that are filled already")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    asked = parser.parse_args()
    with ExitStack() as exits:
        urls = {url: url for url in asked.url or ()} or exits.enter_context(databases(asked.affiliates))
        columns = {name: measured(url, only=asked.only) for name, url in urls.items()}
    sys.stdout.write(f"{table(columns)}\n\nPython {platform.python_version()}, {len(columns)} databases.\n")


if __name__ == "__main__":
    main()
