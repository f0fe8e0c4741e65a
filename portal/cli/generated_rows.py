"""How generated rows look on their way into the database: text and numbers, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from portal.models import ActorKind
from portal.services.audit_chain import hash_of

Row = tuple[str | int | None, ...]

#: What is written of each table, in the order in which foreign keys allow it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("id", "name", "email", "created_at"),
    "affiliates": (
        "id", "code", "user_id", "name", "email", "country", "currency", "stripe_account_id", "stripe_account_status",
        "stripe_onboarding_complete", "stripe_account_detail", "stripe_checked_at", "status_changed_at",
        "detail_changed_at", "bank_fingerprint", "version", "preferred_payout_type", "wallet_address", "automatic",
        "unwanted_mail", "is_blocked", "block_reason", "blocked_at", "total_earned", "created_at",
    ),
    "stripe_accounts": (
        "id", "affiliate_id", "generation", "idempotency_key", "parameters", "state", "unresolved_tries",
        "stripe_account_id", "first_sent_at", "created_at",
    ),
    "ledger_accounts": ("id", "affiliate_id", "kind", "currency", "balance", "last_entry_id"),
    "earnings": (
        "id", "affiliate_id", "reference", "amount", "currency", "description", "occurred_at", "available_at", "held",
        "created_at",
    ),
    "refunds": ("id", "earning_id", "reference", "amount", "reason", "created_at"),
    "payouts": (
        "number", "id", "affiliate_id", "amount", "currency", "method", "destination", "request_key", "status",
        "hold_reason", "reason", "requested_by", "transfer_id", "external_reference", "amount_reversed", "created_at",
        "approved_at", "paid_at", "ended_at",
    ),
    "payout_attempts": (
        "id", "payout_id", "generation", "idempotency_key", "parameters", "state", "tries", "unresolved_tries",
        "transfer_id", "last_answer", "error_code", "first_sent_at", "last_sent_at", "ended_at",
    ),
    "payout_runs": (
        "id", "trigger", "started_at", "taken_at", "finished_at", "listed", "totals", "paid", "tally", "sent",
    ),
    "listed_payouts": ("run_id", "payout_id", "outcome"),
    "bank_payouts": (
        "id", "affiliate_id", "stripe_account_id", "status", "amount", "currency", "arrival_on", "created_at",
        "first_seen_at", "last_seen_at",
    ),
    "carried_payouts": ("bank_payout_id", "payout_id"),
    "ledger_entries": (
        "id", "affiliate_id", "debit_account_id", "credit_account_id", "amount", "currency", "kind", "source",
        "reference", "payout_id", "earning_id", "created_at",
    ),
    "outbox": (
        "id", "deduplication_key", "kind", "affiliate_id", "facts", "state", "tries", "next_try_at", "created_at",
        "sent_at",
    ),
    "webhook_events": (
        "id", "type", "object_id", "account_id", "is_livemode", "created_at", "body_sha256", "received_at", "state",
        "tries", "next_try_at", "processed_at", "effect", "error",
    ),
    "audit_log": (
        "id", "created_at", "actor_kind", "actor_id", "action", "subject_kind", "subject_id", "from_value", "to_value",
        "cause", "reason",
    ),
    "audit_seals": ("sequence", "audit_id", "previous_hash", "hash", "sealed_at"),
}  # fmt: skip

#: The job that did what nobody did by hand.
JOB = "generate"


class Moment(NamedTuple):
    """A time, and how both databases take it (UTC)."""

    at: datetime
    text: str

    @classmethod
    def of(cls, at: datetime) -> Moment:
        return cls(at, at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"))

    def later(self, **duration: int) -> Moment:
        return Moment.of(self.at + timedelta(**duration))


class Places(NamedTuple):
    """Where the database's own counting stands: new rows follow these."""

    payout: int
    entry: int
    account: int
    audit: int
    seal: int
    seal_hash: str


class Sink(Protocol):
    """Takes rows."""

    def add(self, table: str, row: Row) -> None:
        """`row` is in the order of COLUMNS."""


class _AuditRow(NamedTuple):
    """An audit row as the chain hashes it."""

    id: int
    created_at: datetime
    actor_kind: ActorKind
    actor_id: str | None
    action: str
    subject_kind: str
    subject_id: str
    from_value: str | None
    to_value: str | None
    cause: str
    reason: str | None


class Trail:
    """Writes audit rows, sealed as they come."""

    def __init__(self, sink: Sink, places: Places, *, sealed_at: Moment) -> None:
        self._sink = sink
        self._audit, self._sequence, self._head = places.audit, places.seal, places.seal_hash
        self._sealed_at = sealed_at.text

    def changed(
        self,
        subject: tuple[str, str],
        action: str,
        *,
        values: tuple[str | None, str],
        at: Moment,
        actor: ActorKind = ActorKind.system,
        cause: str = JOB,
    ) -> None:
        """One change of a subject (its kind and its id without dashes), from one value to the other."""
        kind, number = subject
        self._audit += 1
        self._sequence += 1
        row = _AuditRow(
            self._audit, at.at, actor, None, action, kind, dashed(number), *values, cause=cause, reason=None
        )
        seal = hash_of(row, self._sequence, self._head)
        self._sink.add("audit_log", (row.id, at.text, actor.value, *row[3:]))
        self._sink.add("audit_seals", (self._sequence, row.id, self._head, seal, self._sealed_at))
        self._head = seal


class Identifiers:
    """Ids that follow from the seed: rows' as version 7, Stripe's as its own look."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def row(self, at: Moment) -> str:
        """As SQLite stores it, without dashes; PostgreSQL reads it as well."""
        digits = f"{self._chance.getrandbits(72):018x}"
        return f"{int(at.at.timestamp() * 1000):012x}7{digits[:3]}8{digits[3:]}"

    def stripe(self, kind: str) -> str:
        """`kind` is what it begins with: acct, tr, po, evt."""
        return f"{kind}_g{self._chance.getrandbits(92):023x}"


@dataclass(frozen=True)
class Making:
    """What everything that is made shares."""

    sink: Sink
    trail: Trail
    ids: Identifiers
    chance: random.Random
    places: Places


def dashed(digits: str) -> str:
    """An id as people and machines write it."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
