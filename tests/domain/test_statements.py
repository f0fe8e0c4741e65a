"""A statement adds up, and a month knows where it begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import NotFound
from portal.domain.ledger import MOVES, AccountKind, EntryKind
from portal.domain.money import Money
from portal.domain.statements import (
    STATEMENT_KINDS,
    Month,
    StatementKind,
    StatementTotals,
    summed_up,
    totals_of,
)

AMOUNTS = st.integers(1, 10**12)
ENTRIES = st.lists(st.tuples(st.sampled_from(EntryKind), AMOUNTS), max_size=30)


def usd(amount: int) -> Money:
    return Money(amount, "usd")


@given(st.integers(-(10**12), 10**12), ENTRIES)
def test_the_closing_balance_is_what_the_ledgers_accounts_hold_beside_what_was_paid_out(
    opening: int, entries: list[tuple[EntryKind, int]]
) -> None:
    held = opening
    for kind, amount in entries:
        debit, credit = MOVES[kind]
        held += amount if debit in {AccountKind.earned, AccountKind.paid_out} else 0
        held -= amount if credit in {AccountKind.earned, AccountKind.paid_out} else 0
    assert totals_of(usd(opening), entries).closing == usd(held)


def test_what_only_moves_between_stages_is_no_line() -> None:
    outside = {AccountKind.earned, AccountKind.paid_out}
    assert set(STATEMENT_KINDS) == {kind for kind, accounts in MOVES.items() if outside & set(accounts)}


def test_the_five_sums_of_a_month_begin_at_nothing_and_each_counts_for_or_against_the_affiliate() -> None:
    sums = [(EntryKind.earn, 900), (EntryKind.earn, 100), (EntryKind.refund_owed, 30), (EntryKind.settle, 500),
            (EntryKind.reverse, 200), (EntryKind.reserve, 7)]  # fmt: skip
    month = totals_of(usd(50), sums)
    assert month == StatementTotals(
        usd(50), earned=usd(1000), refunded=usd(30), sent=usd(500), taken_back=usd(200)
    )
    assert (month.closing, month.net_sent) == (usd(720), usd(300))
    assert totals_of(usd(50), []) == StatementTotals(usd(50), usd(0), usd(0), usd(0), usd(0))
    assert {kind.name: kind.sign for kind in StatementKind} == {
        "earned": 1, "refunded": -1, "sent": -1, "taken_back": 1,
    }  # fmt: skip


@given(st.lists(ENTRIES, min_size=1, max_size=12))
def test_a_year_is_its_months_in_sum(months: list[list[tuple[EntryKind, int]]]) -> None:
    opening, totals = usd(70), list[StatementTotals]()
    for entries in months:
        totals.append(totals_of(totals[-1].closing if totals else opening, entries))
    year = summed_up(totals, opening=opening)
    assert year.closing == totals[-1].closing
    assert year.net_sent == sum((each.net_sent for each in totals), usd(0))


@given(st.integers(0, 30_000_000_000).map(lambda seconds: datetime.fromtimestamp(946_684_800 + seconds, UTC)))
def test_every_moment_lies_in_exactly_one_month(moment: datetime) -> None:
    month = Month.of(moment)
    assert month.begins_at <= moment < month.ends_at == month.next.begins_at
    assert Month.of(month.ends_at - timedelta(microseconds=1)) == month
    assert Month.parse(str(month)) == month < month.next
    assert month.next.previous == month


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-1",
        "2026-13",
        "2026-00",
        "1999-01",
        "2026-11x",
        "2026-11\n",
        "２０２６-11",
        "../2026-11",
    ],
)
def test_what_is_no_month_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        Month.parse(text)
