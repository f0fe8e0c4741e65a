"""The hash chain over the audit trail.

Rows are committed unchained, since a chain written inline would make every transaction wait for the same row. One
worker at a time seals what was committed, in order, and logs the head: a chain that somebody rewrote as a whole does
not end in a head that was logged before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.models import AuditRow, AuditSeal, Installation
from portal.models.base import Database, reading, writing
from portal.services.audit_trail import LATE_BY_AT_MOST
from portal.services.selfcheck import Breach

log = structlog.get_logger(__name__)

#: What the first seal follows.
BEGINNING = "0" * 64

#: How many rows one unit of work seals, and one look of the check takes up.
BATCH = 1_000

#: The job seals each minute; what is older than this says that no worker runs.
SEALED_WITHIN = timedelta(minutes=5)

_TRAIL = AuditRow.__table__
_SEALS = AuditSeal.__table__


@dataclass(frozen=True)
class ChainReport:
    """What the check of the trail found: how far it is sealed, the first break if there is one, and what waits."""

    sealed: int
    head: str
    first_break: Breach | None
    waiting: int
    """Rows that are not sealed yet."""
    late: int
    """Of these, rows older than five minutes: no worker seals them."""

    @property
    def is_whole(self) -> bool:
        return self.first_break is None

    def as_json(self) -> dict[str, object]:
        return {
            "is_whole": self.is_whole,
            "sealed": self.sealed,
            "head": self.head,
            "broken": [self.first_break.as_json()] if self.first_break else [],
            "waiting": self.waiting,
            "late": self.late,
        }


class AuditChain:
    """Seals the trail and checks the seals."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seal(self) -> int:
        """Seal everything that was committed; how many rows."""
        sealed = 0
        while links := self._seal_batch():
            sealed += len(links)
            head = links[-1]  # logged once it is committed: outside the database, where nobody rewrites it
            log.info("audit.sealed", sequence=head["sequence"], head=head["hash"], rows=len(links))
            if len(links) < BATCH:
                break
        return sealed

    def verify(self) -> ChainReport:
        """Compute the whole chain anew and name the first break."""
        previous, sequence = BEGINNING, 0
        while batch := self._links(after=sequence):
            for link in batch:
                sequence += 1
                broken = _break(link, sequence, previous)
                if broken is not None:
                    return self._report(sequence - 1, previous, broken)
                previous = link.hash
        return self._report(sequence, previous, None)

    def breaches(self) -> list[Breach]:
        """The first break as `selfcheck` names it."""
        broken = self.verify().first_break
        return [broken] if broken else []

    @writing
    def _seal_batch(self) -> list[dict[str, Any]]:
        # the lock that keeps two workers from writing the same link
        self._database.execute(sa.select(Installation.one).with_for_update())
        last = self._database.execute(
            sa.select(_SEALS.c.sequence, _SEALS.c.hash, _SEALS.c.audit_id)
            .order_by(_SEALS.c.sequence.desc())
            .limit(1)
        ).first()
        sequence, previous, highest = (last.sequence, last.hash, last.audit_id) if last else (0, BEGINNING, 0)
        links = list(_linked(self._unsealed(highest), sequence, previous))
        if links:
            now = self._clock.real_now()
            self._database.execute(sa.insert(AuditSeal), [link | {"sealed_at": now} for link in links])
        return links

    def _unsealed(self, highest: int) -> list[sa.Row[Any]]:
        sealed = sa.exists().where(_SEALS.c.audit_id == _TRAIL.c.id)
        query = sa.select(_TRAIL).where(_TRAIL.c.id > highest - LATE_BY_AT_MOST, ~sealed)
        return list(self._database.execute(query.order_by(_TRAIL.c.id).limit(BATCH)))

    @reading
    def _links(self, *, after: int) -> list[sa.Row[Any]]:
        """Seals with their rows; a row that is gone leaves its columns empty."""
        joined = _SEALS.outerjoin(_TRAIL, _TRAIL.c.id == _SEALS.c.audit_id)
        seals = _SEALS.c.sequence, _SEALS.c.audit_id, _SEALS.c.previous_hash, _SEALS.c.hash
        query = sa.select(*seals, *_TRAIL.c).select_from(joined).where(_SEALS.c.sequence > after)
        return list(self._database.execute(query.order_by(_SEALS.c.sequence).limit(BATCH)))

    @reading
    def _report(self, sealed: int, head: str, first_break: Breach | None) -> ChainReport:
        is_sealed = sa.exists().where(_SEALS.c.audit_id == _TRAIL.c.id)
        waiting = sa.select(sa.func.count()).select_from(_TRAIL).where(~is_sealed)
        late = waiting.where(_TRAIL.c.created_at < self._clock.now() - SEALED_WITHIN)
        return ChainReport(
            sealed=sealed,
            head=head,
            first_break=first_break,
            waiting=self._database.scalar(waiting) or 0,
            late=self._database.scalar(late) or 0,
        )


def _linked(rows: list[sa.Row[Any]], sequence: int, previous: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        sequence += 1
        link = {"sequence": sequence, "audit_id": row.id, "previous_hash": previous}
        previous = hash_of(row, sequence, previous)
        yield link | {"hash": previous}


def _break(link: sa.Row[Any], sequence: int, previous: str) -> Breach | None:
    """What is wrong with this link, if anything is."""
    sentence = None
    if link.sequence != sequence:
        sentence = f"Seal {sequence} is gone; seal {link.sequence} follows."
    elif link.id is None:
        sentence = f"Audit row {link.audit_id}, sealed as {sequence}, is gone."
    elif link.previous_hash != previous:
        sentence = f"Seal {sequence} does not follow the one before."
    elif link.hash != hash_of(link, sequence, previous):
        sentence = f"Audit row {link.audit_id} or its seal {sequence} was changed."
    return Breach("audit_chain", str(link.audit_id), sentence) if sentence else None


def hash_of(row: Any, sequence: int, previous: str) -> str:
    """Over every column of the row, its place and the hash before."""
    content = {column.name: _plain(getattr(row, column.name)) for column in _TRAIL.c}
    text = json.dumps([sequence, previous, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value if isinstance(value, int) or value is None else str(value)
