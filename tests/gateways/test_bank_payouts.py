"""A bank payout in our own words: what Stripe says of it, and nothing of the bank account."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import stripe

from portal.domain.bank_payouts import BankPayoutStatus
from portal.gateways.bank_payout_facts import BankPayoutFacts, bank_payout_contents, bank_payout_facts

PAYOUT: dict[str, Any] = {
    "id": "po_1", "object": "payout", "amount": 500, "currency": "usd", "status": "in_transit", "automatic": True,
    "arrival_date": 1_796_169_600, "created": 1_796_000_000, "reconciliation_status": "completed",
    "failure_balance_transaction": None, "failure_code": None, "failure_message": None, "trace_id": None,
}  # fmt: skip


def facts(**changes: Any) -> BankPayoutFacts:
    payout = stripe.Payout.construct_from({**PAYOUT, **changes}, "sk_test_x")
    return bank_payout_facts("acct_1", payout)


def test_what_is_kept_is_read_as_stripe_says_it() -> None:
    told = facts()
    assert (told.id, told.account_id, told.status) == ("po_1", "acct_1", BankPayoutStatus.in_transit)
    assert told.arrival_on == date(2026, 12, 2)
    assert told.created_at == datetime.fromtimestamp(1_796_000_000, UTC)
    assert (told.trace_id, told.failure_code, told.returned_at) == (None, None, None)


@pytest.mark.parametrize(
    ("trace", "trace_id"),
    [
        ({"status": "supported", "value": "ACH-77"}, "ACH-77"),
        ({"status": "pending", "value": "ACH-77"}, None),
        ({"status": "unsupported", "value": None}, None),
        ({"status": "supported", "value": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_trace_is_one_only_where_stripe_says_so(trace: object, trace_id: str | None) -> None:
    assert facts(trace_id=trace).trace_id == trace_id


@pytest.mark.parametrize(
    ("automatic", "status", "is_itemised"),
    [
        (True, "completed", True), (True, "in_progress", False), (False, "not_applicable", False),
        (True, "a_new_word", True),
    ],
)  # fmt: skip
def test_whether_stripe_says_what_is_in_it(automatic: bool, status: str, is_itemised: bool) -> None:
    assert facts(automatic=automatic, reconciliation_status=status).is_itemised is is_itemised


def test_when_the_money_was_back_is_said_by_the_transaction_that_brought_it() -> None:
    assert facts(failure_balance_transaction="txn_1").returned_at is None
    back = {"id": "txn_1", "object": "balance_transaction", "created": 1_796_100_000}
    told = facts(
        status="failed",
        failure_code="a_new_code",
        failure_message="Closed.",
        failure_balance_transaction=back,
    )
    assert told.returned_at == datetime.fromtimestamp(1_796_100_000, UTC)
    assert (told.failure_code, told.failure_message) == ("a_new_code", "Closed.")


def test_words_nobody_has_seen_yet_raise_nothing() -> None:
    assert facts(status="teleported", failure_code="x" * 999).status is BankPayoutStatus.unknown


def test_contents_are_transfers_and_bank_payouts_that_came_back() -> None:
    sources: list[Any] = [
        {"object": "charge", "id": "py_1", "source_transfer": "tr_1"},
        {"object": "charge", "id": "py_2", "source_transfer": {"object": "transfer", "id": "tr_2"}},
        {"object": "charge", "id": "ch_3", "source_transfer": None},
        {"object": "payout", "id": "po_0"},
        {"object": "payout", "id": "po_1"},
        {"object": "refund", "id": "pyr_1"},
        "py_not_expanded",
        None,
    ]
    transactions = [
        stripe.BalanceTransaction.construct_from(
            {"object": "balance_transaction", "source": source}, "sk_test_x"
        )
        for source in sources
    ]
    contents = bank_payout_contents("po_1", transactions)
    assert contents.transfers == {"tr_1", "tr_2"}
    assert contents.returned == {"po_0"}
