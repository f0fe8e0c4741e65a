"""Notes on both databases: kept whole, sealed with the rest of the trail, and never changed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.models import ActorKind, AuditRow
from portal.services.journal import Cause
from portal.services.notes import LONGEST_NOTE
from tests.services.programme import Programme

OLGA = Cause(ActorKind.operator, "olga", "a request")


def test_the_longest_note_is_kept_sealed_and_cannot_be_changed(programme: Programme) -> None:
    affiliate = programme.get(programme.affiliate())
    words = "ü" * (LONGEST_NOTE - 1) + "!"
    programme.services.notes.add(affiliate.code, f"  {words}\r\n", cause=OLGA)
    notes = sa.select(AuditRow.id, AuditRow.reason).where(AuditRow.action == "affiliate.noted")
    ((row_id, kept),) = programme.rows(notes)
    assert kept == words
    programme.services.audit_chain.seal()
    assert list(programme.services.audit_chain.breaches()) == []
    with pytest.raises(DBAPIError):
        programme.execute(sa.update(AuditRow).where(AuditRow.id == row_id).values(reason="nothing"))
