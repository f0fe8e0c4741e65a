"""Statements: they add up, follow each other, and stay as they are once a month is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.statements import Month, StatementTotals
from portal.models import Affiliate, Earning, LedgerEntry, Statement
from portal.services.books import Books
from portal.services.refunds import RefundData
from portal.services.statements import MonthStatement, Statements
from portal.wiring import session
from tests.clocks import MovableClock
from tests.services.programme import TEST, Programme


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def go_to(programme: Programme, year: int, month: int, day: int = 1, hour: int = 0) -> None:
    programme.clock.set(datetime(year, month, day, hour, tzinfo=UTC))


def months(programme: Programme, affiliate_id: UUID) -> list[MonthStatement]:
    return [each for year in programme.services.statements.years(affiliate_id) for each in year.months]


def refund(programme: Programme, affiliate_id: UUID, amount: int, name: str) -> None:
    reference = programme.rows(
        sa.select(Earning.reference).where(Earning.affiliate_id == affiliate_id).order_by(Earning.id)
    )[0][0]
    programme.services.refunds.refund(reference, RefundData(name, amount, "Sent back"), cause=TEST)


@pytest.fixture
def ana(programme: Programme) -> UUID:
    """Earns 100 in January; is paid 60 and refunded 5 in February; nothing in March; earns 7 in April 2031."""
    go_to(programme, 2031, 1, 10)
    ana = programme.verified(earned=10_000)
    go_to(programme, 2031, 2, 27)
    programme.request(ana, "60.00")
    programme.run()
    refund(programme, ana, 500, "r-1")
    go_to(programme, 2031, 4, 2)
    programme.earn(ana, 700)
    return ana


def test_each_month_begins_where_the_one_before_ended(programme: Programme, ana: UUID) -> None:
    found = months(programme, ana)
    assert [(str(each.month), each.is_final) for each in found] == [
        ("2031-04", False), ("2031-03", True), ("2031-02", True), ("2031-01", True),
    ]  # fmt: skip
    january, february, march, april = (each.totals for each in reversed(found))
    assert january == StatementTotals(usd(0), usd(10_000), usd(0), usd(0), usd(0))
    assert february == StatementTotals(usd(10_000), usd(0), usd(500), usd(6_000), usd(0))
    assert march == StatementTotals(usd(3_500), usd(0), usd(0), usd(0), usd(0))
    assert april == StatementTotals(usd(3_500), usd(700), usd(0), usd(0), usd(0))
    have = programme.balances(ana)
    assert april.closing == have.on_hold + have.available + have.reserved - have.owed


def test_what_was_earned_by_month_is_what_the_statements_say(programme: Programme, ana: UUID) -> None:
    earned = programme.services.statements.earned(ana)
    assert {str(month): money.amount for month, money in earned.items()} == {
        "2031-01": 10_000, "2031-02": -500, "2031-03": 0, "2031-04": 700,
    }  # fmt: skip
    said = {each.month: each.totals.earned - each.totals.refunded for each in months(programme, ana)}
    assert earned == said
    assert programme.services.statements.earned(programme.affiliate()) == {}


class ClockThatGoesOn(MovableClock):
    """A second later each time somebody looks."""

    def real_now(self) -> datetime:
        self.set(super().real_now() + timedelta(seconds=1))
        return super().real_now()


@pytest.mark.parametrize("looks", range(3))
def test_a_month_that_ends_while_somebody_looks_keeps_what_is_its_own(
    programme: Programme, looks: int
) -> None:
    go_to(programme, 2031, 1, 10)
    ana = programme.verified(earned=10_000)
    january = Month(2031, 1)
    clock = ClockThatGoesOn(january.ends_at - timedelta(seconds=looks + 1))
    statements = Statements(session, clock=clock, books=Books(session, clock=clock))
    assert statements.earned(ana)[january] == usd(10_000)
    clock.set(january.ends_at - timedelta(seconds=looks + 1))
    assert statements.get(ana, january).totals.earned == usd(10_000)


def test_every_line_says_what_it_is_about(programme: Programme, ana: UUID) -> None:
    statement = programme.services.statements.get(ana, Month(2031, 2))
    lines = programme.services.statements.lines(ana, statement, limit=10)
    assert [(line.kind, line.money.amount, line.text) for line in lines] == [
        ("sent", -6_000, ""),
        ("refunded", -500, "Sent back"),
    ]
    assert lines[0].reference.startswith("P-")
    assert lines[1].reference.startswith("order-")
    assert sum((line.money for line in lines), statement.totals.opening) == statement.totals.closing
    (rest,) = programme.services.statements.lines(ana, statement, after=lines[0].entry_id, limit=10)
    assert rest == lines[1]


def test_a_month_that_is_over_reads_the_same_whatever_happens_later(programme: Programme, ana: UUID) -> None:
    before = programme.services.statements.get(ana, Month(2031, 2))
    refund(programme, ana, 9_000, "r-2")
    programme.earn(ana, 5, days_ago=80)  # occurred in January, was credited in April
    go_to(programme, 2032, 6)
    assert programme.services.statements.get(ana, Month(2031, 2)) == before
    assert programme.services.statements.get(ana, Month(2031, 1)).totals.earned == usd(10_000)
    assert programme.services.statements.get(ana, Month(2031, 4)).totals.earned == usd(705)


def test_when_somebody_first_looks_makes_no_difference(programme: Programme) -> None:
    go_to(programme, 2031, 1, 10)
    early, late = programme.verified(earned=10_000), programme.verified(earned=10_000)
    for month in (2, 3, 4):
        go_to(programme, 2031, month)
        months(programme, early)
        go_to(programme, 2031, month, 28)
        for each in (early, late):
            programme.earn(each, 100 * month)
            refund(programme, each, 10, f"r-{month}")
    go_to(programme, 2031, 5)
    assert [each.totals for each in months(programme, early)] == [
        each.totals for each in months(programme, late)
    ]


def test_more_refunded_than_there_was_leaves_a_balance_below_zero(programme: Programme) -> None:
    go_to(programme, 2031, 1, 10)
    ana = programme.verified(earned=10_000)
    programme.request(ana, "100.00")
    programme.run()
    refund(programme, ana, 4_000, "r-1")
    (january,) = months(programme, ana)
    assert january.totals.closing == usd(-4_000)
    assert programme.balances(ana).owed == usd(4_000)


def test_what_came_back_of_a_payout_is_in_the_month_it_came_back(programme: Programme) -> None:
    go_to(programme, 2031, 1, 10)
    ana = programme.verified(earned=10_000)
    payout_id = programme.request(ana, "100.00")
    programme.run()
    go_to(programme, 2031, 2, 3)
    programme.stripe.reverse(str(programme.payout(payout_id).transfer_id), 2_500)
    programme.services.reconciliation.run(cause=TEST)
    february, january = months(programme, ana)
    assert january.totals.closing == usd(0)
    assert (february.totals.taken_back, february.totals.closing) == (usd(2_500), usd(2_500))


def test_there_is_none_before_the_first_entry_and_none_of_the_future(programme: Programme, ana: UUID) -> None:
    for month in (Month(2030, 12), Month(2031, 5)):
        with pytest.raises(NotFound):
            programme.services.statements.get(ana, month)
    assert programme.services.statements.years(programme.affiliate()) == []


def test_an_entry_of_a_clock_that_is_behind_falls_into_no_gap(programme: Programme) -> None:
    """Another machine's clock is three minutes behind; its entry comes after one of the next month."""
    go_to(programme, 2031, 1, 31, 23)
    ana = programme.verified(earned=100)
    go_to(programme, 2031, 2)
    programme.earn(ana, 20)
    programme.clock.advance(seconds=-180)
    programme.earn(ana, 3)
    go_to(programme, 2031, 3)
    march, february, january = months(programme, ana)
    assert (january.totals.earned, february.totals.earned) == (usd(100), usd(23))
    assert march.totals.closing == usd(123)


def test_the_database_keeps_statements_as_they_were_written(programme: Programme, ana: UUID) -> None:
    months(programme, ana)
    values = {
        "affiliate_id": ana, "currency": "usd", "opening": 3_500, "earned": 0, "refunded": 0, "sent": 0,
        "taken_back": 0, "closing": 3_500, "last_entry_id": 10**6, "closed_at": programme.clock.now(),
    }  # fmt: skip
    cheats = [
        sa.update(Statement).values(sent=1, closing=Statement.closing - 1),
        sa.delete(Statement),
        sa.insert(Statement).values(**values, month="2031-03"),
        sa.insert(Statement).values(**values, month="2030-12"),
        sa.insert(Statement).values(**values | {"opening": 0, "closing": 0}, month="2031-04"),
        sa.insert(Statement).values(**values | {"closing": 9_999}, month="2031-04"),
    ]
    for cheat in cheats:
        with pytest.raises(DBAPIError):
            programme.execute(cheat)
    programme.execute(sa.insert(Statement).values(**values, month="2031-04"))  # it was not for another reason


def test_no_statement_is_written_by_looking_at_a_running_month(programme: Programme) -> None:
    ana = programme.verified(earned=100)
    assert [each.is_final for each in months(programme, ana)] == [False]
    assert programme.rows(sa.select(Statement.month)) == []
    assert programme.rows(sa.select(sa.func.count()).select_from(LedgerEntry))[0][0]
    assert programme.rows(sa.select(Affiliate.currency).where(Affiliate.id == ana)) == [("usd",)]
    programme.clock.advance(seconds=timedelta(days=40).total_seconds())
    assert [each.is_final for each in months(programme, ana)][-1]
