"""Which list a run is of, the total that an operator types, and what is no quiet report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.attempts import Outcome
from portal.domain.errors import InvalidInput
from portal.domain.money import Money
from portal.domain.payout_runs import (
    Cover,
    cutoff_before,
    cutoff_of,
    refuse_another_total,
    run_id_of,
    sent_nothing,
    totals_text,
)

NOON = datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
DOLLARS, EUROS, YEN = Money(412_050, "usd"), Money(2_000, "eur"), Money(500, "jpy")


def test_the_cutoff_is_the_next_millisecond_so_that_what_was_approved_just_now_is_on_the_list() -> None:
    assert cutoff_before(NOON) == datetime(2026, 11, 21, 12, 0, 0, 1_000, tzinfo=UTC)
    assert cutoff_before(cutoff_before(NOON)) == cutoff_before(NOON)


@given(
    st.timedeltas(timedelta(), timedelta(days=80_000)).map(
        lambda age: datetime(1970, 1, 1, tzinfo=UTC) + age
    ),
    st.lists(st.uuids(), max_size=5),
)
def test_a_run_id_is_a_uuid_of_its_own_kind_and_holds_when_the_list_was_looked_at(
    now: datetime, payouts: list[UUID]
) -> None:
    cutoff = cutoff_before(now)
    run_id = run_id_of(cutoff, payouts)
    assert (run_id.version, run_id.variant) == (8, UUID(int=2 << 62).variant)
    assert cutoff_of(run_id) == cutoff


def test_another_list_another_order_and_another_moment_are_other_runs() -> None:
    cutoff = cutoff_before(NOON)
    ids = {
        run_id_of(moment, payouts)
        for moment in (cutoff, cutoff + timedelta(milliseconds=1))
        for payouts in ([], [ONE], [TWO], [ONE, TWO], [TWO, ONE])
    }
    assert len(ids) == 10
    assert run_id_of(cutoff, [ONE, TWO]) in ids


def test_an_id_that_no_list_gave_names_no_moment() -> None:
    assert cutoff_of(uuid4()) is None
    assert cutoff_of(UUID(int=(2**48 - 1) << 80 | 8 << 76 | 2 << 62)) is None


@pytest.mark.parametrize(
    ("typed", "totals"),
    [
        ("4120.50", [DOLLARS]),
        (" 4120.5 ", [DOLLARS]),
        ("4120.50 USD", [DOLLARS]),
        ("500", [YEN]),
        ("20.00 EUR, 4120.50 USD", [EUROS, DOLLARS]),
        ("4120.50 usd,20 eur", [EUROS, DOLLARS]),
    ],
)
def test_the_total_may_be_typed_as_people_do(typed: str, totals: Sequence[Money]) -> None:
    refuse_another_total(typed, totals)


@pytest.mark.parametrize(
    ("typed", "totals"),
    [
        ("", [DOLLARS]),
        ("4120.51", [DOLLARS]),
        ("412050", [DOLLARS]),
        ("4,120.50", [DOLLARS]),
        ("-4120.50", [DOLLARS]),
        ("4120.50 EUR", [DOLLARS]),
        ("4120.50 USD USD", [DOLLARS]),
        ("4120.500", [DOLLARS]),
        ("4120.50", [EUROS, DOLLARS]),
        ("4120.50 USD", [EUROS, DOLLARS]),
        ("20, 4120.50 USD", [EUROS, DOLLARS]),
        ("20 EUR, 4120.50 USD, 20 EUR", [EUROS, DOLLARS]),
        ("20 EUR, 4120.50 USD, 1 JPY", [EUROS, DOLLARS]),
        ("4" * 5_000, [DOLLARS]),
        ("\u0664120.50", [DOLLARS]),
        (",", [DOLLARS]),
    ],
)
def test_any_other_total_is_refused_at_the_field_with_the_right_one(
    typed: str, totals: Sequence[Money]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        refuse_another_total(typed, totals)
    assert refusal.value.field == "total"
    assert totals_text(totals) in refusal.value.sentence


def test_the_total_to_type_names_currencies_only_where_there_are_several() -> None:
    assert totals_text([DOLLARS]) == "4120.50"
    assert totals_text([EUROS, DOLLARS]) == "20.00 EUR, 4120.50 USD"


def test_pending_money_covers_nothing() -> None:
    cover = Cover(Money(10_000, "usd"), available=Money(9_000, "usd"), pending=Money(50_000, "usd"))
    assert cover.short_by == Money(1_000, "usd")
    assert cover.after == Money(-1_000, "usd")
    assert Cover(Money(9_000, "usd"), Money(9_000, "usd"), Money(0, "usd")).short_by is None


def test_the_oldest_are_covered_first_and_nobody_younger_before_them() -> None:
    cover = Cover(Money(10_000, "usd"), available=Money(6_000, "usd"), pending=Money(0, "usd"))
    assert cover.covered([4_000, 2_000, 4_000]) == 2
    assert cover.covered([7_000, 1_000]) == 0


@pytest.mark.parametrize(
    ("counts", "is_broken_off", "is_alarm"),
    [
        ({Outcome.waiting: 2}, False, True),
        ({Outcome.failed: 1, Outcome.unknown: 1}, False, True),
        ({Outcome.waiting: 310, Outcome.paid: 1}, False, False),
        ({Outcome.waiting: 1}, False, False),
        ({Outcome.held: 9}, False, False),
        ({Outcome.skipped: 9}, False, False),
        ({Outcome.skipped: 9}, True, True),
        ({}, True, False),
    ],
)
def test_a_run_of_many_that_sent_none_is_an_alarm(
    counts: dict[Outcome, int], is_broken_off: bool, is_alarm: bool
) -> None:
    assert sent_nothing(counts, is_broken_off=is_broken_off) is is_alarm
