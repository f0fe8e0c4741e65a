"""What may be asked for, between the programme's minimum and what is available."""

from __future__ import annotations

import pytest

from portal.domain.gate import AmountBelowMinimum, AmountIsRefused, Limits, requested_amount
from portal.domain.money import Money


def limits(*, available: int, minimum: int, currency: str = "usd") -> Limits:
    return Limits(Money(available, currency), Money(minimum, currency), open_reference=None, retry_at=None)


@pytest.mark.parametrize("text", ["", "0", "0.00"])
def test_nothing_is_not_an_amount_even_where_there_is_no_minimum(text: str) -> None:
    with pytest.raises(AmountBelowMinimum):
        requested_amount(text, limits(available=0, minimum=0))


@pytest.mark.parametrize(
    ("text", "amount"), [("", 2_505), ("0.01", 1), ("25.04", 2_504), ("25.05", 2_505), ("25.06", None)]
)
def test_up_to_the_last_cent_that_is_available(text: str, amount: int | None) -> None:
    bounds = limits(available=2_505, minimum=0)
    if amount is None:
        with pytest.raises(AmountIsRefused, match=r"up to \$25\.05"):
            requested_amount(text, bounds)
    else:
        assert requested_amount(text, bounds).amount == amount


@pytest.mark.parametrize(("text", "is_enough"), [("24.99", False), ("25.00", True)])
def test_from_the_minimum_on(text: str, is_enough: bool) -> None:
    bounds = limits(available=100_000, minimum=2_500)
    if is_enough:
        assert requested_amount(text, bounds) == Money(2_500, "usd")
    else:
        with pytest.raises(AmountBelowMinimum):
            requested_amount(text, bounds)
