"""The audit trail as operators read it: by filter, newest first, with the names behind the ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.models import ActorKind, Affiliate, ApiToken, AuditRow, Operator, Payout, User
from portal.models.base import Database, reading

#: A row's number may be lower than that of one whose change is older: numbers are given before rows are committed, and
#: clocks of several machines differ. Never by so many.
LATE_BY_AT_MOST = 10_000

#: The largest number, less what is added to it.
_NO_ROW_YET = 2**63 - 1 - LATE_BY_AT_MOST

#: Kinds of actors whose id is that of a person.
_PEOPLE = {ActorKind.affiliate, ActorKind.operator, ActorKind.shell}


@dataclass(frozen=True)
class AuditFilter:
    """What to show of the trail; None shows all. `since` and `until` are UTC, the second not included."""

    actor: ActorKind | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditLine:
    """A row with what people call its actor and its subject; both are empty where nobody has a name for it."""

    row: AuditRow
    actor: str
    subject: str


class AuditTrail:
    """Reads the trail; nothing here adds to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @reading
    def newest(self, wanted: AuditFilter, *, before: int | None = None, limit: int = 50) -> list[AuditLine]:
        """The rows that match, newest first, those numbered below `before`."""
        query = _matching(wanted)
        if before is not None:
            query = query.where(AuditRow.id < before)
        # numbers grow with time, by which rows are found without looking at all that is newer
        if wanted.since is not None:
            query = query.where(AuditRow.id >= self._first_since(wanted.since) - LATE_BY_AT_MOST)
        if wanted.until is not None:
            query = query.where(AuditRow.id <= self._first_since(wanted.until) + LATE_BY_AT_MOST)
        rows = self._database.scalars(query.order_by(AuditRow.id.desc()).limit(limit)).all()
        return lines_of(self._database, rows)

    def _first_since(self, moment: datetime) -> int:
        """The number of the first row of a time; of one that is yet to come, a number that no row has."""
        first = (
            sa.select(AuditRow.id).where(AuditRow.created_at >= moment).order_by(AuditRow.created_at).limit(1)
        )
        return self._database.scalar(first) or _NO_ROW_YET

    @reading
    def of(self, subject_kind: str, subject_id: UUID | str) -> list[AuditLine]:
        """What happened to one subject, oldest first."""
        query = _matching(AuditFilter(subject_kind=subject_kind, subject_id=str(subject_id)))
        return lines_of(self._database, self._database.scalars(query.order_by(AuditRow.id)).all())


def lines_of(database: Database, rows: Sequence[AuditRow]) -> list[AuditLine]:
    """The rows with their names, for use inside a unit of work."""
    people = names_of_people(database, (_uuid(row.actor_id) for row in rows if row.actor_kind in _PEOPLE))
    tokens = (_uuid(row.actor_id) for row in rows if row.actor_kind is ActorKind.machine)
    machines = _named(database, ApiToken.id, ApiToken.name, tokens)
    subjects: dict[tuple[str, UUID], str] = {}
    for kind, key, name in (
        ("affiliate", Affiliate.id, Affiliate.code),
        ("payout", Payout.id, Payout.number),
        ("operator", Operator.id, Operator.name),
        ("api_token", ApiToken.id, ApiToken.name),
    ):
        ids = (_uuid(row.subject_id) for row in rows if row.subject_kind == kind)
        found = _named(database, key, name, ids)
        subjects |= {(kind, each): f"P-{text}" if kind == "payout" else text for each, text in found.items()}
    return [_line(row, people | machines, subjects) for row in rows]


def names_of_people(database: Database, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """What the people behind these ids are called, for use inside a unit of work."""
    query = sa.select(User.id, User.name, User.email).where(User.id.in_({each for each in ids if each}))
    return {each: name or email or str(each) for each, name, email in database.execute(query)}


def _line(row: AuditRow, actors: dict[UUID, str], subjects: dict[tuple[str, UUID], str]) -> AuditLine:
    actor_id, subject_id = _uuid(row.actor_id), _uuid(row.subject_id)
    return AuditLine(
        row,
        actor=actors.get(actor_id, "") if actor_id else row.actor_id or "",
        subject=subjects.get((row.subject_kind, subject_id), "") if subject_id else row.subject_id,
    )


def _named(
    database: Database,
    key: sa.orm.InstrumentedAttribute[UUID],
    name: sa.orm.InstrumentedAttribute[str] | sa.orm.InstrumentedAttribute[int],
    ids: Iterable[UUID | None],
) -> dict[UUID, str]:
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    return {each: str(text) for each, text in database.execute(sa.select(key, name).where(key.in_(wanted)))}


def _matching(wanted: AuditFilter) -> sa.Select[AuditRow]:
    query = sa.select(AuditRow)
    if wanted.actor is not None:
        query = query.where(AuditRow.actor_kind == wanted.actor)
    if wanted.action is not None:
        query = query.where(AuditRow.action == wanted.action)
    if wanted.subject_kind is not None:
        query = query.where(AuditRow.subject_kind == wanted.subject_kind)
    if wanted.subject_id is not None:
        query = query.where(AuditRow.subject_id == wanted.subject_id)
    if wanted.since is not None:
        query = query.where(AuditRow.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditRow.created_at < wanted.until)
    return query


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
