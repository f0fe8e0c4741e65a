"""Breaking the books on purpose: what somebody with the database's password and bad intent could do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Flask

from portal import create_app
from portal.config import Settings
from portal.models import Base
from portal.wiring import db
from tests.clocks import MovableClock
from tests.services.line import Line
from tests.services.programme import Programme


@contextmanager
def to_be_broken(settings: Settings, clock: MovableClock, line: Line, stand_in: Flask) -> Iterator[Programme]:
    """A programme of which nobody asks in the end whether its books balance and agree with Stripe."""
    app = create_app(settings, clock=clock, stripe_transport=line)
    with app.app_context():
        try:
            yield Programme(app, stand_in, clock)
        finally:
            db.session.remove()
            db.engine.dispose()


def without_rules(*statements: sa.Executable) -> None:
    """Write in one transaction while the database keeps no rule at all; its rules stand again afterwards."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
        with connection.begin():
            rules = _lift(connection)
            for statement in statements:
                connection.execute(statement)
            for rule in rules:
                connection.exec_driver_sql(rule)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def drop_rule(name: str, table: str) -> None:
    """A rule of the database goes away for good."""
    with db.engine.begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql(
            f"DROP TRIGGER {name}" if is_sqlite else f"ALTER TABLE {table} DISABLE TRIGGER {name}"
        )


def _lift(connection: sa.Connection) -> list[str]:
    """Take every rule away; the statements that bring them back."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        for name, _ in rows:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return [text for _, text in rows]
    connection.exec_driver_sql(
        "SET LOCAL session_replication_role = replica"
    )  # neither triggers nor foreign keys
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, sa.CheckConstraint) and constraint.name:
                name = str(constraint.name)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS {name}")
    return []
