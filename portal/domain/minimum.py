"""The least that a payout may be, and whose rule that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.money import Money, limit_of, payout_step

#: In major units, for a currency that the settings do not name.
MINIMUM_MAJOR_UNITS = 25


class MinimumRule(StrEnum):
    """Who wants it so."""

    programme = "programme"
    """The programme's setting for this currency."""
    unnamed = "unnamed"
    """The setting does not name this currency: the same whole number for all such."""
    stripe = "stripe"
    """Stripe takes only round amounts of this currency, and the least above the programme's is this one."""


@dataclass(frozen=True)
class Minimum:
    """An amount that can really be paid."""

    money: Money
    rule: MinimumRule


def minimum_of(limits: Mapping[str, int], currency: str) -> Minimum:
    """By the programme's limits, in minor units by currency, and by what Stripe can pay out at all."""
    wanted = limit_of(limits, currency, MINIMUM_MAJOR_UNITS)
    step = payout_step(currency)
    least = Money(max(-(-wanted.amount // step), 1) * step, currency)
    if least > wanted:
        return Minimum(least, MinimumRule.stripe)
    return Minimum(least, MinimumRule.programme if currency in limits else MinimumRule.unnamed)
