"""The operators' daily mail: what the overview says needs a person, and what yesterday's runs did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog

from portal.clock import Clock
from portal.domain.attempts import Outcome
from portal.domain.money import Money
from portal.domain.needs import Need
from portal.domain.webhooks import WebhookScope
from portal.models.base import Database, reading, writing
from portal.services.notifications import Notifications
from portal.services.overview import Overview, OverviewFacts, Waiting
from portal.services.run_records import RunRecords

log = structlog.get_logger(__name__)

#: The name of the job in the timetable.
DIGEST = "digest"

#: A day without anything to tell is told on Mondays alone, so that silence on the others is no broken mail.
_MONDAY = 0


class Digests:
    """Writes it into the outbox, once a day (UTC) for each operator who may act."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        overview: Overview,
        records: RunRecords,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._overview = overview
        self._records = records
        self._notifications = notifications

    def send(self) -> int:
        """Write today's; how many mails were new. None on a quiet day but Monday."""
        now = self._clock.now()
        facts, totals = self._look(datetime.combine(now.date(), time(), now.tzinfo))
        if facts.is_quiet and not any(totals.values()) and now.weekday() != _MONDAY:
            return 0
        sent = {outcome.value: _by_currency(moneys) for outcome, moneys in totals.items()}
        told = self._tell(now.date(), _as_told(facts) | {"yesterday": sent})
        log.info("digest.written", count=told)
        return told

    @reading
    def _look(self, today: datetime) -> tuple[OverviewFacts, Mapping[Outcome, list[Money]]]:
        totals = self._records.totals_within(today - timedelta(days=1), today)
        return self._overview.within(), totals

    @writing
    def _tell(self, day: date, told: Mapping[str, Any]) -> int:
        return self._notifications.daily_digest(day, told=told)


def _as_told(facts: OverviewFacts) -> dict[str, Any]:
    """What the mail's words name: counts, minor units by currency, times as text."""
    run, health = facts.last_payout_run, facts.health
    return {
        "needs": {need.value: count for need, count in facts.needs.items() if count},
        "sums": {
            each: _by_currency(waiting.total for waiting in facts.open_payouts if _card(waiting) == each)
            for each in {_card(waiting) for waiting in facts.open_payouts}
        },
        "oldest_request_at": _text(facts.oldest_request_at),
        "halt_reason": facts.halt_reason,
        "covers": {
            cover.total.currency: {
                "total": cover.total.amount,
                "available": cover.available.amount,
                "short_by": cover.short_by.amount if cover.short_by else 0,
            }
            for cover in facts.covers
        },
        "last_run_id": str(run.run.id) if run else None,
        "nightly_at": _text(health.nightly_at),
        "verification": {
            "id": str(health.last_run.id),
            "checked": health.last_run.checked,
            "changed": health.last_run.changed,
            "errors": health.last_run.errors,
        }
        if health.last_run
        else None,
        "events_missed": health.events_missed,
        **{f"{scope.value}_heard_at": _text(health.webhooks.heard.get(scope)) for scope in WebhookScope},
    }


def _card(waiting: Waiting) -> str:
    return Need.by_hand.value if waiting.is_by_hand else waiting.status.value


def _by_currency(moneys: Iterable[Money]) -> dict[str, int]:
    return {money.currency: money.amount for money in moneys}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
