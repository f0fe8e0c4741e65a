"""What all tables share: the declarative base, column types, and how a unit of work begins and ends."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, registry, scoped_session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from uuid_utils.compat import uuid7

__all__ = [
    "MOST_COUNTED",
    "Base",
    "Database",
    "add_once",
    "bounded_count",
    "new_id",
    "reading",
    "stored_enum",
    "upsert",
    "utc_day",
    "writing",
    "written_out",
]

new_id = uuid7

#: One session for each request, command or job; the proxy that wiring hands to the services.
Database = scoped_session[Session]

#: Whoever asks how many there are mostly needs to know that there are many.
MOST_COUNTED = 1_000

#: How often a unit of work is done again after PostgreSQL broke a deadlock or SQLite stayed locked.
WRITE_TRIES = 5

#: SQLite: how long a writer waits for another. https://www.sqlite.org/pragma.html#pragma_busy_timeout
BUSY_TIMEOUT_MILLISECONDS = 30_000

#: PostgreSQL's serialization failure, broken deadlock, and unique violation: done again, the unit of work sees what the
#: other one wrote, and takes the way for that.
_WORTH_ANOTHER_TRY = frozenset({"40001", "40P01", "23505"})

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, timezone-aware on both databases; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs its offset")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(sa.types.TypeDecorator[Any]):
    """JSON kept as text, keys sorted: the same on both databases and the same bytes every time."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


#: A growing number: BIGINT on PostgreSQL; SQLite numbers rows only in a column declared INTEGER.
BigNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def stored_enum(kind: type[StrEnum], name: str) -> sa.Enum:
    """A column whose stored value is the member's, with a CHECK that nothing else gets in."""
    return sa.Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """The declarative base of every table."""

    # on a registry of its own: Flask-SQLAlchemy cannot take a type map set on the class
    registry = registry(
        metadata=sa.MetaData(naming_convention=_NAMING),
        type_annotation_map={datetime: UtcDateTime(), dict[str, Any]: JsonText()},
    )


class utc_day(GenericFunction[date]):  # noqa: N801 (reads as the function that it is in SQL)
    """The day of a moment, in UTC on both databases, whatever the time zone of their session."""

    type = sa.Date()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _utc_day_on_sqlite(function: utc_day, compiler: SQLCompiler, **options: Any) -> str:
    return f"date({compiler.process(function.clauses, **options)})"


@compiles(utc_day, "postgresql")
def _utc_day_on_postgresql(function: utc_day, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(timezone('UTC', {compiler.process(function.clauses, **options)}) AS DATE)"


def add_once(database: Database, row: type[Base], values: Mapping[str, Any], *, key: str) -> bool:
    """Add a row to the open unit of work unless there is one with the same `key` (a unique column); True if added."""
    adding = _insert(database, row).values(**values).on_conflict_do_nothing(index_elements=[key])
    return database.scalar(adding.returning(getattr(row, key))) is not None


def upsert(
    database: Database,
    row: type[Base],
    values: Mapping[str, Any],
    *,
    keys: Sequence[str],
    then: Mapping[str, Any],
) -> None:
    """Add a row to the open unit of work; where there is one with the same `keys`, do `then` to that."""
    adding = _insert(database, row).values(**values)
    database.execute(adding.on_conflict_do_update(index_elements=list(keys), set_=then))


def bounded_count(database: Database, query: sa.Select[Any], *, most: int = MOST_COUNTED) -> int:
    """How many rows a query finds, counted up to `most`."""
    bounded = query.limit(most).subquery()
    return database.scalar(sa.select(sa.func.count()).select_from(bounded)) or 0


def written_out(value: str | int) -> sa.ColumnElement[Any]:
    """A constant of our own that stands in the statement itself: SQLite takes a partial index only where it sees the
    index's very condition."""
    return sa.literal(value, literal_execute=True)


def _insert(database: Database, row: type[Base]) -> postgresql.Insert | sqlite.Insert:
    is_postgresql = database.get_bind().dialect.name == "postgresql"
    return postgresql.insert(row) if is_postgresql else sqlite.insert(row)


class _OwnsDatabase(Protocol):
    @property
    def _database(self) -> Database: ...


S = TypeVar("S", bound=_OwnsDatabase)
P = ParamSpec("P")
T = TypeVar("T")


def writing(work: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Make a service's method one unit of work: begun as a writer, committed at its end, rolled back on any error,
    done again if another writer was faster. What it returns is detached: a snapshot, never stale in a later unit.

    A unit of work never contains another and never contains a call that leaves the process.
    """

    @functools.wraps(work)
    def unit(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        for last in [*[False] * (WRITE_TRIES - 1), True]:
            try:
                return _run(self._database, lambda: work(self, *args, **kwargs), is_writer=True)
            except DBAPIError as problem:
                if last or not _is_worth_another_try(problem):
                    raise
        raise AssertionError("unreachable")

    return unit


def reading(work: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Make a service's method one consistent look at the database that leaves no transaction open."""

    @functools.wraps(work)
    def unit(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return _run(self._database, lambda: work(self, *args, **kwargs), is_writer=False)

    return unit


def _run(database: Database, work: Callable[[], T], *, is_writer: bool) -> T:
    session = database()
    if session.in_transaction():
        raise RuntimeError("a unit of work began inside another")
    try:
        options: dict[str, Any] = {"is_writer": is_writer}
        if not is_writer and session.get_bind().dialect.name == "postgresql":
            options["isolation_level"] = (
                "REPEATABLE READ"  # one look, however many statements; SQLite's always is
            )
        session.connection(execution_options=options)
        result = work()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.expunge_all()
    return result


def _is_worth_another_try(problem: DBAPIError) -> bool:
    if getattr(problem.orig, "sqlstate", None) in _WORTH_ANOTHER_TRY:
        return True
    return str(problem.orig).startswith(("database is locked", "UNIQUE constraint failed"))


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # the driver's own BEGIN loses updates; ours stands in _begin
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # else INSERT OR REPLACE removes a row without asking the rule against it
        ):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        is_writer = connection.get_execution_options().get("is_writer", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN DEFERRED")
