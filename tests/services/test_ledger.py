"""Earnings come in once, holds pass by the clock, and every balance is explained."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.money import Money
from portal.models import Earning, LedgerEntry
from portal.services.ledger import EarningData, EarningsConflict
from tests.services.programme import TEST, Programme


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def post(programme: Programme, *items: EarningData) -> list[str]:
    return [status for _, status in programme.services.ledger.post_earnings(items, cause=TEST)]


def count(programme: Programme, table: type[Earning | LedgerEntry]) -> int:
    return len(programme.rows(sa.select(table.__table__)))


def assert_total_adds_up(programme: Programme, affiliate_id: UUID) -> None:
    have = programme.balances(affiliate_id)
    parts = have.on_hold.amount + have.available.amount + have.reserved.amount + have.paid_out.amount
    assert programme.get(affiliate_id).total_earned == parts - have.owed.amount


@settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), size=st.integers(1, 6))
def test_any_multiset_of_the_same_earnings_in_any_order_gives_the_ledger_of_the_set(
    programme: Programme, data: st.DataObject, size: int
) -> None:
    affiliate_id = programme.affiliate()
    earnings = [
        programme.earning(affiliate_id, data.draw(st.integers(1, 10**12 - 1)), days_ago=days)
        for days in data.draw(st.lists(st.integers(0, 60), min_size=size, max_size=size))
    ]
    repeated = data.draw(st.permutations([*earnings, *data.draw(st.lists(st.sampled_from(earnings)))]))
    cut = data.draw(st.integers(0, len(repeated)))
    results = [
        *(post(programme, *repeated[:cut]) if cut else []),
        *(post(programme, *repeated[cut:]) if cut < len(repeated) else []),
    ]
    assert results.count("created") == size
    have = programme.balances(affiliate_id)
    hold = programme.clock.now() - timedelta(days=30)
    assert have.on_hold == usd(sum(item.amount for item in earnings if item.occurred_at > hold))
    assert have.available == usd(sum(item.amount for item in earnings if item.occurred_at <= hold))


def test_an_earning_posted_again_is_a_duplicate_and_moves_nothing(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    earning = programme.earning(affiliate_id, 700)
    assert post(programme, earning, earning) == ["created", "duplicate"]
    assert post(programme, earning) == ["duplicate"]
    assert programme.get(affiliate_id).total_earned == 700


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 701},
        {"description": "Another"},
        {"occurred_at": timedelta(microseconds=1)},
        {"affiliate_code": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_reference_with_any_other_content_is_a_conflict_and_writes_nothing(
    programme: Programme, change: dict[str, object]
) -> None:
    affiliate_id = programme.affiliate()
    other = programme.get(programme.affiliate())
    earning = programme.earning(affiliate_id, 700)
    post(programme, earning)
    if "occurred_at" in change:
        change = {"occurred_at": earning.occurred_at + timedelta(microseconds=1)}
    if "affiliate_code" in change:
        change = {"affiliate_code": other.code}
    changed = dataclasses.replace(earning, **change)  # type: ignore[arg-type]
    with pytest.raises(EarningsConflict) as refusal:
        post(programme, programme.earning(affiliate_id, 1), changed)
    assert [where for where, _ in refusal.value.problems] == ["earnings.1.reference"]
    assert refusal.value.status == 409
    assert count(programme, Earning) == 1


def test_one_reference_twice_in_a_batch_with_different_content_is_a_conflict(programme: Programme) -> None:
    earning = programme.earning(programme.affiliate(), 700)
    with pytest.raises(EarningsConflict):
        post(programme, earning, dataclasses.replace(earning, amount=1))
    assert count(programme, Earning) == 0


def test_every_fault_of_a_batch_is_named_by_its_index_and_nothing_is_written(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    good = programme.earning(affiliate_id, 1)
    wrong_currency = dataclasses.replace(programme.earning(affiliate_id, 1), currency="eur")
    unknown = dataclasses.replace(programme.earning(affiliate_id, 1), affiliate_code="nobody")
    with pytest.raises(InvalidInput) as refusal:
        post(programme, good, wrong_currency, good, unknown)
    assert [where for where, _ in refusal.value.problems] == [
        "earnings.1.currency",
        "earnings.3.affiliate_code",
    ]
    assert count(programme, Earning) == count(programme, LedgerEntry) == 0


def test_two_posts_of_the_same_batch_at_once_credit_it_once(programme: Programme) -> None:
    affiliates = [programme.affiliate(), programme.affiliate()]
    batch = [programme.earning(affiliate_id, 100) for affiliate_id in affiliates * 3]
    results: list[list[str]] = []

    def post_all(items: list[EarningData]) -> None:
        with programme.app.app_context():
            results.append(post(programme, *items))

    threads = [threading.Thread(target=post_all, args=(items,)) for items in (batch, batch[::-1], batch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [["created"] * 6, ["duplicate"] * 6, ["duplicate"] * 6]
    assert [programme.get(affiliate_id).total_earned for affiliate_id in affiliates] == [300, 300]


def test_an_earning_is_available_in_the_very_next_read_after_its_hold_without_any_job(
    programme: Programme,
) -> None:
    affiliate_id = programme.verified()
    programme.earn(affiliate_id, 5_000, days_ago=0)
    programme.clock.advance(days=30, microseconds=-1)
    assert programme.balances(affiliate_id).available == usd(0)
    programme.clock.advance(microseconds=1)
    have = programme.balances(affiliate_id)
    assert (have.on_hold, have.available) == (usd(0), usd(5_000))
    assert_total_adds_up(programme, affiliate_id)
    payout = programme.payout(programme.request(affiliate_id))
    assert payout.amount == 5_000


def test_the_total_earned_adds_up_in_every_state_of_a_payout(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=8_000)
    programme.earn(affiliate_id, 900, days_ago=1)
    assert_total_adds_up(programme, affiliate_id)
    payout_id = programme.request(affiliate_id, "50.00")
    assert programme.balances(affiliate_id).reserved == usd(5_000)
    assert_total_adds_up(programme, affiliate_id)
    programme.services.payouts.cancel(payout_id, cause=TEST)
    assert_total_adds_up(programme, affiliate_id)
    programme.request(affiliate_id, "60.00")
    programme.run()
    have = programme.balances(affiliate_id)
    assert (have.on_hold, have.available, have.reserved, have.paid_out) == (
        usd(900), usd(2_000), usd(0), usd(6_000),
    )  # fmt: skip
    assert_total_adds_up(programme, affiliate_id)


def test_nobody_has_anything_before_their_first_earning(programme: Programme) -> None:
    have = programme.balances(programme.affiliate())
    assert {have.on_hold, have.available, have.reserved, have.paid_out, have.owed} == {usd(0)}


def test_a_page_of_the_ledger_goes_on_below_the_one_before(programme: Programme) -> None:
    ana, ledger = programme.affiliate(), programme.services.ledger
    for amount in (1, 2, 3):
        programme.earn(ana, amount)
    everything = [entry.id for entry in ledger.entries(ana)]
    assert everything == sorted(everything, reverse=True)
    first = [entry.id for entry in ledger.entries(ana, limit=2)]
    second = [entry.id for entry in ledger.entries(ana, before_id=first[-1])]
    assert first + second == everything


def test_a_page_of_the_ledger_is_one_affiliates_alone(programme: Programme) -> None:
    elder, affiliate_id, younger = (programme.affiliate() for _ in range(3))
    for each in (elder, affiliate_id, younger):
        programme.earn(each, 100)
    (entry,) = programme.services.ledger.entries(affiliate_id)
    assert entry.affiliate_id == affiliate_id


def test_what_comes_after_a_duplicate_is_credited_too(programme: Programme) -> None:
    ana = programme.affiliate()
    known, new = programme.earning(ana, 100), programme.earning(ana, 200)
    post(programme, known)
    assert post(programme, known, new) == ["duplicate", "created"]
    assert programme.balances(ana).available == usd(300)
