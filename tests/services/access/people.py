"""Whom these tests are about, and what their rows look like."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from portal.models.base import Base, Database
from portal.services.journal import Cause
from portal.services.people import VerifiedIdentity

SHELL = Cause.system("a test")

ANA = VerifiedIdentity(
    provider="company",
    issuer="https://id.example",
    subject="ana-1",
    name="Ana",
    email="ana@example.com",
    is_email_verified=True,
)


def rows(database: Database, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """What stands in the database now."""
    with database() as session:
        return [tuple(row) for row in session.execute(query)]


def count(database: Database, table: type[Base]) -> int:
    """How many rows a table has."""
    return len(rows(database, sa.select(sa.literal(1)).select_from(table)))
