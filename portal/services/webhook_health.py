"""Whether Stripe is heard: of which scope and with which secret last, what waits, what was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.attempts import AttemptState
from portal.domain.webhooks import WebhookRefusal, WebhookScope, fingerprint, have_risen
from portal.models import (
    EventState,
    Payout,
    StripeAccount,
    WebhookEvent,
    WebhookHearing,
    WebhookRefusalCount,
)
from portal.models.base import Database, bounded_count, reading

#: Stripe tells within seconds; a scope of which nothing was heard so long after something happened there is not set up.
HEARD_WITHIN = timedelta(hours=1)

#: A secret that is no longer set is shown for so long after it was last used.
REMEMBERED = timedelta(days=30)

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SecretFacts:
    """When a signing secret was last used (UTC), by scope; empty if never."""

    fingerprint: str
    is_set: bool
    """Whether it stands in STRIPE_WEBHOOK_SECRETS."""
    heard: Mapping[WebhookScope, datetime]


@dataclass(frozen=True)
class WebhookFacts:
    """All of it, of one moment. Counts stop at MOST_COUNTED; `refused` is of the last 24 hours."""

    at: datetime
    secrets: Sequence[SecretFacts]
    heard: Mapping[WebhookScope, datetime]
    """The last event of each scope, by webhook; of what is not here none was ever heard."""
    silent: Collection[WebhookScope]
    """Scopes of which something should have been heard long ago, and never was."""
    waiting: int
    parked: int
    refused: Mapping[WebhookRefusal, int]
    have_refusals_risen: bool

    @property
    def needs_a_person(self) -> bool:
        """Whether something is not set up, or somebody tries. What is parked is counted for itself."""
        return bool(self.silent) or self.have_refusals_risen


class WebhookHealth:
    """Asks a handful of bounded questions."""

    def __init__(self, database: Database, *, clock: Clock, secrets: Sequence[str]) -> None:
        self._database = database
        self._clock = clock
        self._set = tuple(dict.fromkeys(map(fingerprint, secrets)))

    @reading
    def get(self) -> WebhookFacts:
        """The facts of this moment, in one look."""
        return self.within()

    def within(self) -> WebhookFacts:
        """The same, in the unit of work that is open."""
        now = self._clock.real_now()
        secrets = self._secrets(now)
        heard: dict[WebhookScope, datetime] = {}
        for secret in secrets:
            for scope, at in secret.heard.items():
                heard[scope] = max(at, heard.get(scope, at))
        last_day, week_before = self._refused(now)
        signatures = [each for each in WebhookRefusal if each is not WebhookRefusal.other_mode]
        return WebhookFacts(
            at=now,
            secrets=[each for each in secrets if each.is_set or max(each.heard.values()) > now - REMEMBERED],
            heard=heard,
            silent=[scope for scope in WebhookScope if scope not in heard and self._has_something(scope)],
            waiting=self._events(EventState.received),
            parked=self._events(EventState.parked),
            refused=last_day,
            have_refusals_risen=have_risen(
                sum(last_day.get(each, 0) for each in signatures),
                sum(week_before.get(each, 0) for each in signatures),
            ),
        )

    def _secrets(self, now: datetime) -> list[SecretFacts]:
        """Those that are set, in their order, then those that were."""
        heard: dict[str, dict[WebhookScope, datetime]] = {each: {} for each in self._set}
        for row in self._database.scalars(sa.select(WebhookHearing).order_by(WebhookHearing.last_at.desc())):
            heard.setdefault(row.fingerprint, {})[row.scope] = row.last_at
        return [SecretFacts(name, name in self._set, by_scope) for name, by_scope in heard.items()]

    def _refused(self, now: datetime) -> tuple[dict[WebhookRefusal, int], dict[WebhookRefusal, int]]:
        """By reason: of the last day, and of the week before that."""
        rows = self._database.execute(
            sa.select(
                WebhookRefusalCount.reason, WebhookRefusalCount.hour_at, WebhookRefusalCount.count
            ).where(WebhookRefusalCount.hour_at > now - 8 * _DAY)
        )
        last_day: dict[WebhookRefusal, int] = {}
        week_before: dict[WebhookRefusal, int] = {}
        for reason, hour_at, count in rows:
            span = last_day if hour_at > now - _DAY else week_before
            span[reason] = span.get(reason, 0) + count
        return last_day, week_before

    def _has_something(self, scope: WebhookScope) -> bool:
        """Whether something happened in this scope of which an event must have told."""
        long_ago = self._clock.now() - HEARD_WITHIN
        happened = {
            WebhookScope.platform: sa.select(Payout.id).where(
                Payout.transfer_id.is_not(None), Payout.paid_at < long_ago
            ),
            WebhookScope.accounts: sa.select(StripeAccount.id).where(
                StripeAccount.state == AttemptState.succeeded, StripeAccount.created_at < long_ago
            ),
        }
        return self._database.scalar(happened[scope].limit(1)) is not None

    def _events(self, state: EventState) -> int:
        return bounded_count(self._database, sa.select(WebhookEvent.id).where(WebhookEvent.state == state))
