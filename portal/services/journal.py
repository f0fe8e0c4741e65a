"""The audit trail: who changed what, from what to what, and why, written in the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.models import ActorKind, AuditRow
from portal.models.base import Database
from portal.models.journal import LONGEST_REASON


@dataclass(frozen=True)
class Cause:
    """Who does something and why: `cause` is an event's id, a request's id, a job's or a command's name."""

    actor: ActorKind
    actor_id: str | None
    cause: str
    reason: str | None = None

    @classmethod
    def system(cls, job: str) -> Cause:
        """The portal itself, by one of its jobs."""
        return cls(ActorKind.system, None, job)


class Journal:
    """Adds audit rows to the transaction that is open, and reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def changed(
        self,
        subject_kind: str,
        subject_id: UUID | str,
        *,
        action: str,
        before: object,
        after: object,
        cause: Cause,
        at: datetime,
    ) -> None:
        """Add one row to the open transaction; `at` is the business clock."""
        self._database.add(
            AuditRow(
                created_at=at,
                actor_kind=cause.actor,
                actor_id=cause.actor_id,
                action=action,
                subject_kind=subject_kind,
                subject_id=str(subject_id),
                from_value=None if before is None else str(before)[:255],
                to_value=None if after is None else str(after)[:255],
                cause=cause.cause[:255],
                reason=cause.reason[:LONGEST_REASON] if cause.reason else None,
            )
        )

    def of(self, subject_kind: str, subject_id: UUID | str) -> list[AuditRow]:
        """What happened to one subject, oldest first; for use inside a unit of work."""
        found = self._database.scalars(
            sa.select(AuditRow)
            .where(AuditRow.subject_kind == subject_kind, AuditRow.subject_id == str(subject_id))
            .order_by(AuditRow.id)
        )
        return list(found)
