"""Amounts, times and countries as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from portal.domain.money import PAYOUT_CURRENCIES, Money
from portal.web.preferences import schedule_words
from portal.web.rendering import country_name, day_text, machine_time, money_text, time_text


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (123_450, "usd", "$1,234.50"),
        (-350, "eur", "\u2212€3.50"),
        (0, "gbp", "£0.00"),
        (500, "jpy", "¥500"),
        (120_000, "isk", "ISK\u00a01,200.00"),
        (1_234, "sek", "SEK\u00a012.34"),
        (1_234_560, "bhd", "BHD\u00a01,234.560"),
        (999_999_999_999, "cad", "CA$9,999,999,999.99"),
        (1, "usd", "$0.01"),
    ],
)
def test_an_amount_is_printed_with_stripes_decimals(amount: int, currency: str, words: str) -> None:
    assert money_text(Money(amount, currency)) == words


@pytest.mark.parametrize("currency", sorted(PAYOUT_CURRENCIES))
def test_every_currency_that_is_paid_out_can_be_printed(currency: str) -> None:
    digits = "".join(
        character for character in money_text(Money(123_456_789, currency)) if character.isdigit()
    )
    assert digits == "123456789"


def test_times_are_in_utc_and_say_so() -> None:
    moment = datetime(2026, 12, 14, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(moment) == "13 Dec 2026, 23:05 UTC"
    assert day_text(moment) == "13 Dec 2026"
    assert machine_time(moment) == "2026-12-13T23:05Z"
    assert day_text(datetime(2026, 1, 2, tzinfo=UTC)) == "2 Jan 2026"


def test_a_country_nobody_knows_keeps_its_code() -> None:
    assert country_name("DE") == "Germany"
    assert country_name("ZQ") == "ZQ"


@pytest.mark.parametrize(
    ("schedule", "words"),
    [("monthly:15", "day 15"), ("weekly:wed", "Every Wednesday"), ("manual", "No day is set")],
)
def test_the_automatic_schedule_is_said_in_words(schedule: str, words: str) -> None:
    assert words in schedule_words(schedule)
