"""The list says the same as the gate, and names whose move it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.conditions import ConditionKind, ConditionState, conditions
from portal.domain.errors import PortalError
from portal.domain.gate import Limits, Payee, request_refusal, requested_amount
from portal.domain.money import Money
from portal.domain.payouts import PayoutMethod

PAYEES = st.builds(
    Payee,
    is_blocked=st.booleans(),
    method=st.sampled_from(PayoutMethod),
    status=st.none() | st.sampled_from(AccountStatus),
    destination=st.none() | st.just("acct_1"),
)
LIMITS = st.builds(
    Limits,
    available=st.integers(0, 300).map(lambda amount: Money(amount, "bhd")),
    minimum=st.integers(0, 300).map(lambda amount: Money(amount, "bhd")),
    open_reference=st.none() | st.just("P-1"),
    retry_at=st.none() | st.just(datetime(2031, 1, 1, tzinfo=UTC)),
)
#: Details that the account table gives each status.
DETAILS: dict[AccountStatus | None, list[AccountDetail | None]] = {
    None: [None],
    AccountStatus.pending: [AccountDetail.setup_incomplete, AccountDetail.reviewing],
    AccountStatus.verified: [None, AccountDetail.attention],
    AccountStatus.restricted: [
        AccountDetail.action_required, AccountDetail.stripe_investigating, AccountDetail.platform_paused,
        AccountDetail.platform_must_act, AccountDetail.unknown_reason, AccountDetail.disconnected,
    ],
    AccountStatus.rejected: [None],
}  # fmt: skip


def may_request(payee: Payee, limits: Limits) -> bool:
    try:
        requested_amount("", limits)
    except PortalError:
        return False
    return request_refusal(payee, limits) is None


@settings(max_examples=400)
@given(PAYEES, LIMITS, st.data())
def test_all_conditions_are_met_exactly_when_everything_can_be_requested(
    payee: Payee, limits: Limits, data: st.DataObject
) -> None:
    detail = data.draw(st.sampled_from(DETAILS[payee.status]))
    found = conditions(payee, limits, detail=detail)
    assert all(each.is_met for each in found) == may_request(payee, limits)


def states(status: AccountStatus | None, detail: AccountDetail | None) -> list[ConditionState]:
    payee = Payee(
        is_blocked=False, method=PayoutMethod.fiat, status=status, destination="acct_1" if status else None
    )
    limits = Limits(Money(5_000, "usd"), Money(2_500, "usd"), open_reference=None, retry_at=None)
    found = {each.kind: each.state for each in conditions(payee, limits, detail=detail)}
    assert list(found) == list(ConditionKind)
    return [found[ConditionKind.stripe_set_up], found[ConditionKind.stripe_verified]]


@pytest.mark.parametrize(
    ("status", "detail", "set_up", "verified"),
    [
        (None, None, "you", "later"),
        ("pending", "setup_incomplete", "you", "later"),
        ("pending", "reviewing", "done", "stripe"),
        ("verified", None, "done", "done"),
        ("verified", "attention", "done", "done"),
        ("restricted", "action_required", "done", "you"),
        ("restricted", "stripe_investigating", "done", "stripe"),
        ("restricted", "platform_paused", "done", "us"),
        ("restricted", "platform_must_act", "done", "us"),
        ("restricted", "unknown_reason", "done", "us"),
        ("restricted", "disconnected", "you", "later"),
        ("rejected", None, "done", "us"),
    ],
)
def test_whose_move_it_is(status: str | None, detail: str | None, set_up: str, verified: str) -> None:
    found = states(AccountStatus(status) if status else None, AccountDetail(detail) if detail else None)
    assert found == [set_up, verified]


def test_a_wallet_asks_for_no_stripe() -> None:
    payee = Payee(is_blocked=False, method=PayoutMethod.crypto, status=None, destination=None)
    limits = Limits(Money(0, "usd"), Money(0, "usd"), open_reference=None, retry_at=None)
    found = {each.kind: each.state for each in conditions(payee, limits, detail=None)}
    assert found[ConditionKind.payout_way] is ConditionState.you
    assert found[ConditionKind.minimum] is ConditionState.time
    assert ConditionKind.stripe_set_up not in found


def test_an_amount_that_stripe_takes_only_round_may_be_too_little_for_the_minimum() -> None:
    payee = Payee(
        is_blocked=False, method=PayoutMethod.fiat, status=AccountStatus.verified, destination="acct_1"
    )
    limits = Limits(Money(25, "bhd"), Money(25, "bhd"), open_reference=None, retry_at=None)
    assert not may_request(payee, limits)
    assert [each.kind for each in conditions(payee, limits, detail=None) if not each.is_met] == [
        ConditionKind.minimum
    ]
