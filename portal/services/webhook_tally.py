"""What is heard at the webhook address and what is refused there, counted so that a flood costs next to nothing.

Each process counts in memory and writes at most once a second, on the way of whatever comes next. What is lost when a
process is killed is what it counted in the second after it last wrote.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.clock import Clock
from portal.domain.webhooks import WebhookRefusal, WebhookScope
from portal.models import WebhookHearing, WebhookRefusalCount
from portal.models.base import Database, upsert, writing

log = structlog.get_logger(__name__)

#: How long a process counts before it writes again.
PAUSE_SECONDS = 1

_Hearings = dict[tuple[WebhookScope, str], datetime]
_Refusals = Counter[tuple[datetime, WebhookRefusal]]


class WebhookTally:
    """One for each process; its methods never fail and never wait for each other's writes."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._hearings: _Hearings = {}
        self._refusals: _Refusals = Counter()
        self._written_at: datetime | None = None

    def heard(self, scope: WebhookScope, fingerprints: Iterable[str]) -> None:
        """An event of our mode has come, signed with these secrets."""
        now = self._clock.real_now()
        with self._lock:
            self._hearings.update(((scope, fingerprint), now) for fingerprint in fingerprints)
        self.write_what_is_due()

    def refused(self, reason: WebhookRefusal) -> None:
        """Something was not taken."""
        hour_at = self._clock.real_now().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._refusals[hour_at, reason] += 1
        self.write_what_is_due()

    def write_what_is_due(self) -> None:
        """Write what was counted, unless there is nothing, or this process wrote just now."""
        now = self._clock.real_now()
        with self._lock:
            is_early = (
                self._written_at is not None and abs((now - self._written_at).total_seconds()) < PAUSE_SECONDS
            )
            if is_early or not (self._hearings or self._refusals):
                return
            self._written_at = now
            hearings, self._hearings = self._hearings, {}
            refusals, self._refusals = self._refusals, Counter()
        try:
            self._write(hearings, refusals)
        except SQLAlchemyError as problem:  # whoever sent a webhook need not know; the next one tries again
            log.warning("webhook_tally.not_written", problem=type(problem).__name__)
            with self._lock:
                self._hearings = hearings | self._hearings
                self._refusals.update(refusals)

    @writing
    def _write(self, hearings: _Hearings, refusals: _Refusals) -> None:
        # sorted: two processes that write the same rows must not wait for each other crosswise
        for (scope, fingerprint), at in sorted(hearings.items()):
            upsert(
                self._database,
                WebhookHearing,
                {"scope": scope, "fingerprint": fingerprint, "first_at": at, "last_at": at},
                keys=("scope", "fingerprint"),
                then={"last_at": sa.case((WebhookHearing.last_at < at, at), else_=WebhookHearing.last_at)},
            )
        for (hour_at, reason), count in sorted(refusals.items()):
            upsert(
                self._database,
                WebhookRefusalCount,
                {"hour_at": hour_at, "reason": reason, "count": count},
                keys=("hour_at", "reason"),
                then={"count": WebhookRefusalCount.count + count},
            )
