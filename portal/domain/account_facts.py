"""What Stripe says of one account, read from the plain dict that it sent.

Every field of Stripe's is optional and every list of its words is open: nothing here raises on a value that
nobody has seen, and what can't be read never counts in favour of paying.
https://docs.stripe.com/api/accounts/object
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

#: Stands for a value of a type that Stripe does not document; equal to no word of Stripe's.
UNREADABLE = "unreadable"

#: Stripe's own texts are far shorter; what is longer is cut before it is stored.
_LONGEST_TEXT = 1_000


@dataclass(frozen=True)
class RequirementError:
    """Why Stripe did not take what was given for one requirement. https://docs.stripe.com/api/accounts/object"""

    requirement: str
    code: str
    reason: str


@dataclass(frozen=True)
class Requirements:
    """What Stripe wants of an account, each list in Stripe's names of fields; the deadline is UTC."""

    past_due: tuple[str, ...] = ()
    currently_due: tuple[str, ...] = ()
    eventually_due: tuple[str, ...] = ()
    pending_verification: tuple[str, ...] = ()
    errors: tuple[RequirementError, ...] = ()
    disabled_reason: str | None = None
    current_deadline_at: datetime | None = None

    @property
    def is_anything_due(self) -> bool:
        """Whether the affiliate has something to give now."""
        return bool(self.past_due or self.currently_due or self.errors)

    @property
    def is_anything_coming(self) -> bool:
        """Whether the affiliate has something to give, now or later."""
        return self.is_anything_due or bool(self.eventually_due or self.current_deadline_at)

    @property
    def missing(self) -> tuple[str, ...]:
        """What an account waits for, whoever has to act, each once."""
        return tuple(dict.fromkeys((*self.past_due, *self.currently_due, *self.pending_verification)))

    def to_json(self) -> dict[str, object]:
        """Lists, strings and null only, to be stored; the deadline in ISO 8601."""
        deadline = self.current_deadline_at
        return {
            "past_due": list(self.past_due),
            "currently_due": list(self.currently_due),
            "eventually_due": list(self.eventually_due),
            "pending_verification": list(self.pending_verification),
            "errors": [asdict(error) for error in self.errors],
            "disabled_reason": self.disabled_reason,
            "current_deadline_at": deadline.isoformat() if deadline else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Requirements:
        """What to_json gave; a missing member is an empty one."""
        return _requirements(stored, deadline_at=_iso_time(stored.get("current_deadline_at")))


@dataclass(frozen=True)
class BankAccount:
    """The bank account or card that Stripe pays out to. `last4` and `bank_name` may be shown and are never
    stored; the fingerprint alone is kept, to notice a change.
    https://docs.stripe.com/api/external_account_bank_accounts/object"""

    last4: str | None
    bank_name: str | None
    currency: str | None
    fingerprint: str | None


@dataclass(frozen=True)
class AccountFacts:
    """What Stripe said of one account, at one moment. `deleted` also covers one we may not see any more;
    empty `capabilities` mean that it shows none; `bank_fingerprint` changes when a bank account does."""

    account_id: str
    deleted: bool = False
    charges_enabled: bool = False
    payouts_enabled: bool = False
    details_submitted: bool = False
    capabilities: Mapping[str, str] = field(default_factory=dict)
    requirements: Requirements = Requirements()
    future_requirements: Requirements = Requirements()
    country: str | None = None
    default_currency: str | None = None
    bank_fingerprint: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def gone(cls, account_id: str) -> AccountFacts:
        """Of an account that is deleted, disconnected, or answers 404 or `account_invalid`."""
        return cls(account_id, deleted=True)

    @property
    def transfers(self) -> str | None:
        """The status of the capability to receive transfers, None where it was not asked for."""
        return self._capability("transfers")

    @property
    def can_receive(self) -> bool:
        """Whether money sent to the account arrives and can leave for the bank. `charges_enabled` counts only
        where card payments were asked for, or where no capabilities are shown: an account that only receives
        transfers may never charge anybody. https://docs.stripe.com/connect/account-capabilities"""
        if not self.capabilities:
            return self.charges_enabled and self.payouts_enabled
        may_charge = self.charges_enabled or self._capability("card_payments") is None
        return self.payouts_enabled and self.transfers == "active" and may_charge

    @property
    def disabled_reason(self) -> str:
        """Stripe's word for why the account is disabled, empty where it is not."""
        return self.requirements.disabled_reason or ""

    @property
    def is_disabled(self) -> bool:
        """Whether Stripe gives a reason why the account is disabled."""
        return self.disabled_reason != ""

    @property
    def is_anything_wanted(self) -> bool:
        """Whether a working account owes Stripe something, now or by a deadline."""
        now, later = self.requirements, self.future_requirements
        return now.is_anything_due or bool(now.current_deadline_at) or later.is_anything_coming

    @property
    def lacks_transfers(self) -> bool:
        """Whether the account shows capabilities, but transfers were never asked for."""
        return bool(self.capabilities) and self.transfers is None

    @property
    def is_under_verification(self) -> bool:
        """Whether Stripe is looking at what it was given."""
        return self.transfers == "pending" or bool(self.requirements.pending_verification)

    @property
    def next_deadline_at(self) -> datetime | None:
        """The earlier of the two deadlines, UTC."""
        deadlines = (self.requirements.current_deadline_at, self.future_requirements.current_deadline_at)
        return min((deadline for deadline in deadlines if deadline), default=None)

    def _capability(self, name: str) -> str | None:
        status = self.capabilities.get(name)
        return None if status == "unrequested" else status


def facts_from_stripe(account: Mapping[str, object]) -> AccountFacts:
    """The facts in a v1 account, as the plain dict that Stripe sent. It takes whatever is there: a field that
    is missing or of a wrong type never raises and never makes the account look better than it is.
    https://docs.stripe.com/api/accounts/object"""
    return AccountFacts(
        account_id=_text(account.get("id")) or "",
        deleted=account.get("deleted") is True,
        charges_enabled=account.get("charges_enabled") is True,
        payouts_enabled=account.get("payouts_enabled") is True,
        details_submitted=account.get("details_submitted") is True,
        capabilities=_words(account.get("capabilities")),
        requirements=_requirements_from_stripe(account.get("requirements")),
        future_requirements=_requirements_from_stripe(account.get("future_requirements")),
        country=_text(account.get("country")),
        default_currency=_text(account.get("default_currency")),
        bank_fingerprint=_bank_fingerprint(account),
        metadata=_words(account.get("metadata")),
    )


def bank_account_from_stripe(
    account: Mapping[str, object], *, currency: str | None = None
) -> BankAccount | None:
    """Where money in this currency goes, else in the account's own; None if the account shows nothing."""
    banks = _bank_accounts(account)
    for wanted in (currency, account.get("default_currency")):
        for bank in banks:
            if wanted is not None and bank.currency == wanted:
                return bank
    return banks[0] if banks else None


def _bank_accounts(account: Mapping[str, object]) -> list[BankAccount]:
    """Those that Stripe pays out to, one for each currency; all, where none is marked."""
    shown = [_mapping(item) for item in _items(_mapping(account.get("external_accounts")).get("data"))]
    marked = [item for item in shown if item.get("default_for_currency") is True]
    return [
        BankAccount(
            last4=_text(item.get("last4")),
            bank_name=_text(item.get("bank_name")) or _text(item.get("brand")),
            currency=_text(item.get("currency")),
            fingerprint=_text(item.get("fingerprint")) or _text(item.get("id")),
        )
        for item in marked or shown
    ]


def _bank_fingerprint(account: Mapping[str, object]) -> str | None:
    """Stripe's own where there is one bank account. With several any of them may get the next transfer, so a
    change of any is a change: a digest of all, whatever their order."""
    banks = [bank for bank in _bank_accounts(account) if bank.fingerprint]
    if len(banks) < 2:
        return banks[0].fingerprint if banks else None
    prints = sorted(f"{bank.currency}:{bank.fingerprint}" for bank in banks)
    return hashlib.sha256("\n".join(prints).encode()).hexdigest()


def _requirements_from_stripe(sent: object) -> Requirements:
    if sent is not None and not isinstance(sent, Mapping):
        return Requirements(disabled_reason=UNREADABLE)
    hash_ = _mapping(sent)
    return _requirements(hash_, deadline_at=_unix_time(hash_.get("current_deadline")))


def _requirements(members: Mapping[str, object], *, deadline_at: datetime | None) -> Requirements:
    errors = [_mapping(item) for item in _items(members.get("errors"))]
    return Requirements(
        past_due=_texts(members.get("past_due")),
        currently_due=_texts(members.get("currently_due")),
        eventually_due=_texts(members.get("eventually_due")),
        pending_verification=_texts(members.get("pending_verification")),
        errors=tuple(
            RequirementError(*(_text(error.get(name)) or "" for name in ("requirement", "code", "reason")))
            for error in errors
            if error
        ),
        disabled_reason=_text(members.get("disabled_reason")),
        current_deadline_at=deadline_at,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """A text that any database can hold; None for nothing and for an empty text."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return UNREADABLE
    return value.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TEXT] or UNREADABLE


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in map(_text, _items(value)) if text)


def _words(value: object) -> dict[str, str]:
    return {_text(name) or "": _text(word) or "" for name, word in _mapping(value).items()}


def _unix_time(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _iso_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
