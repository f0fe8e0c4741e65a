"""The inbox of Stripe's events: stored first, worked on later, from Stripe's state and never from the body."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import pause_seconds
from portal.domain.errors import PortalError
from portal.gateways.stripe import StripeProblemError
from portal.gateways.stripe_signatures import SignatureIsWrong, verify_signature
from portal.models import ActorKind, EventState, WebhookEvent
from portal.models.base import Database, add_once, reading, writing
from portal.services.accounts import Accounts
from portal.services.bank_payouts import BankPayouts
from portal.services.journal import Cause
from portal.services.transfers import Transfers

log = structlog.get_logger(__name__)

#: An event that could not be worked on so often waits for a person.
TRIES_BEFORE_PARKED = 12

#: How many events one pass takes up: a burst about one account costs one look at it.
BATCH = 1_000

#: Longer identifiers are not Stripe's.
LONGEST_ID = 255


#: What speaks of an account's payout to its bank; at the platform's own endpoint it is the platform's, and ignored.
BANK_PAYOUT_TYPES = (
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
)


class EventIsNotAccepted(PortalError):
    """Not signed by Stripe, or not an event."""

    status = 400
    code = "event_not_accepted"


@dataclass(frozen=True)
class _Waiting:
    """An event to work on."""

    id: str
    type: str
    object_id: str | None
    account_id: str | None


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
    ) -> None:
        self._database = database
        self._clock = clock
        self._secrets = secrets
        self._is_livemode = is_livemode
        self._accounts = accounts
        self._transfers = transfers
        self._bank_payouts = bank_payouts

    def receive(self, body: bytes, signature: str) -> bool:
        """Check and store an event; True if it is new and of our mode. Committed when this returns. Raises
        EventIsNotAccepted."""
        try:
            verify_signature(body, signature, secrets=self._secrets, now=self._clock.real_now())
        except SignatureIsWrong as problem:
            raise EventIsNotAccepted(f"This is not signed by Stripe: {problem}.") from None
        event = _event_of(body)
        if event["is_livemode"] is not self._is_livemode:
            log.info("event.other_mode", id=event["id"])
            return False
        return self._store(event | {"body_sha256": hashlib.sha256(body).hexdigest()})

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
        try:
            effects = self._effects(account_id, events)
        except StripeProblemError as problem:
            self._postpone([event.id for event in events], str(problem))
        except Exception as problem:
            log.exception("event.raised", events=[event.id for event in events])
            self._postpone([event.id for event in events], type(problem).__name__)
        else:
            self._finish(effects)

    def _effects(self, account_id: str | None, events: Sequence[_Waiting]) -> dict[str, str | None]:
        """What each event did, in a word; None is nothing, so that it is ignored."""
        if account_id is not None:
            effect = self._look_at(account_id, events[0].id)
            banks = self._bank_effects(account_id, events)
            return {event.id: banks.get(event.object_id) or effect for event in events}
        return {event.id: self._transfer_effect(event) for event in events}

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

    def _bank_effects(self, account_id: str, events: Sequence[_Waiting]) -> dict[str | None, str | None]:
        """What each bank payout that the events speak of turned out to be; one look, however many speak of it."""
        spoken_of = {event.object_id: event.id for event in events if event.type in BANK_PAYOUT_TYPES}
        return {
            payout_id: self._bank_payouts.look(
                account_id, payout_id, cause=Cause(ActorKind.stripe, account_id, event_id)
            )
            for payout_id, event_id in spoken_of.items()
            if payout_id
        }

    def _transfer_effect(self, event: _Waiting) -> str | None:
        match event.type:
            case "transfer.created" | "transfer.updated" | "transfer.reversed" if event.object_id:
                return self._transfers.look_up(event.object_id, cause=Cause(ActorKind.stripe, None, event.id))
            case _:
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
    def _finish(self, effects: dict[str, str | None]) -> None:
        # what another worker finished meanwhile keeps the effect that it saw
        waiting = sa.select(WebhookEvent).where(
            WebhookEvent.id.in_(list(effects)), WebhookEvent.state == EventState.received
        )
        for event in self._database.scalars(waiting.with_for_update()):
            event.state = EventState.ignored if effects[event.id] is None else EventState.processed
            event.effect = effects[event.id]
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


def _account_of(event: _Waiting) -> str | None:
    """The connected account that an event speaks of; `account` is set on what Connect endpoints get, and thin events
    name the account as their object. https://docs.stripe.com/connect/webhooks"""
    if event.type.startswith(("transfer.", "balance.")):
        return None
    if event.account_id is not None:
        return event.account_id
    is_about_account = event.type.startswith(("account.", "v2.core.account"))
    return event.object_id if is_about_account else None


def _event_of(body: bytes) -> dict[str, Any]:
    """What identifies an event, snapshot or thin; raises EventIsNotAccepted for anything else."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise EventIsNotAccepted("The body is not JSON.") from None
    if not isinstance(event, dict) or event.get("object") not in {"event", "v2.core.event"}:
        raise EventIsNotAccepted("The body is not an event.")
    event_id, kind = event.get("id"), event.get("type")
    if not isinstance(event_id, str) or not isinstance(kind, str) or not _fits(event_id) or not _fits(kind):
        raise EventIsNotAccepted("The event has no id or type.")
    thing = event.get("related_object") or _mapping(event.get("data")).get("object")
    return {
        "id": event_id,
        "type": kind,
        "object_id": _text(_mapping(thing).get("id")),
        "account_id": _text(event.get("account")),
        "api_version": (_text(event.get("api_version")) or "")[:64] or None,
        "is_livemode": event.get("livemode") is True,
        "created_at": _time(event.get("created")),
    }


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and _fits(value) else None


def _fits(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def _time(value: object) -> datetime | None:
    """Snapshot events carry seconds, thin ones a text."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
    return None
