"""Any schedule of people, faults, deaths and clocks: the books balance after every step; in the end all are paid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shutil import copyfile
from typing import cast

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from portal import create_app
from portal.config import settings_from
from portal.wiring import db
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.databases import PostgresCluster
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import Programme
from tests.services.schedule import SECOND_LIMIT, AnySchedule, OpenProgramme
from tests.services.stand_in import begin_anew

#: So many schedules on each database, and longer ones, instead of CI's few.
SCHEDULES = int(os.environ.get("SCHEDULES", "0"))


@contextmanager
def a_programme(database_url: str, sandbox: Flask) -> Iterator[tuple[Programme, Line]]:
    """A portal on a fresh database with a stand-in that knows nothing."""
    begin_anew(sandbox)
    clock = MovableClock()
    environment = {
        **TEST_SETTINGS,
        "DATABASE_URL": database_url,
        "PORTAL_PAYOUT_REQUEST_RATE": "1000 per hour",
        "PORTAL_SECOND_APPROVAL_LIMIT": f"usd:{SECOND_LIMIT}",
    }
    line = Line(sandbox)
    app = create_app(settings_from(environment), clock=clock, stripe_transport=line)
    with app.app_context():
        try:
            yield Programme(app, sandbox, clock), line
        finally:
            db.session.remove()
            db.engine.dispose()


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
    file = tmp_path / "portal.db"

    def open_programme() -> AbstractContextManager[tuple[Programme, Line]]:
        for left in tmp_path.glob("portal.db*"):
            left.unlink()
        copyfile(sqlite_template, file)
        return a_programme(f"sqlite:///{file}", made_stand_in)

    try_schedules(open_programme, examples=15, steps=25)


def test_any_schedule_on_postgresql(postgresql: PostgresCluster, made_stand_in: Flask) -> None:
    @contextmanager
    def open_programme() -> Iterator[tuple[Programme, Line]]:
        with postgresql.fresh_database() as url, a_programme(url, made_stand_in) as opened:
            yield opened

    try_schedules(open_programme, examples=5, steps=20)


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
