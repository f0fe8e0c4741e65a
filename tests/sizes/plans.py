"""By which way a database answers what a page asks: its own words for the plan of every statement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from portal.models import Base

#: Tables that grow for ever; the others stay small.
LARGE = frozenset(
    {
        "affiliates", "audit_log", "audit_seals", "bank_payouts", "carried_payouts", "earnings", "ledger_accounts",
        "ledger_entries", "listed_payouts", "outbox", "payout_attempts", "payouts", "stripe_accounts", "users",
        "webhook_events",
    }
)  # fmt: skip


#: Indexes of the few rows that need something; they may be gone through.
_OF_FEW = frozenset(
    str(index.name)
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
)


@dataclass(frozen=True)
class Asked:
    """One statement with its values, as the driver got them."""

    statement: str
    values: Any


@contextmanager
def listening(engine: sa.Engine) -> Iterator[list[Asked]]:
    """What is asked of a database meanwhile."""
    asked: list[Asked] = []

    def note(
        _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _is_many: bool
    ) -> None:
        if statement.startswith(("SELECT", "WITH")):
            asked.append(Asked(statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def whole_tables(connection: sa.Connection, asked: Asked) -> list[str]:
    """The large tables that a statement goes through from end to end, with the part of the plan that says so."""
    if connection.dialect.name == "sqlite":
        return _on_sqlite(connection, asked)
    return _on_postgresql(connection, asked)


def _on_sqlite(connection: sa.Connection, asked: Asked) -> list[str]:
    if "WHERE" not in asked.statement and "LIMIT" in asked.statement:
        return []  # the newest rows, in the table's own order
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.statement}", asked.values)
    steps = [(row.detail, re.match(r"SCAN (\w+)", row.detail)) for row in rows]
    return [
        said
        for said, step in steps
        if step and _table_of(step[1], asked.statement) in LARGE and said.rpartition(" ")[2] not in _OF_FEW
    ]


def _table_of(name: str, statement: str) -> str:
    """What stands behind an alias."""
    found = re.search(rf"(\w+) AS {name}\b", statement)
    return found[1] if found else name


def _on_postgresql(connection: sa.Connection, asked: Asked) -> list[str]:
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # in a small table there is nothing quicker
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {asked.statement}", asked.values).scalar()
    tree = plan if isinstance(plan, list) else json.loads(str(plan))
    return [
        f"{node['Node Type']} on {node['Relation Name']} {node.get('Filter', '')}"
        for node in _nodes(tree[0]["Plan"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE
    ]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
