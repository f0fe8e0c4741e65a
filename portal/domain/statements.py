"""Monthly statements: what an affiliate was credited, what was taken back, what was sent, from one balance to the next.

The balance of a statement is all that the programme has of the affiliate's money, whatever stage it is at: on hold,
available and reserved, less what is owed. Movements between those stages are no lines of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from portal.domain.errors import NotFound
from portal.domain.ledger import EntryKind
from portal.domain.money import Money

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


class StatementKind(StrEnum):
    """What a line of a statement is about."""

    earned = "earned"
    refunded = "refunded"
    sent = "sent"
    taken_back = "taken_back"

    @property
    def sign(self) -> int:
        """1 where it adds to the balance, -1 where it lessens it."""
        return 1 if self in {StatementKind.earned, StatementKind.taken_back} else -1


#: The entries that change a statement's balance; all others move money between its stages.
STATEMENT_KINDS: Mapping[EntryKind, StatementKind] = {
    EntryKind.earn: StatementKind.earned,
    EntryKind.refund_on_hold: StatementKind.refunded,
    EntryKind.refund_available: StatementKind.refunded,
    EntryKind.refund_owed: StatementKind.refunded,
    EntryKind.settle: StatementKind.sent,
    EntryKind.reverse: StatementKind.taken_back,
}


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """From `yyyy-mm`; raises NotFound for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise NotFound("There is no such month. Months are written like 2026-11.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month in which a moment lies."""
        in_utc = moment.astimezone(UTC)
        return cls(in_utc.year, in_utc.month)

    @property
    def begins_at(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def ends_at(self) -> datetime:
        """The first moment that is not in it."""
        return self.next.begins_at

    @property
    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


@dataclass(frozen=True)
class StatementTotals:
    """A month in five sums; only the two balances can be below zero, when more was refunded than was there."""

    opening: Money
    earned: Money
    refunded: Money
    sent: Money
    taken_back: Money

    @property
    def closing(self) -> Money:
        return self.opening + self.earned - self.refunded - self.sent + self.taken_back

    @property
    def net_sent(self) -> Money:
        """What was sent and stayed sent; below zero where more came back than went out."""
        return self.sent - self.taken_back


def totals_of(opening: Money, sums: Iterable[tuple[EntryKind, int]]) -> StatementTotals:
    """The sums of a month from the balance it began with and the sums of its entries by kind, in minor units."""
    amounts = dict.fromkeys(StatementKind, 0)
    for kind, amount in sums:
        if kind in STATEMENT_KINDS:
            amounts[STATEMENT_KINDS[kind]] += amount
    return StatementTotals(
        opening, **{kind.value: Money(amount, opening.currency) for kind, amount in amounts.items()}
    )


def summed_up(months: Iterable[StatementTotals], *, opening: Money) -> StatementTotals:
    """Several months that follow each other as one, such as a year."""
    whole = StatementTotals(opening, *[Money.zero(opening.currency)] * 4)
    for month in months:
        whole = StatementTotals(
            opening,
            earned=whole.earned + month.earned,
            refunded=whole.refunded + month.refunded,
            sent=whole.sent + month.sent,
            taken_back=whole.taken_back + month.taken_back,
        )
    return whole
