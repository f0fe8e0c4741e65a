"""A database that was lent before is as good as a new one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.databases import PostgresCluster
from tests.lending import Lending


@pytest.fixture
def lending(postgresql: PostgresCluster) -> Lending:
    """One that has not lent anything yet."""
    return Lending(postgresql)


def connection(address: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(address.replace("+psycopg", ""), autocommit=True)


def everything(address: str) -> Iterator[tuple[object, ...]]:
    """Every row of every table, and the position of every sequence."""
    with connection(address) as asking:
        tables = asking.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for (table,) in tables.fetchall():
            yield from ((table, *row) for row in asking.execute(f'SELECT * FROM "{table}"'.encode()))
        yield from asking.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")


@pytest.mark.parametrize(
    "written",
    [
        "INSERT INTO users (id, name, email, created_at) VALUES (gen_random_uuid(), 'Ada', 'a@b.example', now())",
        "SET session_replication_role = replica; UPDATE installation SET id = gen_random_uuid()",
        "SET session_replication_role = replica; DELETE FROM installation",
        "SELECT setval(sequencename::text::regclass, 4711) FROM pg_sequences",
    ],
)
def test_what_one_test_wrote_is_gone_for_the_next(lending: Lending, written: str) -> None:
    with lending.database() as first:
        as_new = list(everything(first))
        with connection(first) as writing:
            writing.execute(written.encode())
        assert list(everything(first)) != as_new
    with lending.database() as second:
        assert second == first
        assert list(everything(second)) == as_new


@pytest.mark.parametrize(
    "changed",
    [
        "DROP TRIGGER payout_attempts_begin ON payout_attempts",
        "ALTER TABLE payouts DISABLE TRIGGER USER",
        "ALTER TABLE users ADD COLUMN age integer",
        "CREATE TABLE jobs (id integer)",
        "CREATE INDEX more ON users (name)",
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
        "CREATE OR REPLACE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_database_of_another_shape_is_not_lent_again(lending: Lending, changed: str) -> None:
    with lending.database() as first, connection(first) as changing:
        changing.execute(changed.encode())
    with lending.database() as second:
        assert second != first


def test_a_database_that_somebody_still_works_with_is_not_lent_again(lending: Lending) -> None:
    with lending.database() as first:
        left_open = connection(first)
    with lending.database() as second:
        assert second != first
    left_open.close()
