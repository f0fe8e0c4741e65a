from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.money import (
    EXPONENT,
    MAX_AMOUNT,
    PAYOUT_CURRENCIES,
    CurrencyMismatchError,
    CurrencyNotSupported,
    Money,
    exponent,
    is_supported,
    major_units,
    parse_amount,
    payout_step,
    round_down_to_step,
)

currencies = st.sampled_from(sorted(PAYOUT_CURRENCIES))
amounts = st.integers(min_value=0, max_value=MAX_AMOUNT)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("usd", 2),
        ("eur", 2),
        ("huf", 2),
        ("twd", 2),
        ("jpy", 0),
        ("krw", 0),
        ("xof", 0),
        ("bhd", 3),
        ("tnd", 3),
    ],
)
def test_decimals_are_counted_as_stripe_counts_them(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_isk_and_ugx_have_two_decimals_at_stripe_although_iso_gives_them_none(currency: str) -> None:
    assert exponent(currency) == 2
    assert parse_amount("500", currency) == Money(50_000, currency)
    assert Money(50_000, currency).to_decimal() == "500.00"


def test_decimals_are_known_for_a_currency_that_is_only_held_and_not_paid_out() -> None:
    assert not is_supported("bif")
    assert exponent("bif") == 0
    assert exponent("cny") == 2


@pytest.mark.parametrize("currency", ["USD", "us", "usdx", "", "u$d", "usd\n", "ａｂｃ"])
def test_what_is_no_currency_code_has_no_decimals(currency: str) -> None:
    with pytest.raises(CurrencyNotSupported):
        exponent(currency)


@pytest.mark.parametrize("currency", ["usd", "eur", "gbp", "jpy", "bhd", "isk", "ugx", "huf", "twd", "chf"])
def test_stripe_pays_out_in(currency: str) -> None:
    assert is_supported(currency)


@pytest.mark.parametrize("currency", ["xxx", "btc", "irr", "kpw", "bgn", "hrk", "USD", "Eur", "", "usd "])
def test_stripe_does_not_pay_out_in(currency: str) -> None:
    assert not is_supported(currency)


def test_every_currency_paid_out_is_a_lower_case_code() -> None:
    assert all(
        len(code) == 3 and code.isascii() and code.isalpha() and code.islower() for code in PAYOUT_CURRENCIES
    )


@pytest.mark.parametrize(
    ("currency", "step"),
    [("isk", 100), ("ugx", 100), ("bhd", 10), ("jod", 10), ("kwd", 10), ("omr", 10), ("tnd", 10)],
)
def test_stripe_takes_only_round_payouts_of(currency: str, step: int) -> None:
    assert payout_step(currency) == step


@pytest.mark.parametrize("currency", ["usd", "jpy", "huf", "twd"])
def test_a_transfer_of_other_currencies_may_be_of_any_amount(currency: str) -> None:
    assert payout_step(currency) == 1


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        (12_345, "isk", 12_300),
        (99, "ugx", 0),
        (12_345, "bhd", 12_340),
        (12_345, "usd", 12_345),
        (0, "isk", 0),
    ],
)
def test_all_that_is_available_is_rounded_down_to_what_stripe_takes(
    amount: int, currency: str, rounded: int
) -> None:
    assert round_down_to_step(Money(amount, currency)) == Money(rounded, currency)


@given(amount=amounts, currency=currencies)
def test_rounding_down_loses_less_than_a_step_and_leaves_a_multiple(amount: int, currency: str) -> None:
    rounded = round_down_to_step(Money(amount, currency))
    assert rounded.amount % payout_step(currency) == 0
    assert 0 <= amount - rounded.amount < payout_step(currency)


def test_amounts_of_one_currency_add_subtract_and_compare() -> None:
    one, two = Money(150, "eur"), Money(200, "eur")
    assert one + two == Money(350, "eur")
    assert one - two == Money(-50, "eur") == -Money(50, "eur")
    assert one < two
    assert one <= two
    assert one <= Money(150, "eur") >= one
    assert not one < Money(150, "eur") > one
    assert two > one
    assert two >= one
    assert not two < one
    assert not one >= two
    assert max(one, two) is two
    assert sum([one, two], Money.zero("eur")) == Money(350, "eur")


def test_amounts_of_two_currencies_never_meet() -> None:
    euro, dollar = Money(1, "eur"), Money(1, "usd")
    assert euro != dollar
    for operation in ("__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"):
        with pytest.raises(CurrencyMismatchError, match="eur and usd"):
            getattr(euro, operation)(dollar)
        with pytest.raises(CurrencyMismatchError, match="usd and eur"):
            getattr(dollar, operation)(euro)


@pytest.mark.parametrize("amount", [True, 1.0, "1", None, Decimal(1)])
def test_an_amount_is_a_whole_number_of_minor_units(amount: object) -> None:
    with pytest.raises(TypeError, match="int of minor units"):
        Money(amount, "usd")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["USD", "xxx", "", None, 5, ["usd"], "<script>"])
def test_money_is_in_a_currency_that_stripe_pays_out_in(currency: object) -> None:
    with pytest.raises(CurrencyNotSupported) as refusal:
        Money(1, currency)  # type: ignore[arg-type]
    assert "<" not in refusal.value.sentence
    assert (refusal.value.status, refusal.value.field) == (422, "currency")


@pytest.mark.parametrize(
    ("currency", "named"),
    [
        ("xxx", "xxx"),
        ("USD", "USD"),
        ("bitcoins", "bitcoins"),
        ("bitcoin_s", "this"),
        (None, "this"),
        ("", "this"),
    ],
)
def test_a_currency_that_is_refused_is_named_if_it_is_a_word(currency: object, named: str) -> None:
    assert f"pay out in {named}. " in CurrencyNotSupported(currency).sentence


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(123_450, "usd"), "1234.50"),
        (Money(5, "usd"), "0.05"),
        (Money(0, "usd"), "0.00"),
        (Money(-350, "usd"), "-3.50"),
        (Money(-1, "usd"), "-0.01"),
        (Money(500, "jpy"), "500"),
        (Money(-500, "jpy"), "-500"),
        (Money(0, "jpy"), "0"),
        (Money(5_120, "kwd"), "5.120"),
        (Money(7, "kwd"), "0.007"),
        (Money(MAX_AMOUNT, "usd"), "9999999999.99"),
    ],
)
def test_an_amount_is_written_exactly_with_its_own_decimals(money: Money, written: str) -> None:
    assert money.to_decimal() == written


def test_an_amount_in_a_sentence_names_its_currency() -> None:
    printed = [
        str(Money(amount, currency))
        for amount, currency in [
            (141250, "usd"),
            (500, "jpy"),
            (2000, "chf"),
            (-350, "eur"),
            (-1, "usd"),
            (0, "usd"),
            (1234567, "bhd"),
        ]
    ]
    assert printed == ["$1,412.50", "¥500", "CHF 20.00", "-€3.50", "-$0.01", "$0.00", "BHD 1,234.567"]


@given(amount=st.integers(min_value=-(10**20), max_value=10**20), currency=currencies)
def test_what_is_written_is_the_amount_divided_by_its_decimals(amount: int, currency: str) -> None:
    assert Decimal(Money(amount, currency).to_decimal()) == Decimal(amount).scaleb(-exponent(currency))


@given(amount=amounts, currency=currencies)
def test_what_is_written_can_be_typed_in_again(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert parse_amount(money.to_decimal(), currency) == money


@pytest.mark.parametrize(
    ("currency", "amount"), [("usd", 2_500), ("jpy", 25), ("bhd", 25_000), ("isk", 2_500), ("ugx", 2_500)]
)
def test_twenty_five_major_units_are(currency: str, amount: int) -> None:
    assert major_units(25, currency) == Money(amount, currency)


@given(n=st.integers(min_value=0, max_value=10**6), currency=currencies)
def test_whole_major_units_can_always_be_paid_out(n: int, currency: str) -> None:
    money = major_units(n, currency)
    assert round_down_to_step(money) == money


def test_no_currency_has_decimals_by_two_rules() -> None:
    assert set(EXPONENT.values()) == {0, 3}
    assert all(exponent(currency) == EXPONENT.get(currency, 2) for currency in PAYOUT_CURRENCIES)
