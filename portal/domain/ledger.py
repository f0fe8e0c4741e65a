"""The ledger's grammar: which accounts an affiliate has and which entry moves money between which of them.

Every account belongs to one affiliate and the sum over an affiliate's accounts is zero. A balance counts credits minus
debits in minor units, so `earned` (the platform's side) and `owed` (a debt) stand at zero or below, all others at zero
or above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.domain.money import Money


class AccountKind(StrEnum):
    """One of an affiliate's ledger accounts."""

    earned = "earned"
    """The platform's side of all that was credited; stands at minus the total earned."""
    on_hold = "on_hold"
    """Credited, but refunds are still possible."""
    available = "available"
    """Can be paid out."""
    reserved = "reserved"
    """Set aside for a payout that is not over."""
    paid_out = "paid_out"
    """Sent and not taken back."""
    owed = "owed"
    """Refunded beyond what was there; stands at minus the debt, and is paid off first."""

    @property
    def is_debt_side(self) -> bool:
        """Whether the balance stands at zero or below."""
        return self in {AccountKind.earned, AccountKind.owed}


class EntryKind(StrEnum):
    """What an entry is about; each kind moves money between one fixed pair of accounts."""

    earn = "earn"
    mature = "mature"
    pay_owed = "pay_owed"
    reserve = "reserve"
    settle = "settle"
    release = "release"
    reverse = "reverse"
    refund_on_hold = "refund_on_hold"
    refund_available = "refund_available"
    refund_owed = "refund_owed"


#: kind of entry -> (account it is taken from, account it goes to)
MOVES: Mapping[EntryKind, tuple[AccountKind, AccountKind]] = {
    EntryKind.earn: (AccountKind.earned, AccountKind.on_hold),
    EntryKind.mature: (AccountKind.on_hold, AccountKind.available),
    EntryKind.pay_owed: (AccountKind.available, AccountKind.owed),
    EntryKind.reserve: (AccountKind.available, AccountKind.reserved),
    EntryKind.settle: (AccountKind.reserved, AccountKind.paid_out),
    EntryKind.release: (AccountKind.reserved, AccountKind.available),
    EntryKind.reverse: (AccountKind.paid_out, AccountKind.available),
    EntryKind.refund_on_hold: (AccountKind.on_hold, AccountKind.earned),
    EntryKind.refund_available: (AccountKind.available, AccountKind.earned),
    EntryKind.refund_owed: (AccountKind.owed, AccountKind.earned),
}


@dataclass(frozen=True)
class Hold:
    """What is left on hold of one earning, in minor units, and when it becomes available (UTC)."""

    amount: int
    available_at: datetime


@dataclass(frozen=True)
class Release:
    """What stops being on hold on one day (UTC); `at` is when the last of it does."""

    money: Money
    at: datetime


@dataclass(frozen=True)
class Balances:
    """An affiliate's money at one moment of the business clock, all in one currency, none below zero.

    `total_earned` = `on_hold` + `available` + `reserved` + `paid_out` - `owed`, always.
    """

    on_hold: Money
    available: Money
    reserved: Money
    paid_out: Money
    owed: Money

    @property
    def total_earned(self) -> Money:
        return self.on_hold + self.available + self.reserved + self.paid_out - self.owed


def balances_at(
    stored: Mapping[AccountKind, int], holds: Iterable[Hold], *, currency: str, now: datetime
) -> Balances:
    """The balances as of `now`: a hold that has passed counts as available at once, after paying what is owed,
    although the job that writes it down may not have run yet. `holds` are all that are left."""
    passed = sum(hold.amount for hold in holds if hold.available_at <= now)
    owed = -stored.get(AccountKind.owed, 0)
    available = stored.get(AccountKind.available, 0) + passed
    paying_off = min(available, owed)
    return Balances(
        on_hold=Money(stored.get(AccountKind.on_hold, 0) - passed, currency),
        available=Money(available - paying_off, currency),
        reserved=Money(stored.get(AccountKind.reserved, 0), currency),
        paid_out=Money(stored.get(AccountKind.paid_out, 0), currency),
        owed=Money(owed - paying_off, currency),
    )
