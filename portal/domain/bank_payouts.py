"""Bank payouts: Stripe's own, from an affiliate's Stripe balance to their bank, and what to say when one comes back.

https://docs.stripe.com/api/payouts/object and https://docs.stripe.com/api/payouts/failures
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.sentences import Sentence

#: Stripe could not pay out what the balance should have held: nothing that the affiliate or their bank did.
OUR_FAULT = "insufficient_funds"

#: As long as what is kept of Stripe's words.
LONGEST_MESSAGE = 500

#: The end of an account number, say, or an address: pages and mails lead nowhere but to the portal.
_NOT_TO_KEEP = re.compile(r"\d\D?\d\D?\d\D?\d|://")


class BankPayoutStatus(StrEnum):
    """Where Stripe says a bank payout stands."""

    pending = "pending"
    in_transit = "in_transit"
    paid = "paid"
    failed = "failed"
    """Also after `paid`: a bank may send money back days later."""
    canceled = "canceled"
    unknown = "unknown"
    """A word of Stripe's that nobody has seen yet."""

    @classmethod
    def of(cls, word: str) -> BankPayoutStatus:
        """Of Stripe's word."""
        return cls(word) if word in set(cls) else cls.unknown

    @property
    def is_over(self) -> bool:
        """Whether the money is back in the Stripe balance, from where a later bank payout may take it."""
        return self in {BankPayoutStatus.failed, BankPayoutStatus.canceled}


class BankStage(StrEnum):
    """How far a sent payout is on its last way. The value is the CSS suffix of its tag."""

    on_its_way = "on_its_way"
    arrived = "arrived"
    returned = "returned"


def stage_of(status: BankPayoutStatus, failure_code: str | None) -> BankStage | None:
    """What a bank payout means for what it carries; None where the bank never had it, or Stripe does not say."""
    match status:
        case BankPayoutStatus.pending | BankPayoutStatus.in_transit:
            return BankStage.on_its_way
        case BankPayoutStatus.paid:
            return BankStage.arrived
        case BankPayoutStatus.failed if failure_code != OUR_FAULT:
            return BankStage.returned
        case _:
            return None


@dataclass(frozen=True)
class Failure:
    """Why a bank payout failed and what the affiliate does next: sentences without their full stops."""

    cause: str
    next_step: str
    is_mended_at_stripe: bool = False
    """Whether the next step is taken on Stripe's pages."""


_WRONG_DETAILS = Failure(
    Sentence("The bank details are probably wrong"),
    Sentence("Check them against your statement on Stripe"),
    True,
)
_REFUSED = Failure(Sentence("Your bank refused it"), Sentence("Contact your bank"))
_NOT_PROCESSED = Failure(
    Sentence("The bank could not process it"), Sentence("You do not need to do anything")
)

_CONTACT_US = Sentence("Contact us and quote {reference}")
_OTHER_ACCOUNT = Sentence("Use an account in {currency}")

_FAILURES: Mapping[str, Failure] = {
    "account_closed": Failure(
        Sentence("Your bank says the account is closed"),
        Sentence("Add a different bank account on Stripe"),
        True,
    ),
    "no_account": _WRONG_DETAILS,
    "invalid_account_number": _WRONG_DETAILS,
    "incorrect_account_holder_details": _WRONG_DETAILS,
    "incorrect_account_holder_name": Failure(
        Sentence("The name does not match the bank account"), Sentence("Correct it on Stripe"), True
    ),
    "bank_account_restricted": Failure(
        Sentence("Usually a savings account that can't receive transfers"),
        Sentence("Use a checking account"),
        True,
    ),
    "account_frozen": _REFUSED,
    "declined": _REFUSED,
    "could_not_process": _NOT_PROCESSED,
    "issuer_unavailable": _NOT_PROCESSED,
    OUR_FAULT: Failure(
        Sentence("A problem on our side delayed this payout"), Sentence("You do not need to do anything")
    ),
}


def failure_of(code: str | None, *, message: str | None, currency: str, reference: str) -> Failure:
    """What to say about a failure code; of a code that nobody has seen yet, Stripe's own `message`. `reference` is what
    to quote to us."""
    if code == "invalid_currency":
        instead = Sentence(_OTHER_ACCOUNT, currency=currency.upper())
        return Failure(Sentence("The account can't receive this currency"), instead, True)
    known = _FAILURES.get(code or "")
    if known is not None:
        return known
    cause = (message or "").strip().rstrip(".") or Sentence("Stripe does not say why")
    return Failure(cause, Sentence(_CONTACT_US, reference=reference))


def as_sentence(kept: str) -> Sentence:
    """A cause or a next step of which only the text was kept."""
    for words in (_CONTACT_US, _OTHER_ACCOUNT):
        start, _, _ = words.partition("{")
        (name,) = re.findall(r"\{(\w+)\}", words)
        if kept.startswith(start):
            return Sentence(words, **{name: kept.removeprefix(start)})
    return Sentence(kept)


def message_to_keep(code: str | None, message: str | None) -> str | None:
    """Stripe's words about a failure, where we have none of our own; none that could show a part of an account
    number, or an address."""
    if not message or code in _FAILURES or code == "invalid_currency" or _NOT_TO_KEEP.search(message):
        return None
    kept = " ".join(message.split())
    return kept[:LONGEST_MESSAGE] if kept.isprintable() else None
