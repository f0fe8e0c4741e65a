"""How Alembic reaches the portal's database: through the running Flask app, one transaction for each migration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    """Leave alone what the job queue keeps in the same PostgreSQL database, and an index that not every one can have."""
    is_queue = kind == "table" and name is not None and name.startswith("huey")
    return not is_queue and name != "ix_affiliates_words"


def rendered(kind: str, item: Any, _context: Any) -> str | bool:
    """Name our own column types in a migration by what they are stored as, so that it never imports the portal."""
    if kind == "type" and type(item).__module__.startswith("portal."):
        return "sa.Text()" if isinstance(item.impl, sa.Text) else f"sa.{item.impl!r}"
    return False


def migrate() -> None:
    if context.is_offline_mode():
        raise SystemExit("migrations run against a database; there is no offline mode")
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            include_object=is_ours,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
            compare_type=True,
            render_item=rendered,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate()
