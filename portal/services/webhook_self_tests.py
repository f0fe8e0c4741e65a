"""Self-tests of the way from Stripe to the inbox: what Stripe is set up to send, and whether its address is ours.

Asked for on the page, done by the worker: a server with one thread would wait for itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.webhook_endpoints import Finding, Verdict, judged
from portal.domain.webhooks import SELF_TEST_TYPE, WebhookScope, fingerprint
from portal.gateways.stripe import StripeGateway, StripeProblemError, StripeRefusedError
from portal.gateways.stripe_signatures import sign
from portal.models import WebhookEvent, WebhookSelfTest
from portal.models.base import Database, new_id, reading, writing
from portal.services.event_backfills import ACCOUNT_TYPES, PLATFORM_TYPES
from portal.services.journal import Cause, Journal

log = structlog.get_logger(__name__)

#: What each scope's endpoint has to ask for.
NEEDED_TYPES: Mapping[WebhookScope, Sequence[str]] = {
    WebhookScope.platform: PLATFORM_TYPES,
    WebhookScope.accounts: ACCOUNT_TYPES,
}

#: One that was taken and is not finished after this is taken up by another worker.
LEFT_BEHIND_AFTER = timedelta(minutes=5)

#: Posts to an address; the answer's status, or OSError.
Post = Callable[[str, bytes, Mapping[str, str]], int]


class WebhookSelfTests:
    """Asks for, does and remembers self-tests."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        journal: Journal,
        stripe: StripeGateway,
        post: Post,
        address: str,
        secrets: Sequence[str],
        is_livemode: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._stripe = stripe
        self._post = post
        self._address = address
        self._secrets = secrets
        self._is_livemode = is_livemode

    @writing
    def request(self, *, cause: Cause) -> WebhookSelfTest:
        """One for the worker to do; while an earlier one waits, that one. Nothing is asked of anybody yet."""
        waiting = self._database.scalar(_unfinished().limit(1))
        if waiting is not None:
            return waiting
        row = WebhookSelfTest(id=new_id(), asked_at=self._clock.real_now())
        self._database.add(row)
        self._journal.changed(
            "webhook_self_test", row.id, action="webhooks.self_test_asked", before=None, after=None,
            cause=cause, at=self._clock.now(),
        )  # fmt: skip
        return row

    def do_waiting(self) -> int:
        """Do what was asked for and nobody has taken; how many."""
        taken = self._take()
        for test_id in taken:
            self._finish(test_id, self.run())
        return len(taken)

    def run(self) -> list[Finding]:
        """Look now, and post a signed event with each secret to the portal's own address."""
        findings = [*self._endpoints(), *map(self._arrives, dict.fromkeys(self._secrets))]
        if not self._secrets:
            findings.append(Finding("Secrets", Verdict.wrong, "STRIPE_WEBHOOK_SECRETS is not set."))
        log.info("webhooks.self_tested", wrong=sum(each.verdict is Verdict.wrong for each in findings))
        return findings

    @reading
    def newest(self) -> WebhookSelfTest | None:
        """The latest, done or not."""
        return self._database.scalar(
            sa.select(WebhookSelfTest).order_by(WebhookSelfTest.asked_at.desc()).limit(1)
        )

    def _endpoints(self) -> list[Finding]:
        try:
            endpoints = self._stripe.webhook_endpoints()
        except StripeRefusedError as refusal:
            says = f"The key may not list webhook endpoints, which is no fault. Stripe says: {refusal}"
            return [Finding("Endpoints", Verdict.unknown, says)]
        except StripeProblemError as problem:
            return [Finding("Endpoints", Verdict.unknown, f"Stripe could not be asked: {problem}.")]
        return judged(endpoints, address=self._address, needs=NEEDED_TYPES)

    def _arrives(self, secret: str) -> Finding:
        subject, now = f"Secret {fingerprint(secret)}", self._clock.real_now()
        event_id = f"evt_self_test_{new_id().hex}"
        event = {
            "id": event_id, "object": "event", "type": SELF_TEST_TYPE, "livemode": self._is_livemode,
            "created": int(now.timestamp()), "data": {"object": {"id": event_id, "object": "self_test"}},
        }  # fmt: skip
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": sign(body, secret=secret, at=now),
        }
        try:
            status = self._post(self._address, body, headers)
        except OSError as problem:
            return Finding(
                subject, Verdict.wrong, f"Nobody answered at {self._address} ({type(problem).__name__})."
            )
        if status == 200 and self._is_stored(event_id):
            return Finding(subject, Verdict.fine, f"A signed event arrived at {self._address} and is stored.")
        return Finding(subject, Verdict.wrong, _words_of(status, self._address))

    @reading
    def _is_stored(self, event_id: str) -> bool:
        return self._database.get(WebhookEvent, event_id) is not None

    @writing
    def _take(self) -> list[UUID]:
        now = self._clock.real_now()
        free = sa.or_(WebhookSelfTest.taken_at.is_(None), WebhookSelfTest.taken_at <= now - LEFT_BEHIND_AFTER)
        rows = self._database.scalars(_unfinished().where(free).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.taken_at = now
        return [row.id for row in rows]

    @writing
    def _finish(self, test_id: UUID, findings: Sequence[Finding]) -> None:
        row = self._database.get_one(WebhookSelfTest, test_id)
        row.finished_at = self._clock.real_now()
        row.findings = [each.as_json() for each in findings]


def _unfinished() -> sa.Select[WebhookSelfTest]:
    return sa.select(WebhookSelfTest).where(WebhookSelfTest.finished_at.is_(None))


def _words_of(status: int, address: str) -> str:
    match status:
        case 200:
            return (
                f"{address} answered 200, but nothing was stored here: another portal or database is there."
            )
        case 400:
            return (
                f"{address} refused it (400): whoever answers there was started without this secret, or its clock or "
                "this one is off."
            )
        case _:
            return f"{address} answered {status}. Stripe's events fail in the same way."
