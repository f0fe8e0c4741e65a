"""What an affiliate has at a moment: holds that have passed are available at once, and debts are paid first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.ledger import MOVES, AccountKind, EntryKind, Hold, balances_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def minor_units(stored: dict[AccountKind, int], *holds: Hold) -> dict[str, int]:
    """All that is not zero."""
    balances = balances_at(stored, holds, currency="usd", now=NOW)
    return {name: money.amount for name, money in vars(balances).items() if money.amount}


@pytest.mark.parametrize(
    ("ends_at", "there"),
    [
        (NOW - MOMENT, {"available": 70}),
        (NOW, {"available": 70}),
        (NOW + MOMENT, {"on_hold": 70}),
    ],
    ids=["just before now", "now", "just after now"],
)
def test_a_hold_is_available_from_its_moment_on(ends_at: datetime, there: dict[str, int]) -> None:
    assert minor_units({AccountKind.on_hold: 70}, Hold(70, ends_at)) == there


def test_only_the_holds_that_have_passed_leave_what_is_on_hold() -> None:
    stored = {AccountKind.on_hold: 100, AccountKind.available: 5}
    holds = (Hold(30, NOW), Hold(20, NOW - MOMENT), Hold(50, NOW + MOMENT))
    assert minor_units(stored, *holds) == {"on_hold": 50, "available": 55}


@pytest.mark.parametrize(
    ("available", "passed", "debt", "there"),
    [
        (0, 0, 40, {"owed": 40}),
        (0, 30, 40, {"owed": 10}),
        (10, 30, 40, {}),
        (11, 30, 40, {"available": 1}),
        (10, 0, 0, {"available": 10}),
    ],
)
def test_what_is_owed_is_paid_first(available: int, passed: int, debt: int, there: dict[str, int]) -> None:
    stored = {AccountKind.on_hold: passed, AccountKind.available: available, AccountKind.owed: -debt}
    assert minor_units(stored, Hold(passed, NOW)) == there


def test_a_payouts_money_is_where_the_books_have_it() -> None:
    assert minor_units({AccountKind.reserved: 7, AccountKind.paid_out: 9}) == {"reserved": 7, "paid_out": 9}


amounts = st.integers(min_value=0, max_value=10**6)


@given(passed=amounts, waiting=amounts, available=amounts, reserved=amounts, paid_out=amounts, debt=amounts)
def test_time_neither_makes_nor_loses_money(
    passed: int, waiting: int, available: int, reserved: int, paid_out: int, debt: int
) -> None:
    stored = {
        AccountKind.on_hold: passed + waiting,
        AccountKind.available: available,
        AccountKind.reserved: reserved,
        AccountKind.paid_out: paid_out,
        AccountKind.owed: -debt,
    }
    balances = balances_at(stored, [Hold(passed, NOW)], currency="usd", now=NOW)
    assert balances.total_earned.amount == sum(stored.values())
    assert all(money.amount >= 0 for money in vars(balances).values())
    assert not (balances.available.amount and balances.owed.amount)


def test_every_kind_of_entry_has_its_two_accounts_and_no_other_kind_has_the_same() -> None:
    assert MOVES.keys() == set(EntryKind)
    assert all(taken is not given for taken, given in MOVES.values())
    assert len(set(MOVES.values())) == len(MOVES)


def test_two_accounts_stand_at_zero_or_below() -> None:
    assert {kind for kind in AccountKind if kind.is_debt_side} == {AccountKind.earned, AccountKind.owed}
