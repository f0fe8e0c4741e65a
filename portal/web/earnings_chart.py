"""The chart of a year's earnings: bars whose places are computed here, so that the template only draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.domain.money import Money
from portal.domain.statements import Month

#: A year, and the whole drawing's size in the units of its own coordinates.
MONTHS, WIDTH, HEIGHT = 12, 480, 132

_BAR_WIDTH, _BASE, _TOP = 26, 108, 8


@dataclass(frozen=True)
class Bar:
    """One month: what was earned less refunds, and where its bar stands. One below zero has no height."""

    month: Month
    money: Money
    x: int
    y: int
    height: int

    @property
    def width(self) -> int:
        return _BAR_WIDTH

    @property
    def middle(self) -> int:
        return self.x + _BAR_WIDTH // 2


@dataclass(frozen=True)
class EarningsChart:
    """Twelve months up to the running one, oldest first."""

    bars: Sequence[Bar]

    width, height, base = WIDTH, HEIGHT, _BASE

    @property
    def total(self) -> Money:
        return sum((bar.money for bar in self.bars), Money.zero(self.bars[0].money.currency))

    @property
    def best(self) -> Bar:
        """The month with the most, the latest of them."""
        return max(self.bars, key=lambda bar: (bar.money.amount, bar.month))


def earnings_chart(earned: Mapping[Month, Money], *, running: Month, currency: str) -> EarningsChart | None:
    """None where nothing was ever earned."""
    if not earned:
        return None
    months = [running]
    while len(months) < MONTHS:
        months.append(months[-1].previous)
    amounts = [earned.get(month, Money.zero(currency)) for month in reversed(months)]
    tallest = max(1, *[money.amount for money in amounts])
    step = WIDTH // MONTHS
    return EarningsChart(
        [
            _bar(month, money, x=number * step + (step - _BAR_WIDTH) // 2, tallest=tallest)
            for number, (month, money) in enumerate(zip(reversed(months), amounts, strict=True))
        ]
    )


def _bar(month: Month, money: Money, *, x: int, tallest: int) -> Bar:
    share = max(0, money.amount) * (_BASE - _TOP) // tallest
    height = max(share, 2) if money.amount > 0 else 0  # the least amount is still seen
    return Bar(month, money, x=x, y=_BASE - height, height=height)
