"""The schema's way up and down, on both databases, and that it ends where the models say."""

from __future__ import annotations

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.config import PROJECT_ROOT
from portal.wiring import db

FOLDER = str(PROJECT_ROOT / "migrations")


@pytest.mark.parametrize("revision", ["0003", "base"])
def test_the_schema_goes_down_and_up_again_and_is_what_the_models_say(
    portal_app: Flask, revision: str
) -> None:
    with portal_app.app_context():
        before = _rules()
        flask_migrate.downgrade(directory=FOLDER, revision=revision)
        flask_migrate.upgrade(directory=FOLDER)
        assert _rules() == before
        flask_migrate.check(directory=FOLDER)  # ends the process if a model and its table differ


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_extension_that_is_out_of_reach_stops_no_migration(portal_app: Flask) -> None:
    """Some hosts keep extensions in a schema of their own: then affiliates are found without the index of words."""
    with portal_app.app_context():
        flask_migrate.downgrade(directory=FOLDER, revision="0020")
        with db.engine.begin() as connection:
            known = sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
            if not connection.scalar(known):
                pytest.skip("this PostgreSQL has no such extension")
            connection.execute(sa.text("DROP EXTENSION IF EXISTS pg_trgm"))
            connection.execute(sa.text("CREATE SCHEMA elsewhere"))
            connection.execute(sa.text("CREATE EXTENSION pg_trgm SCHEMA elsewhere"))
        flask_migrate.upgrade(directory=FOLDER)
        indexes = {index["name"] for index in sa.inspect(db.engine).get_indexes("affiliates")}
        assert "ix_affiliates_blocked" in indexes
        assert "ix_affiliates_words" not in indexes


def _rules() -> set[str]:
    """The names of all rules that the database keeps."""
    with db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if is_sqlite
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        return set(connection.execute(sa.text(query)).scalars())
