"""Writes one rule as a trigger of SQLite or of PostgreSQL, so that both databases keep the same rules.

A condition is SQL over NEW and OLD that both understand, with `DIFFERS` for “is distinct from”.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import op


@dataclass(frozen=True)
class Refusal:
    """Refuse `event` (such as BEFORE UPDATE) on a table when the condition holds."""

    name: str
    table: str
    event: str
    condition: str
    message: str


@dataclass(frozen=True)
class Movement:
    """Do these statements after `event` on a table."""

    name: str
    table: str
    event: str
    statements: Sequence[str]


def create(rules: Sequence[Refusal | Movement]) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for rule in rules:
        for statement in _sqlite(rule) if is_sqlite else _postgresql(rule):
            # past SQLAlchemy's text(), which would take a colon in the body for a parameter
            op.get_bind().exec_driver_sql(statement.replace("%", "%%") if not is_sqlite else statement)


def drop(rules: Sequence[Refusal | Movement]) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for rule in reversed(rules):
        if is_sqlite:
            op.execute(f"DROP TRIGGER {rule.name}")
        else:
            op.execute(f"DROP TRIGGER {rule.name} ON {rule.table}")
            op.execute(f"DROP FUNCTION {rule.name}() CASCADE")


def _sqlite(rule: Refusal | Movement) -> list[str]:
    head = f"CREATE TRIGGER {rule.name} {rule.event} ON {rule.table} FOR EACH ROW"
    if isinstance(rule, Movement):
        return [f"{head} BEGIN {'; '.join(rule.statements)}; END"]
    condition = rule.condition.replace("DIFFERS", "IS NOT")
    return [f"{head} WHEN ({condition}) BEGIN SELECT RAISE(ABORT, '{rule.message}'); END"]


def _postgresql(rule: Refusal | Movement) -> list[str]:
    if isinstance(rule, Movement):
        body = "; ".join(rule.statements) + ";"
    else:
        condition = rule.condition.replace("DIFFERS", "IS DISTINCT FROM")
        body = f"IF ({condition}) THEN RAISE EXCEPTION '{rule.message}' USING ERRCODE = '23514'; END IF;"
    row = "OLD" if "DELETE" in rule.event else "NEW"
    function = (
        f"CREATE FUNCTION {rule.name}() RETURNS trigger AS $body$ BEGIN {body} RETURN {row}; END $body$"
    )
    executes = f"EXECUTE FUNCTION {rule.name}()"
    # emptying a table asks no rule about its rows
    whole = f"CREATE TRIGGER {rule.name}_whole BEFORE TRUNCATE ON {rule.table} FOR EACH STATEMENT {executes}"
    return [
        f"{function} LANGUAGE plpgsql",
        f"CREATE TRIGGER {rule.name} {rule.event} ON {rule.table} FOR EACH ROW {executes}",
        *([whole] if rule.event == "BEFORE DELETE" else []),
    ]
