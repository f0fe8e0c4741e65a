"""Bank payouts and what is in them, as plain facts; nothing of the bank account they go to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import stripe

from portal.domain.bank_payouts import BankPayoutStatus, message_to_keep

#: Longer words are not Stripe's.
LONGEST_WORD = 255


@dataclass(frozen=True)
class BankPayoutFacts:
    """A bank payout as Stripe tells it; the amount in minor units of its own currency."""

    id: str
    account_id: str
    status: BankPayoutStatus
    amount: int
    currency: str
    arrival_on: date
    """The day of its arrival; the expected one until it is paid."""
    trace_id: str | None
    """What a bank finds it by, where Stripe has it."""
    failure_code: str | None
    failure_message: str | None
    """Only where the portal has no words for the code."""
    created_at: datetime
    returned_at: datetime | None
    """When the money of a failed or canceled one was back in the Stripe balance."""
    is_itemised: bool
    """Whether Stripe says what is in it: not (yet) of one made by hand or just begun."""


@dataclass(frozen=True)
class BankPayoutContents:
    """What a bank payout is made up of, as far as it concerns us."""

    transfers: frozenset[str]
    returned: frozenset[str]
    """Earlier bank payouts whose money came back and goes out again with this one."""


def bank_payout_facts(account_id: str, payout: stripe.Payout) -> BankPayoutFacts:
    """Of the SDK's object, with its `failure_balance_transaction` in place. https://docs.stripe.com/api/payouts/object"""
    told: Mapping[str, Any] = payout.to_dict()
    trace, back = told.get("trace_id") or {}, told.get("failure_balance_transaction")
    code = _word(told.get("failure_code"))
    return BankPayoutFacts(
        id=payout.id,
        account_id=account_id,
        status=BankPayoutStatus.of(payout.status),
        amount=payout.amount,
        currency=payout.currency,
        arrival_on=_moment(payout.arrival_date).date(),
        trace_id=_word(trace.get("value")) if trace.get("status") == "supported" else None,
        failure_code=code,
        failure_message=message_to_keep(code, told.get("failure_message")),
        created_at=_moment(payout.created),
        returned_at=_moment(back["created"]) if isinstance(back, dict) else None,
        # https://docs.stripe.com/payouts/reconciliation
        is_itemised=payout.automatic and told.get("reconciliation_status") != "in_progress",
    )


def bank_payout_contents(
    payout_id: str, transactions: Iterable[stripe.BalanceTransaction]
) -> BankPayoutContents:
    """Of a bank payout's balance transactions with their sources in place: a transfer arrives in an account as a
    payment that names it. https://docs.stripe.com/expand/use-cases#charges-in-payout"""
    transfers, returned = set(), set()
    for transaction in transactions:
        source = transaction.to_dict().get("source")
        source = source if isinstance(source, dict) else {}
        if source.get("object") == "charge":
            transfers.add(_id_of(source.get("source_transfer")))
        elif source.get("object") == "payout":
            returned.add(_id_of(source))
    return BankPayoutContents(frozenset(transfers - {""}), frozenset(returned - {"", payout_id}))


def _id_of(thing: object) -> str:
    """Of an object or its id."""
    return str(thing.get("id") or "") if isinstance(thing, dict) else str(thing or "")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _word(value: object) -> str | None:
    return value[:LONGEST_WORD] if isinstance(value, str) and value and value.isprintable() else None
