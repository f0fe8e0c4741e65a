"""Many rows at once: COPY on PostgreSQL, executemany on SQLite, all in one transaction without the rules of the rows.

Those rules (triggers) look at every row as it changes, which for millions of rows is most of the work. Foreign keys,
checks and unique constraints stay; the balances are then made of the entries, and `selfcheck` asks what the rules keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager

import sqlalchemy as sa

from portal.cli.generated_rows import COLUMNS, Places, Row
from portal.models import AuditRow, AuditSeal, LedgerAccount, LedgerEntry, Payout
from portal.services.audit_chain import BEGINNING

#: Rows that are kept back until they are written together.
AT_ONCE = 200_000

_BALANCES = """UPDATE ledger_accounts SET balance = moved.amount, last_entry_id = moved.newest FROM (
    SELECT account, sum(amount) AS amount, max(id) AS newest FROM (
        SELECT id, credit_account_id AS account, amount FROM ledger_entries WHERE id > :entry
        UNION ALL SELECT id, debit_account_id, -amount FROM ledger_entries WHERE id > :entry) AS sides
    GROUP BY account) AS moved WHERE moved.account = ledger_accounts.id"""

_TOTALS = """UPDATE affiliates SET total_earned = -earned.balance FROM ledger_accounts AS earned
    WHERE earned.affiliate_id = affiliates.id AND earned.kind = 'earned' AND earned.balance <> 0
    AND earned.id > :account"""


class Bulk:
    """Keeps rows back and writes them, table after table, while the next ones are made."""

    def __init__(self, connection: sa.Connection, writer: Executor) -> None:
        self.connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._writer = writer
        self._under_way: Future[None] | None = None
        self._rows = _no_rows()
        self._kept = 0
        self.written = 0

    def places(self) -> Places:
        """Where the database's counting stands."""

        def highest(column: sa.orm.InstrumentedAttribute[int]) -> int:
            return self.connection.scalar(sa.select(sa.func.max(column))) or 0

        last = sa.select(AuditSeal.hash).order_by(AuditSeal.sequence.desc()).limit(1)
        return Places(
            payout=max(highest(Payout.number), 1_000),
            entry=highest(LedgerEntry.id),
            account=highest(LedgerAccount.id),
            audit=highest(AuditRow.id),
            seal=highest(AuditSeal.sequence),
            seal_hash=self.connection.scalar(last) or BEGINNING,
        )

    def add(self, table: str, row: Row) -> None:
        self._rows[table].append(row)
        self._kept += 1
        if self._kept >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Have written what is kept back, once what came before it is."""
        self._wait()
        self._under_way = self._writer.submit(self._write_all, self._rows)
        self.written += self._kept
        self._rows, self._kept = _no_rows(), 0

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def finish(self, before: Places) -> None:
        """Make the balances of the new entries, and have the database count on from the last row."""
        self.flush()
        self._wait()
        self.connection.execute(sa.text(_BALANCES), {"entry": before.entry})
        self.connection.execute(sa.text(_TOTALS), {"account": before.account})
        if self._is_sqlite:
            return  # counts on by itself
        for table, column in (
            ("payouts", "number"), ("ledger_entries", "id"), ("ledger_accounts", "id"), ("audit_log", "id"),
        ):  # fmt: skip
            count_on = sa.func.setval(
                sa.func.pg_get_serial_sequence(table, column), sa.func.max(sa.column(column))
            )
            self.connection.execute(
                sa.select(count_on).select_from(sa.table(table)).having(sa.func.count() > 0)
            )

    def _write_all(self, tables: Mapping[str, list[Row]]) -> None:
        for table, rows in tables.items():
            if rows:
                self._write(table, rows)

    def _write(self, table: str, rows: list[Row]) -> None:
        columns = COLUMNS[table]
        names = ", ".join(columns)
        driver = self.connection.connection.cursor()
        try:
            if self._is_sqlite:
                places = ", ".join("?" * len(columns))
                driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608 - our own names
                return
            with driver.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for first in range(0, len(rows), 5_000):
                    lines = ("\t".join(map(_copied, row)) for row in rows[first : first + 5_000])
                    copy.write("\n".join(lines) + "\n")
        finally:
            driver.close()


@contextmanager
def bulk_writing(engine: sa.Engine) -> Iterator[Bulk]:
    """One transaction in which the rows' rules are lifted; they stand again at its end. Whatever fails undoes all."""
    with (
        engine.begin() as connection,
        _lifted_rules(connection),
        ThreadPoolExecutor(max_workers=1) as writer,
    ):
        yield Bulk(connection, writer)


@contextmanager
def _lifted_rules(connection: sa.Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        rules = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        for name, _ in rules:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield
        for _, text in rules:
            connection.exec_driver_sql(text)
        return
    connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
    for table in COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _no_rows() -> dict[str, list[Row]]:
    return {table: [] for table in COLUMNS}


def _copied(value: str | int | None) -> str:
    """As COPY's text format takes it: what is generated holds no tab, line break or backslash."""
    return "\\N" if value is None else str(value)
