"""Any schedule of people, faults, deaths and clocks: the books balance after every step; in the end all are paid."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from portal import create_app
from portal.config import settings_from
from portal.wiring import db
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.databases import PostgresCluster
from tests.services.any_schedule import AnySchedule
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import Programme
from tests.services.schedule import SECOND_LIMIT, Opened, OpenProgramme
from tests.services.stand_in import begin_anew, memory_of
from tests.services.watch import Watch

#: So many schedules on each database, and longer ones, instead of CI's few.
SCHEDULES = int(os.environ.get("SCHEDULES", "0"))


@dataclass(frozen=True)
class Beginning:
    """What is made ready once and copied for each schedule: three verified affiliates, three people, what the stand-in
    knows of them, and when that was."""

    affiliates: Sequence[UUID]
    people: Sequence[UUID]
    memory: bytes
    at: datetime


@contextmanager
def a_programme(
    database_url: str, sandbox: Flask, begun: Beginning | None = None
) -> Iterator[tuple[Programme, Line]]:
    """A portal on a database, with a stand-in that knows nothing, or what has `begun` there."""
    clock = MovableClock(begun.at if begun else None)
    begin_anew(sandbox, clock=clock, memory=begun.memory if begun else None)
    environment = {
        **TEST_SETTINGS,
        "DATABASE_URL": database_url,
        "PORTAL_PAYOUT_REQUEST_RATE": "1000 per hour",
        "PORTAL_SECOND_APPROVAL_LIMIT": f"usd:{SECOND_LIMIT}",
    }
    line = Line(sandbox)
    app = create_app(settings_from(environment), clock=clock, stripe_transport=line)
    with app.app_context():
        sa.event.listen(db.engine, "connect", _write_fast)
        try:
            yield Programme(app, sandbox, clock, first_number=1_000 if begun else 1), line
        finally:
            db.session.remove()
            db.engine.dispose()


def _write_fast(connection: object, _record: object) -> None:
    """No example outlives its process; PostgreSQL is told the same when it starts."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def begin(database_url: str, sandbox: Flask) -> Beginning:
    """Make the database ready to be copied."""
    with a_programme(database_url, sandbox) as (programme, _):
        affiliates = [programme.verified(earned=60_000) for _ in range(3)]
        people = [programme.person() for _ in range(3)]
        return Beginning(affiliates, people, memory_of(sandbox), programme.clock.real_now())


@contextmanager
def opened(database_url: str, sandbox: Flask, begun: Beginning) -> Iterator[Opened]:
    """On a copy of the database that was made ready."""
    with a_programme(database_url, sandbox, begun) as (programme, line):
        yield Opened(programme, line, begun.affiliates, begun.people)


def try_schedules(open_programme: OpenProgramme, *, examples: int, steps: int) -> None:
    """So many schedules of at most so many steps, each on a database of its own."""
    bounds = settings(
        max_examples=SCHEDULES or examples,
        stateful_step_count=60 if SCHEDULES else steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    # any callable that makes a machine will do
    machine = cast("type[AnySchedule]", lambda: AnySchedule(open_programme))
    run_state_machine_as_test(machine, settings=bounds)


def test_any_schedule_on_sqlite(sqlite_template: Path, tmp_path: Path, made_stand_in: Flask) -> None:
    ready, file = tmp_path / "ready.db", tmp_path / "portal.db"
    copyfile(sqlite_template, ready)
    begun = begin(f"sqlite:///{ready}", made_stand_in)

    def open_programme() -> AbstractContextManager[Opened]:
        for left in tmp_path.glob("portal.db*"):
            left.unlink()
        copyfile(ready, file)
        return opened(f"sqlite:///{file}", made_stand_in, begun)

    try_schedules(open_programme, examples=10, steps=25)


def test_any_schedule_on_postgresql(postgresql: PostgresCluster, made_stand_in: Flask) -> None:
    with postgresql.fresh_database() as ready:
        begun = begin(ready, made_stand_in)

        @contextmanager
        def open_programme() -> Iterator[Opened]:
            with (
                postgresql.fresh_database(template=ready) as url,
                opened(url, made_stand_in, begun) as programme,
            ):
                yield programme

        try_schedules(open_programme, examples=4, steps=20)


def test_the_invariants_notice_what_is_wrong(sqlite_url: str, made_stand_in: Flask) -> None:
    """A helper that can't fail would prove nothing."""
    with a_programme(sqlite_url, made_stand_in) as (programme, _):
        payout_id = programme.approved()
        programme.run()
        assert_books_balance(programme)
        destination = programme.payout(payout_id).destination
        metadata = programme.stripe.transfers()[0]["metadata"]
        programme.stripe.transfer_by_hand(destination, 1, group=f"payout-{payout_id}", metadata=metadata)
        with pytest.raises(AssertionError):
            assert_books_balance(programme)


def test_the_watch_notices_what_must_not_leave(sqlite_url: str, made_stand_in: Flask) -> None:
    with a_programme(sqlite_url, made_stand_in) as (programme, line):
        watch = line.watch = Watch(programme)
        payout_id = programme.approved()
        programme.stripe.fault("timeout_before")
        programme.run()
        assert not watch.breaches
        programme.block(programme.payout(payout_id).affiliate_id)
        programme.clock.advance(hours=23)
        watch("POST", "/v1/transfers", f"payout-{payout_id}-g1")
        reasons = [breach.partition(" was sent although ")[2] for breach in watch.breaches]
        assert reasons == [
            "its outcome counts as known",
            "its time is not written down",
            "its key is too old",
            "the affiliate is blocked",
            "nobody looked at the account",
        ]
