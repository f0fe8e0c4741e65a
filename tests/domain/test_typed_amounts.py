"""What people type as an amount, and what a setting names as limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.money import (
    MAX_AMOUNT,
    PAYOUT_CURRENCIES,
    AmountNotReadable,
    Money,
    TooManyDecimals,
    exponent,
    parse_amount,
    parse_limits,
)

currencies = st.sampled_from(sorted(PAYOUT_CURRENCIES))


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("100", "usd", 10_000),
        ("100.5", "usd", 10_050),
        ("100.50", "usd", 10_050),
        ("0.01", "usd", 1),
        ("0", "usd", 0),
        ("007", "usd", 700),
        ("  12.30\t\n", "usd", 1_230),
        ("\u00a012.30\u202f", "usd", 1_230),
        ("500", "jpy", 500),
        ("1.234", "bhd", 1_234),
        ("1.2", "bhd", 1_200),
        ("9999999999.99", "usd", MAX_AMOUNT),
        ("999999999999", "jpy", MAX_AMOUNT),
        ("0" * 16 + "1.00", "usd", 100),
    ],
)
def test_a_person_may_type(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == Money(amount, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-1",
        "+1",
        "1,000",
        "1.000,00",
        "1 000",
        "1e3",
        "1E3",
        "0x10",
        "1_000",
        ".5",
        "5.",
        "1.2.3",
        "nan",
        "inf",
        "Infinity",
        "$100",
        "100 usd",
        "١٢٣",
        "１００",
        "½",
        "²",
        "1\x00",
        "1\n2",
        "1" * 21,
        "0" * 21,
        "0" * 5_000,
        "1." + "0" * 5_000,
        "10000000000.00",
        "\u2212" + "5",
    ],
)
def test_a_person_may_not_type(text: str) -> None:
    with pytest.raises(AmountNotReadable, match=r"for example 100\.00") as refusal:
        parse_amount(text, "usd")
    assert (refusal.value.status, refusal.value.field) == (422, "amount")


@pytest.mark.parametrize(
    ("text", "currency", "sentence"),
    [
        ("1.234", "usd", "USD amounts have at most 2 decimals. Enter an amount, for example 100.00"),
        ("1.000", "usd", "USD amounts have at most 2 decimals. Enter an amount, for example 100.00"),
        ("1.0", "jpy", "JPY amounts have no decimals. Enter an amount, for example 100"),
        ("1.2345", "kwd", "KWD amounts have at most 3 decimals. Enter an amount, for example 100.000"),
    ],
)
def test_an_amount_finer_than_the_currency_is_refused_and_never_rounded(
    text: str, currency: str, sentence: str
) -> None:
    with pytest.raises(TooManyDecimals) as refusal:
        parse_amount(text, currency)
    assert refusal.value.sentence == str(refusal.value) == sentence
    assert (refusal.value.status, refusal.value.field) == (422, "amount")


@pytest.mark.parametrize(("currency", "example"), [("usd", "100.00"), ("jpy", "100"), ("bhd", "100.000")])
def test_the_example_is_in_the_currencys_own_decimals(currency: str, example: str) -> None:
    with pytest.raises(AmountNotReadable) as refusal:
        parse_amount("much", currency)
    assert refusal.value.sentence == f"Enter an amount, for example {example}"


@pytest.mark.parametrize(("text", "currency"), [("9999999999.99", "usd"), ("999999999999", "jpy")])
def test_one_minor_unit_beyond_the_bound_names_the_bound(text: str, currency: str) -> None:
    bound = parse_amount(text, currency)
    beyond = str(bound.amount + 1)
    typed = beyond if exponent(currency) == 0 else f"{beyond[:-2]}.{beyond[-2:]}"
    with pytest.raises(AmountNotReadable, match=f"at most {text.replace('.', '[.]')}"):
        parse_amount(typed, currency)


numberlike = st.text(alphabet="0123456789.,-+eE _\u00a0\t٣３∞nNaAiIfF", max_size=30)


@given(text=st.one_of(st.text(max_size=40), numberlike), currency=currencies)
def test_a_hostile_text_gives_an_amount_within_bounds_or_one_of_two_refusals(
    text: str, currency: str
) -> None:
    try:
        money = parse_amount(text, currency)
    except (AmountNotReadable, TooManyDecimals):
        return
    assert 0 <= money.amount <= MAX_AMOUNT
    assert Decimal(money.to_decimal()) == Decimal(text.strip())


def test_both_refusals_are_value_errors_for_those_who_only_ask_whether_it_worked() -> None:
    assert issubclass(AmountNotReadable, ValueError)
    assert issubclass(TooManyDecimals, ValueError)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("usd:2500", {"usd": 2_500}),
        ("usd:2500,eur:2000", {"usd": 2_500, "eur": 2_000}),
        (" usd:2500 , jpy:25 ", {"usd": 2_500, "jpy": 25}),
        ("usd:0", {"usd": 0}),
        ("", {}),
        ("  ", {}),
    ],
)
def test_limits_are_read_by_currency(text: str, limits: dict[str, int]) -> None:
    assert parse_limits(text) == limits


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("usd", "“usd” is not"),
        ("usd:", "“usd:” is not"),
        ("usd:25.00", "“usd:25.00” is not"),
        ("usd:-1", "“usd:-1” is not"),
        ("usd:٢٥", "“usd:٢٥” is not"),
        ("usd:1000000000000", "“usd:1000000000000” is not"),
        ("USD:2500", "“USD:2500” is not"),
        ("usd:2500,", "“” is not"),
        ("usd:2500;eur:2000", "“usd:2500;eur:2000” is not"),
        ("eur:1,xxx:2", "“xxx:2” names a currency"),
        ("usd:1,usd:2", "“usd:2” names usd a second time"),
    ],
)
def test_a_bad_limit_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named.replace(".", "[.]")):
        parse_limits(text)
