"""Looking for affiliates, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from portal.services.affiliate_search import AffiliateFilter, Flag, StatusFilter
from portal.services.affiliates import AffiliateData
from tests.services.programme import TEST, Programme


def codes(programme: Programme, *, past: str | None = None, limit: int = 50, **wanted: Any) -> list[str]:
    found = programme.services.affiliate_search.find(AffiliateFilter(**wanted), past=past, limit=limit)
    return [each.affiliate.code for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SHOP", ["shop_1", "shopx1"]),
        ("shop_1", ["shop_1"]),
        ("100%", ["shopx1"]),
        ("lind", ["shop_1"]),
        ("@EXAMPLE.com", ["shop_1"]),
        ("\\", []),
        ("acct_", []),
    ],
)
def test_a_word_is_looked_for_whatever_its_case_and_nothing_in_it_is_a_wildcard(
    programme: Programme, text: str, expected: list[str]
) -> None:
    put = programme.services.affiliates.put
    put("shop_1", AffiliateData(name="Ana Lind", email="ana@example.com"), cause=TEST)
    put("shopx1", AffiliateData(name="100% Ben"), cause=TEST)
    assert codes(programme, text=text) == expected


def test_statuses_and_flags_narrow_the_list_together(programme: Programme) -> None:
    fresh = programme.get(programme.affiliate()).code
    restricted_id = programme.affiliate()
    programme.onboard(restricted_id, fate="restrict")
    rich_id = programme.affiliate()
    programme.onboard(rich_id, fate="restrict")
    programme.earn(rich_id, 5_000)
    blocked_id = programme.verified()
    programme.block(blocked_id)
    restricted, rich, blocked = (programme.get(each).code for each in (restricted_id, rich_id, blocked_id))
    assert codes(programme, status=StatusFilter.none) == [fresh]
    assert codes(programme, status=StatusFilter.restricted) == [restricted, rich]
    assert codes(programme, status=StatusFilter.restricted, flag=Flag.with_balance) == [rich]
    assert codes(programme, flag=Flag.blocked) == [blocked]
    assert codes(programme, flag=Flag.stuck) == []


def test_the_list_goes_on_after_a_code(programme: Programme) -> None:
    everybody = sorted(programme.get(programme.affiliate()).code for _ in range(4))
    assert codes(programme, limit=2) == everybody[:2]
    assert codes(programme, past=everybody[1], limit=2) == everybody[2:]


def test_balances_in_the_list_are_those_of_the_affiliates_own_page(programme: Programme) -> None:
    ids = [programme.verified(earned=5_000), programme.affiliate(currency="eur"), programme.verified()]
    programme.earn(ids[0], 7_000, days_ago=1)
    programme.earn(ids[1], 900, days_ago=40)
    programme.clock.advance(days=3)
    for found in programme.services.affiliate_search.find(AffiliateFilter()):
        assert found.balances == programme.balances(found.affiliate.id)


def test_an_affiliate_is_found_by_their_account(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    found = programme.services.affiliate_search.with_account(account_id)
    assert found is not None
    assert found.id == affiliate_id
    assert codes(programme, text=account_id) == [found.code]
