"""Databases of the server of a test run, lent to one test after the other: washing one takes milliseconds, making one a
fifth of a second.

One that a test has changed in shape, or that somebody is still connected to, is thrown away instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.databases import TEMPLATE, PostgresCluster

#: What the shape of a database is written down in; each change of it leaves a younger row there, or one less.
_CATALOGUES: tuple[LiteralString, ...] = (
    "pg_class",
    "pg_attribute",
    "pg_constraint",
    "pg_trigger",
    "pg_proc",
    "pg_type",
)

#: Rows that were deleted stay behind in the files; after so many loans a new database is quicker.
_MOST_LOANS = 60


@dataclass
class _Database:
    """One of them, and how often it was lent."""

    name: str
    loans: int = 0


@dataclass(frozen=True)
class _Beginning:
    """What every database begins as."""

    shape: tuple[object, ...]
    tables: list[str]
    rows: dict[str, bytes]
    """What stands in the tables that are not empty, as COPY writes it."""
    sequences: list[tuple[str, int, bool]]


@dataclass
class Lending:
    """The databases of one run that are clean just now."""

    cluster: PostgresCluster
    _clean: list[_Database] = field(default_factory=list)
    _beginning: _Beginning | None = None

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a database that is as the template."""
        lent = self._clean.pop() if self._clean else self._new()
        try:
            yield self.cluster.url(lent.name)
        finally:
            lent.loans += 1
            if lent.loans < _MOST_LOANS and self._wash(lent):
                self._clean.append(lent)
            else:
                self.cluster.drop_database(lent.name)

    def _new(self) -> _Database:
        made = _Database(self.cluster.new_name())
        self.cluster.create_database(made.name, template=TEMPLATE)
        if self._beginning is None:
            with self.cluster.connected_to(made.name) as connection:
                self._beginning = _beginning(connection)
        return made

    def _wash(self, lent: _Database) -> bool:
        """Make it what it was; False where that can't be done."""
        beginning = self._beginning
        assert beginning is not None
        with self.cluster.connected_to(lent.name) as connection:
            if _is_in_use(connection) or _shape(connection) != beginning.shape:
                return False
            connection.execute(
                "SET session_replication_role = replica"
            )  # the triggers guard rows from us too
            for table in beginning.tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table, rows in beginning.rows.items():
                with connection.cursor().copy(
                    sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
                ) as copy:
                    copy.write(rows)
            for sequence in beginning.sequences:
                connection.execute("SELECT setval(%s::text::regclass, %s, %s)", sequence)
        return True


def _beginning(connection: psycopg.Connection[tuple[object, ...]]) -> _Beginning:
    tables = _column(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    sequences = _column(connection, "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
    rows = {table: _rows(connection, table) for table in tables}
    return _Beginning(
        shape=_shape(connection),
        tables=tables,
        rows={table: some for table, some in rows.items() if some},
        sequences=[_position(connection, sequence) for sequence in sequences],
    )


def _rows(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _position(connection: psycopg.Connection[tuple[object, ...]], sequence: str) -> tuple[str, int, bool]:
    query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
    last_value, is_called = connection.execute(query).fetchall()[0]
    assert isinstance(last_value, int)
    return sequence, last_value, bool(is_called)


def _shape(connection: psycopg.Connection[tuple[object, ...]]) -> tuple[object, ...]:
    parts: list[LiteralString] = [
        f"(SELECT count(*) FROM {name}), (SELECT max(xmin::text::bigint) FROM {name})" for name in _CATALOGUES
    ]
    return connection.execute("SELECT " + ", ".join(parts)).fetchall()[0]


def _is_in_use(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    others = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid())"
    )
    return bool(connection.execute(others).fetchall()[0][0])


def _column(connection: psycopg.Connection[tuple[object, ...]], query: LiteralString) -> list[str]:
    return [str(row[0]) for row in connection.execute(query)]
