"""Up to a limit nobody has to approve a payout, above another one two people have to."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.domain.approval import ApprovalRule, SecondApprovalIsAnothers, Yes
from portal.domain.money import Money


@pytest.mark.parametrize(
    ("money", "operators"),
    [
        (Money(10_000, "usd"), 0),
        (Money(10_001, "usd"), 1),
        (Money(200_000, "usd"), 1),
        (Money(200_001, "usd"), 2),
        (Money(50_000, "eur"), 0),  # the settings name no limit: 500 of it
        (Money(50_001, "eur"), 1),
        (Money(500, "jpy"), 0),
        (Money(501, "jpy"), 1),
        (Money(2_000, "gbp"), 0),
        (Money(2_001, "gbp"), 2),  # two operators come before none
    ],
    ids=str,
)
def test_so_many_operators_must_say_yes_to(money: Money, operators: int) -> None:
    rule = ApprovalRule({"usd": 10_000, "gbp": 5_000}, {"usd": 200_000, "gbp": 2_000})
    assert rule.needs_no_operator(money) == (operators == 0)
    assert rule.needs_two_operators(money) == (operators == 2)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (1, 1)])
def test_the_second_yes_is_anybody_elses(first: int, second: int) -> None:
    rule = ApprovalRule({}, {"usd": 1})
    yes = Yes(
        UUID(int=second), beneficiaries={UUID(int=9)}, first_approver=UUID(int=first), is_by_shell=False
    )
    if first == second:
        with pytest.raises(SecondApprovalIsAnothers):
            rule.is_enough(Money(2, "usd"), yes)
    else:
        assert rule.is_enough(Money(2, "usd"), yes)


@pytest.mark.parametrize(("amount", "is_enough"), [(1, True), (2, False)])
def test_one_yes_is_enough_up_to_the_second_limit(amount: int, is_enough: bool) -> None:
    yes = Yes(UUID(int=1), beneficiaries={None}, first_approver=None, is_by_shell=True)
    assert ApprovalRule({}, {"usd": 1}).is_enough(Money(amount, "usd"), yes) is is_enough
