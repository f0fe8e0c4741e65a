"""Changes which kinds of mail the outbox takes, whichever it took before, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import sqlalchemy as sa
from alembic import op

_NAME = "ck_outbox_mail_kind"


def allow(kinds: Collection[str]) -> None:
    """Let the outbox take these kinds too."""
    _change(lambda before: [*before, *kinds])


def refuse(kinds: Collection[str]) -> None:
    """Let it take them no more, and forget those that there are."""
    outbox = sa.table("outbox", sa.column("kind"))
    op.execute(sa.delete(outbox).where(outbox.c.kind.in_([*kinds])))
    _change(lambda before: [kind for kind in before if kind not in kinds])


def _change(kinds_after: Callable[[list[str]], list[str]]) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        query = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
        before = re.findall(r"'(\w+)'", connection.scalars(query, {"name": _NAME}).one())
        op.drop_constraint(op.f(_NAME), "outbox")
        op.create_check_constraint(op.f(_NAME), "outbox", f"kind IN ({_listed(kinds_after(before))})")
        return
    # SQLite changes no constraint of a table that is there: it is made anew, in all else letter by letter as it was
    made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE tbl_name = 'outbox' AND sql <> ''")
    table, *indexes = sorted((sql for (sql,) in made), key=lambda sql: not sql.startswith("CREATE TABLE"))
    (allowed,) = re.findall(r"kind IN \(([^)]*)\)", table)
    after = _listed(kinds_after(re.findall(r"'(\w+)'", allowed)))
    for statement in (
        "ALTER TABLE outbox RENAME TO outbox_before",
        table.replace(f"kind IN ({allowed})", f"kind IN ({after})"),
        "INSERT INTO outbox SELECT * FROM outbox_before",
        "DROP TABLE outbox_before",
        *indexes,
    ):
        connection.exec_driver_sql(statement)


def _listed(kinds: Collection[str]) -> str:
    return ", ".join(repr(kind) for kind in kinds)
