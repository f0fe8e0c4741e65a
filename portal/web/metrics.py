"""`GET /metrics`: the numbers as Prometheus text. Open to everybody, like the other two addresses for machines, and so
without anything of single people: no amounts, names or ids. https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from flask import Blueprint, Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from portal.clock import Clock
from portal.domain.webhooks import WebhookRefusal
from portal.models import MailState
from portal.services.metrics import MetricsFacts
from portal.services.webhook_health import WebhookFacts
from portal.version import VERSION
from portal.web.access import access
from portal.wiring import services

pages = Blueprint("metrics", __name__)

Samples = Mapping[tuple[str, ...], float]


@pages.get("/metrics")
@access("public")
def metrics() -> Response:
    """What a process answers is read from the database, so that all of them say the same."""
    services().webhook_tally.write_what_is_due()
    registry = CollectorRegistry()
    registry.register(_Scrape(services().metrics.get(), services().clock))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Scrape(Collector):
    """One answer."""

    def __init__(self, facts: MetricsFacts, clock: Clock) -> None:
        self._facts = facts
        self._now = clock.now()
        self._real_now = clock.real_now()

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield _gauge("portal_build_info", "What runs.", _build(), labels=("version", "python"))
        yield from _of_webhooks(facts.overview.health.webhooks, self._real_now)
        yield from self._of_overview()
        yield _gauge(
            "portal_job_last_success_age_seconds",
            "Since a job of the timetable last finished well.",
            {(job,): _age(self._now, at) for job, at in facts.jobs_done_at.items()},
            labels=("job",),
        )
        yield _gauge(
            "portal_payouts_open",
            "Payouts that are not over, by status; counted up to 10,000.",
            {(status.value,): count for status, count in facts.open_payouts.items()},
            labels=("status",),
        )
        yield _gauge(
            "portal_payouts_newest",
            "The newest 1,000 payouts by status.",
            {(status.value,): count for status, count in facts.newest_payouts.items()},
            labels=("status",),
        )
        yield _gauge("portal_mails_waiting", "Mails to be sent.", {(): facts.mails[MailState.waiting]})
        yield _gauge(
            "portal_mails_parked", "Mails that could not be sent.", {(): facts.mails[MailState.parked]}
        )
        yield _gauge(
            "portal_sending_halted",
            "1 while all sending is stopped.",
            {(): facts.overview.halted_at is not None},
        )
        yield from self._of_verification()

    def _of_overview(self) -> Iterator[Metric]:
        overview = self._facts.overview
        yield _gauge(
            "portal_needs_a_person",
            "What waits for a person, by the overview's card; up to 1,000 of what is not a payout.",
            {(need.value,): count for need, count in overview.needs.items()},
            labels=("card",),
        )
        oldest = overview.oldest_request_at
        yield _gauge(
            "portal_oldest_request_age_seconds",
            "Since the oldest request that waits for approval was made; 0 if none waits.",
            {(): _age(self._now, oldest) if oldest else 0},
        )
        yield _gauge(
            "portal_balance_covers",
            "1 where the platform's balance, as last read, covers what is approved.",
            {(cover.total.currency,): cover.short_by is None for cover in overview.covers},
            labels=("currency",),
        )
        yield _gauge(
            "portal_webhook_events_missed_last_day",
            "Events of the last 24 hours that no webhook had brought.",
            {(): overview.health.events_missed},
        )

    def _of_verification(self) -> Iterator[Metric]:
        run = self._facts.last_run
        if run is None or run.finished_at is None:
            return
        yield _gauge(
            "portal_verification_last_run_age_seconds",
            "Since a verification of all accounts last finished.",
            {(): _age(self._now, run.finished_at)},
        )
        outcomes = {
            "changed": run.changed,
            "unchanged": run.unchanged,
            "error": run.errors,
            "webhook_missed": run.webhooks_missed,
        }
        yield _gauge(
            "portal_verification_last_run_accounts",
            "Accounts of the last verification by outcome.",
            {(outcome,): count for outcome, count in outcomes.items()},
            labels=("outcome",),
        )


def _of_webhooks(facts: WebhookFacts, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "portal_webhook_last_event_age_seconds",
        "Since the last event of a scope.",
        {(scope.value,): _age(now, at) for scope, at in facts.heard.items()},
        labels=("scope",),
    )
    yield _gauge(
        "portal_webhook_secret_last_event_age_seconds",
        "Since the last event that was signed with a secret, by the beginning of its SHA-256.",
        {
            (secret.fingerprint, scope.value): _age(now, at)
            for secret in facts.secrets
            for scope, at in secret.heard.items()
        },
        labels=("secret", "scope"),
    )
    yield _gauge("portal_webhook_events_waiting", "Events to be worked on; up to 1,000.", {(): facts.waiting})
    yield _gauge(
        "portal_webhook_events_parked", "Events that need a person; up to 1,000.", {(): facts.parked}
    )
    yield _gauge(
        "portal_webhook_refused_last_day",
        "What was not taken in the last 24 hours, by reason.",
        {(reason.value,): facts.refused.get(reason, 0) for reason in WebhookRefusal},
        labels=("reason",),
    )


def _gauge(name: str, words: str, samples: Samples, *, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=tuple(labels))
    for values, number in samples.items():
        family.add_metric(values, number)
    return family


def _age(now: datetime, then: datetime) -> float:
    return max(0, round((now - then).total_seconds()))


def _build() -> Samples:
    return {(VERSION, platform.python_version()): 1}


def register(app: Flask) -> None:
    """Add the address."""
    app.register_blueprint(pages)
