"""The least that can be paid, and whose rule it is."""

from __future__ import annotations

import pytest

from portal.domain.minimum import Minimum, MinimumRule, minimum_of
from portal.domain.money import Money


@pytest.mark.parametrize(
    ("limits", "currency", "amount", "rule"),
    [
        ({"usd": 10_000}, "usd", 10_000, MinimumRule.programme),
        ({"usd": 10_000}, "eur", 2_500, MinimumRule.unnamed),
        ({}, "jpy", 25, MinimumRule.unnamed),
        ({}, "bhd", 25_000, MinimumRule.unnamed),
        ({"isk": 2_550}, "isk", 2_600, MinimumRule.stripe),
        ({"isk": 2_600}, "isk", 2_600, MinimumRule.programme),
        ({"bhd": 1}, "bhd", 10, MinimumRule.stripe),
        ({"usd": 0}, "usd", 1, MinimumRule.stripe),
        ({"ugx": 0}, "ugx", 100, MinimumRule.stripe),
    ],
    ids=[
        "the programme names the currency",
        "the programme names another one",
        "no decimals",
        "three decimals",
        "not round enough for Stripe",
        "round enough",
        "less than Stripe's smallest step",
        "nothing is no payout",
        "nothing, of a currency in round amounts",
    ],
)
def test_the_minimum_is_one_that_can_be_paid_and_says_whose_rule_it_is(
    limits: dict[str, int], currency: str, amount: int, rule: MinimumRule
) -> None:
    assert minimum_of(limits, currency) == Minimum(Money(amount, currency), rule)
