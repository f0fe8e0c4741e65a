"""The inbox of Stripe's events: stored first, worked on later, from Stripe's state and never from the body."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import pause_seconds
from portal.domain.webhooks import SELF_TEST_TYPE, WebhookRefusal, fingerprint, scope_of
from portal.gateways.stripe import (
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
    StripeUnavailableError,
)
from portal.gateways.stripe_signatures import SignatureIsWrong, verify_signature
from portal.models import ActorKind, EventState, WebhookEvent
from portal.models.base import Database, add_once, reading, writing
from portal.services.accounts import Accounts
from portal.services.bank_payouts import BankPayouts
from portal.services.event_bodies import LONGEST_ID, EventIsNotAccepted, event_of, plain_type
from portal.services.journal import Cause
from portal.services.platform import Platform
from portal.services.transfers import Transfers
from portal.services.webhook_tally import WebhookTally

log = structlog.get_logger(__name__)

#: An event that could not be worked on so often waits for a person.
TRIES_BEFORE_PARKED = 12

#: How many events one pass takes up: a burst about one account costs one look at it.
BATCH = 1_000

#: Stripe's events are far smaller.
LARGEST_BODY_BYTES = 1024 * 1024

#: How Stripe answers when it knows no such object.
_NO_SUCH_THING = 404


#: What speaks of an account's payout to its bank; at the platform's own endpoint it is the platform's, and ignored.
BANK_PAYOUT_TYPES = (
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
)

TRANSFER_TYPES = ("transfer.created", "transfer.updated", "transfer.reversed")


@dataclass(frozen=True)
class _Waiting:
    """An event to work on."""

    id: str
    type: str
    object_id: str | None
    account_id: str | None


@dataclass(frozen=True)
class _Group:
    """Events that one look answers: those about one object, or, where it is None, all that ask for nothing more."""

    object_id: str | None
    ids: Sequence[str]


class StripeEvents:
    """Receives and works on events."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        secrets: Sequence[str],
        is_livemode: bool,
        accounts: Accounts,
        transfers: Transfers,
        bank_payouts: BankPayouts,
        platform: Platform,
        tally: WebhookTally,
    ) -> None:
        self._database = database
        self._clock = clock
        self._secrets = secrets
        self._is_livemode = is_livemode
        self._accounts = accounts
        self._transfers = transfers
        self._bank_payouts = bank_payouts
        self._platform = platform
        self._tally = tally

    def receive(self, body: bytes, signature: str) -> bool:
        """Check and store an event; True if it is new and of our mode. Committed when this returns. Raises
        EventIsNotAccepted."""
        try:
            event = self._read(body, signature)
        except EventIsNotAccepted as refusal:
            self._tally.refused(refusal.reason)
            raise
        if event["is_livemode"] is not self._is_livemode:
            log.info("event.other_mode", id=event["id"])
            self._tally.refused(WebhookRefusal.other_mode)
            return False
        is_new = self._store(event)
        if event["type"] != SELF_TEST_TYPE:
            self._tally.heard(scope_of(event["account_id"]), event["signed_with"].split(","))
        return is_new

    def _read(self, body: bytes, signature: str) -> dict[str, Any]:
        if len(body) > LARGEST_BODY_BYTES:
            raise EventIsNotAccepted("The body is larger than 1 MiB.", WebhookRefusal.too_large)
        now = self._clock.real_now()
        try:
            secrets = verify_signature(body, signature, secrets=self._secrets, now=now)
        except SignatureIsWrong as problem:
            raise EventIsNotAccepted(f"This is not signed by Stripe: {problem}.", problem.reason) from None
        signed_with = ",".join(dict.fromkeys(map(fingerprint, secrets)))[:LONGEST_ID]
        return event_of(body) | {
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "signed_with": signed_with,
        }

    @writing
    def _store(self, event: dict[str, Any]) -> bool:
        now = self._clock.real_now()
        values = event | {"received_at": now, "next_try_at": now, "state": EventState.received, "tries": 0}
        return add_once(self._database, WebhookEvent, values, key="id")

    def process_due(self) -> int:
        """Work on every event that is due: one retrieve for each account, however many events speak of it. How many
        events were taken up."""
        taken = 0
        while due := self._due():
            by_account: dict[str | None, list[_Waiting]] = {}
            for event in due:
                by_account.setdefault(_account_of(event), []).append(event)
            for account_id, events in by_account.items():
                self._process(account_id, events)
            taken += len(due)
            if len(due) < BATCH:
                break
        return taken

    def _process(self, account_id: str | None, events: Sequence[_Waiting]) -> None:
        """One look at the account, however many events speak of it, and one at each transfer or bank payout."""
        if account_id is None:
            self._each(_by_object(events, TRANSFER_TYPES), self._transfer_effect)
            return
        look = functools.cache(lambda: self._look_at(account_id, events[0].id))

        def effect(group: _Group) -> str | None:
            seen = look()  # a bank that returns a payout may cost an account its standing
            return (self._bank_effect(account_id, group) if group.object_id else None) or seen

        self._each(_by_object(events, BANK_PAYOUT_TYPES), effect)

    def _each(self, groups: Sequence[_Group], work: Callable[[_Group], str | None]) -> None:
        """Note what each group of events did, in a word; None is nothing. One that can't be worked on holds up no
        other; while Stripe can't be asked, all wait."""
        for position, group in enumerate(groups):
            try:
                effect = work(group)
            except (StripeUnavailableError, StripeKeyRefusedError) as problem:
                self._postpone(
                    [event_id for each in groups[position:] for event_id in each.ids], str(problem)
                )
                return
            except StripeProblemError as problem:
                self._postpone(group.ids, str(problem))
            except Exception as problem:
                log.exception("event.raised", events=group.ids)
                self._postpone(group.ids, type(problem).__name__)
            else:
                self._finish(group.ids, effect)

    def _look_at(self, account_id: str, event_id: str) -> str | None:
        affiliate_id = self._accounts.affiliate_of(account_id)
        if affiliate_id is None:
            return None
        recorded = self._accounts.look(
            affiliate_id, account_id, cause=Cause(ActorKind.stripe, account_id, event_id)
        )
        if recorded.before is recorded.after:
            return "no change"
        return f"{recorded.before or 'none'} → {recorded.after or 'none'}"

    def _bank_effect(self, account_id: str, group: _Group) -> str | None:
        cause = Cause(ActorKind.stripe, account_id, group.ids[0])
        return self._bank_payouts.look(account_id, group.object_id or "", cause=cause)

    def _transfer_effect(self, group: _Group) -> str | None:
        if group.object_id is None:
            return None
        try:
            return self._transfers.look_up(group.object_id, cause=Cause(ActorKind.stripe, None, group.ids[0]))
        except StripeRefusedError as refusal:
            if refusal.http_status != _NO_SUCH_THING:
                raise
            self._platform.confirm()  # to another platform's key every transfer looks unknown
            return None

    @reading
    def _due(self) -> list[_Waiting]:
        rows = self._database.execute(
            sa.select(WebhookEvent.id, WebhookEvent.type, WebhookEvent.object_id, WebhookEvent.account_id)
            .where(
                WebhookEvent.state == EventState.received, WebhookEvent.next_try_at <= self._clock.real_now()
            )
            .order_by(WebhookEvent.received_at)
            .limit(BATCH)
        )
        return [_Waiting(*row) for row in rows]

    @writing
    def _finish(self, ids: Sequence[str], effect: str | None) -> None:
        # what another worker finished meanwhile keeps the effect that it saw
        waiting = sa.select(WebhookEvent).where(
            WebhookEvent.id.in_(ids), WebhookEvent.state == EventState.received
        )
        for event in self._database.scalars(waiting.with_for_update()):
            event.state = EventState.ignored if effect is None else EventState.processed
            event.effect = effect
            event.error = None
            event.processed_at = self._clock.real_now()

    @writing
    def _postpone(self, ids: Sequence[str], problem: str) -> None:
        """What somebody else has worked on meanwhile stays done."""
        still_waiting = sa.select(WebhookEvent).where(
            WebhookEvent.id.in_(list(ids)), WebhookEvent.state == EventState.received
        )
        for event in self._database.scalars(still_waiting):
            event.tries += 1
            event.error = problem[:500]
            event.next_try_at = self._clock.real_now() + timedelta(seconds=pause_seconds(event.tries))
            if event.tries >= TRIES_BEFORE_PARKED:
                event.state = EventState.parked
                log.error("event.parked", id=event.id, type=event.type)


def _by_object(events: Sequence[_Waiting], types: Sequence[str]) -> list[_Group]:
    """The events by the object that they speak of, if they are of these types; all others together, first."""
    ids: dict[str | None, list[str]] = {None: []}
    for event in events:
        is_about = plain_type(event.type) in types
        ids.setdefault(event.object_id if is_about else None, []).append(event.id)
    return [_Group(object_id, grouped) for object_id, grouped in ids.items() if grouped]


def _account_of(event: _Waiting) -> str | None:
    """The connected account that an event speaks of; `account` is set on what Connect endpoints get, and an account's
    own events name it as their object. https://docs.stripe.com/connect/webhooks"""
    kind = plain_type(event.type)
    if kind.startswith(("transfer.", "balance.")):
        return None
    return event.account_id or (event.object_id if kind.startswith(("account.", "v2.core.account")) else None)
