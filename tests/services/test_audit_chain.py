"""The chain over the audit trail: every row is sealed once and in order, and whatever is changed later is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from portal.config import Settings
from portal.jobs.work import everything_due
from portal.models import AuditRow, AuditSeal
from portal.services.audit_chain import AuditChain, ChainReport
from tests.clocks import MovableClock
from tests.services.breaking import to_be_broken, without_rules
from tests.services.line import Line
from tests.services.programme import Programme


@pytest.fixture
def sealed(settings: Settings, clock: MovableClock, line: Line, stand_in: Flask) -> Iterator[Programme]:
    """A programme with a sealed trail, to be tampered with."""
    with to_be_broken(settings, clock, line, stand_in) as programme:
        programme.approved()
        programme.run()
        programme.services.audit_chain.seal()
        yield programme


def chain(programme: Programme) -> AuditChain:
    return programme.services.audit_chain


def verified(programme: Programme) -> ChainReport:
    return programme.services.audit_chain.verify()


def broken(programme: Programme) -> str:
    """The id of the first broken row."""
    report = verified(programme)
    assert report.first_break is not None
    assert not report.is_whole
    assert programme.services.selfcheck.run()[-1] == report.first_break
    return report.first_break.id


def audit_ids(programme: Programme) -> list[int]:
    return [row[0] for row in programme.rows(sa.select(AuditRow.id).order_by(AuditRow.id))]


def test_an_empty_trail_is_whole(programme: Programme) -> None:
    assert chain(programme).seal() == 0
    report = verified(programme)
    assert (report.is_whole, report.sealed, report.waiting) == (True, 0, 0)


def test_every_row_is_sealed_once_and_in_order(programme: Programme) -> None:
    programme.approved()
    ids = audit_ids(programme)
    assert verified(programme).waiting == len(ids)
    assert chain(programme).seal() == len(ids)
    assert chain(programme).seal() == 0
    programme.run()
    chain(programme).seal()
    seals = programme.rows(sa.select(AuditSeal.sequence, AuditSeal.audit_id).order_by(AuditSeal.sequence))
    assert [tuple(seal) for seal in seals] == list(enumerate(audit_ids(programme), start=1))
    report = verified(programme)
    assert (report.is_whole, report.sealed, report.waiting, report.late) == (True, len(seals), 0, 0)


@pytest.mark.settings(PORTAL_LOG_LEVEL="INFO")
def test_the_head_is_logged_outside_the_database(programme: Programme) -> None:
    programme.approved()
    with capture_logs() as logs:
        chain(programme).seal()
    (line,) = [line for line in logs if line["event"] == "audit.sealed"]
    assert line["head"] == verified(programme).head
    assert line["sequence"] == line["rows"] == len(audit_ids(programme))


def test_the_worker_seals_what_it_did(programme: Programme) -> None:
    programme.approved()
    assert everything_due(programme.services)
    report = verified(programme)
    assert report.sealed > 0
    assert report.waiting == 0


@pytest.mark.parametrize("column", ["actor_id", "to_value", "reason", "cause", "subject_id", "created_at"])
def test_a_changed_row_is_named(sealed: Programme, column: str, clock: MovableClock) -> None:
    clock.advance(days=1)
    value: Any = clock.now() if column == "created_at" else "forged"
    row = audit_ids(sealed)[2]
    without_rules(sa.update(AuditRow).where(AuditRow.id == row).values({column: value}))
    assert broken(sealed) == str(row)


def test_a_row_that_is_gone_is_named(sealed: Programme) -> None:
    row = audit_ids(sealed)[1]
    without_rules(sa.delete(AuditRow).where(AuditRow.id == row))
    assert broken(sealed) == str(row)


def test_a_seal_that_is_gone_is_named(sealed: Programme) -> None:
    ids = audit_ids(sealed)
    without_rules(sa.delete(AuditSeal).where(AuditSeal.sequence == 2))
    assert broken(sealed) == str(ids[2])


def test_a_row_that_was_sealed_anew_breaks_the_next_link(sealed: Programme) -> None:
    ids = audit_ids(sealed)
    without_rules(sa.update(AuditSeal).where(AuditSeal.sequence == 2).values(hash="f" * 64))
    assert broken(sealed) == str(ids[1])


def test_the_database_takes_no_seal_out_of_order(sealed: Programme, clock: MovableClock) -> None:
    forged = sa.insert(AuditSeal).values(
        sequence=99, audit_id=999, previous_hash="0" * 64, hash="1" * 64, sealed_at=clock.now()
    )
    with pytest.raises(DBAPIError, match="each seal follows the one before"):
        sealed.execute(forged)
    for tampering in (sa.delete(AuditSeal), sa.update(AuditSeal).values(hash="1" * 64)):
        with pytest.raises(DBAPIError, match="audit_seals: rows are"):
            sealed.execute(tampering)


def test_rows_that_nobody_seals_are_said(programme: Programme, clock: MovableClock) -> None:
    programme.approved()
    assert verified(programme).late == 0
    clock.advance(minutes=6)
    report = verified(programme)
    assert report.late == report.waiting > 0
    assert report.is_whole


def test_workers_at_the_same_time_write_one_chain(programme: Programme) -> None:
    for _ in range(3):
        programme.approved()

    def seal(_: int) -> int:
        with programme.app.app_context():
            return chain(programme).seal()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(seal, range(4))) == len(audit_ids(programme))
    report = verified(programme)
    assert (report.is_whole, report.sealed, report.waiting) == (True, len(audit_ids(programme)), 0)


def test_the_chain_goes_on_over_many_rows(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.audit_chain.BATCH", 4)
    for _ in range(3):
        programme.approved()
    count = len(audit_ids(programme))
    assert count > 8
    assert chain(programme).seal() == count
    assert verified(programme).sealed == count
