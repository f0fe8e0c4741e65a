"""What operators and workers do with payout runs, and what is written down of it."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.models import ActorKind, ListedPayout, PayoutRun
from portal.services.journal import Cause
from portal.services.run_records import RunRecord
from tests.services.programme import Programme


def look(programme: Programme) -> UUID:
    """What an operator's page names; a moment passes until they have read it."""
    run_id = programme.services.payout_previews.next().run_id
    programme.clock.advance(seconds=60)
    return run_id


def confirm(programme: Programme, run_id: UUID, total: str = "100.00", by: UUID | None = None) -> PayoutRun:
    by = by or programme.person()
    cause = Cause(ActorKind.operator, str(by), "request:1")
    return programme.services.payout_runs.confirm(run_id, total=total, confirmed_by=by, cause=cause)


def work(programme: Programme) -> int:
    return programme.services.payout_runs.do_waiting()


def record(programme: Programme, run_id: UUID) -> RunRecord:
    return programme.services.run_records.get(run_id)


def outcomes(programme: Programme, run_id: UUID) -> dict[UUID, str | None]:
    query = sa.select(ListedPayout.payout_id, ListedPayout.outcome).where(ListedPayout.run_id == run_id)
    return {row.payout_id: row.outcome for row in programme.rows(query)}


def posts(programme: Programme) -> int:
    return len(programme.stripe.requests("POST", "/v1/transfers"))
