"""Runs that the database breaks off: a full disk, a file that stays locked, death within a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from sqlite3 import connect
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from portal.models import Base, base
from portal.wiring import db
from tests.services.death import dying_within
from tests.services.line import Answer, Line
from tests.services.programme import TEST, Programme

TRANSFERS = ("POST", "/v1/transfers")
ATTEMPTS = ("payout_attempts",)
ALL = tuple(table.name for table in Base.metadata.sorted_tables)

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fill_the_disk(programme: Programme, tables: tuple[str, ...]) -> None:
    """PostgreSQL has no room for a row any more. It says so as a rule of the test's own, in the error, the statement
    and the broken transaction the same as a disk's: a disk that can be filled needs rights that not everybody has.
    https://www.postgresql.org/docs/current/errcodes-appendix.html"""
    programme.execute(
        sa.text(
            "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
        ),
        *(
            sa.text(
                f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION no_room()"
            )
            for name in tables
        ),
    )


def make_room(programme: Programme, tables: tuple[str, ...]) -> None:
    programme.execute(*(sa.text(f"DROP TRIGGER no_room ON {name}") for name in tables))


def assert_paid_once(programme: Programme, payout_id: UUID) -> None:
    """By a run that comes later."""
    programme.clock.advance(minutes=30)
    programme.run()
    assert programme.payout(payout_id).status == "paid"
    groups = [each["transfer_group"] for each in programme.stripe.transfers()]
    assert groups.count(f"payout-{payout_id}") == 1


@on_postgresql
def test_nothing_is_sent_when_the_disk_is_full_at_the_intent(programme: Programme) -> None:
    payout_id = programme.approved()
    fill_the_disk(programme, ATTEMPTS)
    programme.run()
    assert programme.stripe.requests(*TRANSFERS) == []
    assert programme.payout(payout_id).status == "approved"
    make_room(programme, ATTEMPTS)
    assert_paid_once(programme, payout_id)


@on_postgresql
@pytest.mark.parametrize("tables", [ATTEMPTS, ALL], ids=["of attempts", "of all"])
def test_what_was_sent_is_written_down_later_when_the_disk_is_full_at_the_answer(
    programme: Programme, line: Line, tables: tuple[str, ...]
) -> None:
    payout_id = programme.approved()

    def fill(method: str, path: str, answer: Answer) -> Answer:
        if (method, path) == TRANSFERS:
            fill_the_disk(programme, tables)
        return answer

    line.on_answer = fill
    with suppress(OperationalError):  # where not even the fault can be noted
        programme.run()
    line.is_quiet_again()
    make_room(programme, tables)
    assert len(programme.stripe.transfers()) == 1
    assert programme.payout(payout_id).status == "processing"
    assert_paid_once(programme, payout_id)


@contextmanager
def locked_after(commits: int) -> Iterator[list[int]]:
    """Another process begins to write after so many commits, and does not come to an end before the run does; the list
    holds its lock as long as that has not come."""
    engine, really, left = db.engine, db.engine.dialect.do_commit, [commits]
    assert engine.url.database is not None
    writer = connect(engine.url.database, isolation_level=None)

    def lock() -> None:
        if left and left[0] == 0:
            left.clear()
            writer.execute("BEGIN IMMEDIATE")

    def commit(connection: Any) -> None:
        really(connection)
        if left:
            left[0] -= 1
        lock()

    engine.dialect.do_commit = commit  # type: ignore[method-assign, assignment]
    try:
        lock()
        yield left
    finally:
        engine.dialect.do_commit = really  # type: ignore[method-assign]
        writer.close()


@on_sqlite
def test_sqlite_that_stays_locked_from_any_commit_of_a_run_on_is_paid_once_later(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the portal waits: claim, look, intent, answer and letting go in turn."""
    monkeypatch.setattr(base, "BUSY_TIMEOUT_MILLISECONDS", 1)
    affiliate_id = programme.verified()
    db.engine.dispose()  # each connection is told how long to wait when it is made
    seen = set()
    for number in count():
        programme.earn(affiliate_id, 3_000)
        payout_id = programme.request(affiliate_id)
        with locked_after(number) as left, suppress(OperationalError):
            programme.run()
        if left:
            break
        posts = [
            each
            for each in programme.stripe.requests(*TRANSFERS)
            if str(payout_id) in each["idempotency_key"]
        ]
        seen.add((programme.payout(payout_id).status.value, len(posts)))
        assert_paid_once(programme, payout_id)
    # the turn to ask Stripe is noted before the attempt is: what is written down leaves
    assert seen == {("approved", 0), ("processing", 1), ("paid", 1)}


def test_death_between_any_two_statements_of_a_run_is_paid_once_later(programme: Programme) -> None:
    affiliate_id = programme.verified()
    seen = set()
    for number in count(1):
        programme.earn(affiliate_id, 3_000)
        payout_id = programme.request(affiliate_id)
        with dying_within(number, engine=db.engine) as mortal:
            programme.run()
        if mortal.is_alive:
            break
        seen.add(programme.payout(payout_id).status.value)
        assert_paid_once(programme, payout_id)
    assert seen == {"approved", "processing", "paid"}
    assert number > 10, "claim, look, intent, answer and letting go write more than that"


@pytest.mark.parametrize("work", ["request", "cancel"])
def test_death_between_any_two_statements_of_asking_and_calling_off_leaves_all_or_nothing(
    programme: Programme, work: str
) -> None:
    """The invariants are asked of whatever is left."""
    affiliate_id = programme.verified(earned=3_000)
    for number in count(1):
        payout_id = None if work == "request" else programme.request(affiliate_id)
        with dying_within(number, engine=db.engine) as mortal:
            if payout_id is None:
                programme.request(affiliate_id)
            else:
                programme.services.payouts.cancel(payout_id, cause=TEST)
        if mortal.is_alive:
            break
        available = programme.balances(affiliate_id).available.amount
        assert available == (3_000 if payout_id is None else 0)
        if payout_id is not None:
            programme.services.payouts.cancel(payout_id, cause=TEST)
    assert number > 5
