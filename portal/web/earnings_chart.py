"""The chart of earnings by month: bars whose places are computed here, so that the template only draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.money import Money
from portal.domain.statements import Month

#: The whole drawing's size in the units of its own coordinates.
WIDTH, HEIGHT = 480, 132

_WIDEST_BAR, _BASE, _TOP = 52, 108, 8

#: Up to so many months each bar has its month's name below it; beyond that the years are named.
_NAMED_MONTHS = 12


class ChartRange(StrEnum):
    """How far back the chart goes, the running month included; as it stands in an address."""

    quarter = "3m"
    year = "12m"
    all = "all"


@dataclass(frozen=True)
class Bar:
    """One month: what was earned less refunds, and where its bar stands. One below zero has no height."""

    month: Month
    money: Money
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class EarningsChart:
    """The months up to the running one, oldest first."""

    shown: ChartRange
    bars: Sequence[Bar]

    width, height, base = WIDTH, HEIGHT, _BASE

    @property
    def has_named_months(self) -> bool:
        return len(self.bars) <= _NAMED_MONTHS

    @property
    def total(self) -> Money:
        return sum((bar.money for bar in self.bars), Money.zero(self.bars[0].money.currency))

    @property
    def best(self) -> Bar:
        """The month with the most, the latest of them."""
        return max(self.bars, key=lambda bar: (bar.money.amount, bar.month))


def earnings_chart(
    earned: Mapping[Month, Money], shown: ChartRange, *, running: Month, currency: str
) -> EarningsChart | None:
    """None where nothing was ever earned."""
    if not earned:
        return None
    months = _months(shown, since=min(earned), running=running)
    amounts = [earned.get(month, Money.zero(currency)) for month in months]
    tallest = max(1, *[money.amount for money in amounts])
    step = WIDTH / len(months)
    width = max(2, min(_WIDEST_BAR, int(step * 0.65)))
    return EarningsChart(
        shown,
        [
            _bar(month, money, x=int((number + 0.5) * step) - width // 2, width=width, tallest=tallest)
            for number, (month, money) in enumerate(zip(months, amounts, strict=True))
        ],
    )


def _months(shown: ChartRange, *, since: Month, running: Month) -> list[Month]:
    months = [running]
    many = {ChartRange.quarter: 3, ChartRange.year: 12}.get(shown)
    while len(months) < many if many else months[-1] > since:
        months.append(months[-1].previous)
    return months[::-1]


def _bar(month: Month, money: Money, *, x: int, width: int, tallest: int) -> Bar:
    share = max(0, money.amount) * (_BASE - _TOP) // tallest
    height = max(share, 2) if money.amount > 0 else 0  # the least amount is still seen
    return Bar(month, money, x=x, y=_BASE - height, width=width, height=height)
