"""Statements: a month's sums are written down when the month is over, and its lines are the ledger's.

Entries are dated when they are added, under the lock of their affiliate, and never change; so a month that is over can
be summed up at any later time with the same result. It is done when somebody first looks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.domain.ledger import AccountKind, EntryKind
from portal.domain.money import Money
from portal.domain.sentences import Sentence
from portal.domain.statements import (
    STATEMENT_KINDS,
    Month,
    StatementKind,
    StatementTotals,
    summed_up,
    totals_of,
)
from portal.models import Affiliate, Earning, LedgerAccount, LedgerEntry, Payout, Refund, Statement
from portal.models.base import Database, reading, writing
from portal.services.books import Books

T = TypeVar("T")


@dataclass(frozen=True)
class MonthStatement:
    """One month: its sums, between which entries its lines lie (after the first, up to the last), and whether it is
    over, so that nothing in it will change."""

    month: Month
    totals: StatementTotals
    after_entry_id: int
    last_entry_id: int | None
    is_final: bool


@dataclass(frozen=True)
class YearStatements:
    """The months of a year, newest first, and the year as a whole."""

    year: int
    months: Sequence[MonthStatement]

    @property
    def totals(self) -> StatementTotals:
        return summed_up((each.totals for each in self.months), opening=self.months[-1].totals.opening)


@dataclass(frozen=True)
class StatementLine:
    """One movement; `money` is negative where it lessens the balance."""

    entry_id: int
    at: datetime
    kind: StatementKind
    money: Money
    text: str
    """What the business wrote about it."""
    reference: str
    """The order's, or the payout's, as people know it."""
    payout_id: UUID | None


class Statements:
    """Closes months and shows them."""

    def __init__(self, database: Database, *, clock: Clock, books: Books) -> None:
        self._database = database
        self._clock = clock
        self._books = books

    def years(self, affiliate_id: UUID) -> list[YearStatements]:
        """Every month since the first entry, the running one included; newest first, year by year."""
        months = self._up_to_date(self._months, affiliate_id)
        years = sorted({each.month.year for each in months}, reverse=True)
        return [YearStatements(year, [each for each in months if each.month.year == year]) for year in years]

    def get(self, affiliate_id: UUID, month: Month) -> MonthStatement:
        """One month. Raises NotFound for one before the first entry, or that has not begun."""
        for each in self._up_to_date(self._months, affiliate_id):
            if each.month == month:
                return each
        raise NotFound(Sentence("There is no statement for this month."))

    def earned(self, affiliate_id: UUID) -> Mapping[Month, Money]:
        """What was earned, less refunds, in every month since the first entry, the running one included; one statement
        however many there are, but for the first look in a month."""
        return self._up_to_date(self._earned, affiliate_id)

    @reading
    def lines(
        self, affiliate_id: UUID, statement: MonthStatement, *, after: int | None = None, limit: int
    ) -> list[StatementLine]:
        """The lines of a month, oldest first, those past an entry; at most `limit`."""
        query = (
            sa.select(LedgerEntry, Earning, Payout)
            .outerjoin(Earning, Earning.id == LedgerEntry.earning_id)
            .outerjoin(Payout, Payout.id == LedgerEntry.payout_id)
            .where(*_within(affiliate_id, statement), LedgerEntry.kind.in_(STATEMENT_KINDS))
        )
        if after is not None:
            query = query.where(LedgerEntry.id > after)
        rows = self._database.execute(query.order_by(LedgerEntry.id).limit(limit)).all()
        refunds = self._refunds({_refund_id(entry) for entry, *_ in rows} - {None})
        return [_line(entry, earning, payout, refunds) for entry, earning, payout in rows]

    def _up_to_date(self, read: Callable[[UUID], T | None], affiliate_id: UUID) -> T:
        """What `read` finds; if that is None, months are over that nobody has written down yet, which is done now."""
        while (found := read(affiliate_id)) is None:
            self._close_passed(affiliate_id)
        return found

    @writing
    def _close_passed(self, affiliate_id: UUID) -> None:
        """Write down every month that is over and not written yet."""
        affiliate = self._books.lock(affiliate_id)
        last = self._database.scalar(_newest(affiliate_id))
        month = Month.parse(last.month).next if last else self._first_month(affiliate_id)
        while month is not None and month.ends_at <= self._clock.now():
            last = self._close(affiliate, month, last)
            month = month.next

    def _close(self, affiliate: Affiliate, month: Month, before: Statement | None) -> Statement:
        after_id = before.last_entry_id if before else 0
        of_affiliate = (LedgerEntry.affiliate_id == affiliate.id, LedgerEntry.id > after_id)
        # by position and not by date alone: clocks of two machines differ, and no entry may fall between two months
        first_later = self._database.scalar(
            sa.select(sa.func.min(LedgerEntry.id)).where(
                *of_affiliate, LedgerEntry.created_at >= month.ends_at
            )
        )
        newest = self._database.scalar(sa.select(sa.func.max(LedgerEntry.id)).where(*of_affiliate))
        last_id = first_later - 1 if first_later else newest or after_id
        opening = Money(before.closing if before else 0, affiliate.currency)
        totals = totals_of(opening, self._sums(*of_affiliate, LedgerEntry.id <= last_id))
        row = Statement(
            affiliate_id=affiliate.id, month=str(month), currency=affiliate.currency, opening=opening.amount,
            earned=totals.earned.amount, refunded=totals.refunded.amount, sent=totals.sent.amount,
            taken_back=totals.taken_back.amount, closing=totals.closing.amount, last_entry_id=last_id,
            closed_at=self._clock.now(),
        )  # fmt: skip
        self._database.add(row)
        self._database.flush()
        return row

    @reading
    def _months(self, affiliate_id: UUID) -> list[MonthStatement] | None:
        """Newest first; None if a month is over and not written down."""
        months: list[MonthStatement] = []
        after_id = 0
        for row in self._database.scalars(
            sa.select(Statement).where(Statement.affiliate_id == affiliate_id).order_by(Statement.month)
        ):
            months.append(_closed(row, after_id))
            after_id = row.last_entry_id
        first = None if months else self._first_entry(affiliate_id)
        if first is None and not months:
            return []
        due = Month.of(first.created_at) if first else months[-1].month.next
        if due.ends_at <= self._clock.now():
            return None
        opening = Money.zero(first.currency) if first else months[-1].totals.closing
        return [self._running(affiliate_id, due, opening, after_id), *reversed(months)]

    @reading
    def _earned(self, affiliate_id: UUID) -> Mapping[Month, Money] | None:
        """None if a month is over and not written down. The running one is what the balance has beyond the others."""
        begun = sa.select(LedgerEntry.created_at).where(LedgerEntry.affiliate_id == affiliate_id)
        rows = self._database.execute(
            sa.select(
                Statement.month,
                Statement.earned - Statement.refunded,
                -LedgerAccount.balance,
                LedgerAccount.currency,
                begun.order_by(LedgerEntry.id).limit(1).scalar_subquery(),
            )
            .select_from(LedgerAccount)
            .outerjoin(Statement, Statement.affiliate_id == LedgerAccount.affiliate_id)
            .where(LedgerAccount.affiliate_id == affiliate_id, LedgerAccount.kind == AccountKind.earned)
            .order_by(Statement.month)
        ).all()
        if not rows:
            return {}
        _, _, total, currency, begun_at = rows[0]
        months = {Month.parse(month): Money(net, currency) for month, net, *_ in rows if month}
        due = max(months).next if months else Month.of(begun_at)
        if due.ends_at <= self._clock.now():
            return None
        running = Money(total, currency) - sum(months.values(), Money.zero(currency))
        return {**months, due: running}

    def _running(self, affiliate_id: UUID, month: Month, opening: Money, after_id: int) -> MonthStatement:
        """The month that is not written down yet: the clock is not asked again, as another may just begin."""
        sums = self._sums(LedgerEntry.affiliate_id == affiliate_id, LedgerEntry.id > after_id)
        return MonthStatement(month, totals_of(opening, sums), after_id, last_entry_id=None, is_final=False)

    def _sums(self, *where: sa.ColumnElement[bool]) -> list[tuple[EntryKind, int]]:
        rows = self._database.execute(
            sa.select(LedgerEntry.kind, sa.func.sum(LedgerEntry.amount))
            .where(*where)
            .group_by(LedgerEntry.kind)
        )
        return [(kind, int(amount)) for kind, amount in rows]  # PostgreSQL sums bigints to a Decimal

    def _first_month(self, affiliate_id: UUID) -> Month | None:
        first = self._first_entry(affiliate_id)
        return Month.of(first.created_at) if first else None

    def _first_entry(self, affiliate_id: UUID) -> LedgerEntry | None:
        of_affiliate = sa.select(LedgerEntry).where(LedgerEntry.affiliate_id == affiliate_id)
        return self._database.scalar(of_affiliate.order_by(LedgerEntry.id).limit(1))

    def _refunds(self, ids: Collection[UUID | None]) -> Mapping[UUID, tuple[Refund, Earning]]:
        rows = self._database.execute(
            sa.select(Refund, Earning)
            .join(Earning, Earning.id == Refund.earning_id)
            .where(Refund.id.in_(ids))
        )
        return {refund.id: (refund, earning) for refund, earning in rows}


def _newest(affiliate_id: UUID) -> sa.Select[Statement]:
    return (
        sa.select(Statement)
        .where(Statement.affiliate_id == affiliate_id)
        .order_by(Statement.month.desc())
        .limit(1)
    )


def _within(affiliate_id: UUID, statement: MonthStatement) -> list[sa.ColumnElement[bool]]:
    bounds = [LedgerEntry.affiliate_id == affiliate_id, LedgerEntry.id > statement.after_entry_id]
    if statement.last_entry_id is not None:
        bounds.append(LedgerEntry.id <= statement.last_entry_id)
    return bounds


def _closed(row: Statement, after_entry_id: int) -> MonthStatement:
    sums = (row.opening, row.earned, row.refunded, row.sent, row.taken_back)
    totals = StatementTotals(*[Money(amount, row.currency) for amount in sums])
    return MonthStatement(Month.parse(row.month), totals, after_entry_id, row.last_entry_id, is_final=True)


def _refund_id(entry: LedgerEntry) -> UUID | None:
    """A refund's entries name it first, then the hold they were taken from."""
    return UUID(entry.reference.partition(":")[0]) if entry.source == "refund" else None


def _line(
    entry: LedgerEntry,
    earning: Earning | None,
    payout: Payout | None,
    refunds: Mapping[UUID, tuple[Refund, Earning]],
) -> StatementLine:
    kind = STATEMENT_KINDS[entry.kind]
    text, reference = "", ""
    if payout is not None:
        reference = payout.reference
    elif (refund_id := _refund_id(entry)) is not None:
        refund, refunded = refunds[refund_id]
        text, reference = refund.reason, refunded.reference
    elif earning is not None:
        text, reference = earning.description, earning.reference
    money = Money(kind.sign * entry.amount, entry.currency)
    return StatementLine(entry.id, entry.created_at, kind, money, text, reference, entry.payout_id)
