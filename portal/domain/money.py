"""Money as Stripe counts it: a whole number of minor units and a currency, kept together, never a float.

How many decimals a currency has is Stripe's rule, not ISO 4217's. https://docs.stripe.com/currencies
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portal.domain.errors import PortalError
from portal.domain.sentences import Sentence


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: The most one amount may be, in minor units; what the earnings interface takes and a person may type.
MAX_AMOUNT = 999_999_999_999

#: Decimals a currency has unless EXPONENT says otherwise.
DEFAULT_EXPONENT = 2

#: Decimals by currency where Stripe counts none or three. ISK and UGX have none in life, yet Stripe takes
#: them with two that end in 00. https://docs.stripe.com/currencies#special-cases
EXPONENT: Mapping[str, int] = {
    **dict.fromkeys(_codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"), 0),
    **dict.fromkeys(_codes("bhd jod kwd omr tnd"), 3),
}

#: Lower-case ISO 4217 codes of what Stripe pays out to banks, at home and across borders.
#: Bulgaria and Croatia are paid in EUR, Ecuador, El Salvador and Panama in USD.
#: https://docs.stripe.com/payouts, https://docs.stripe.com/connect/cross-border-payouts
PAYOUT_CURRENCIES = _codes(
    """
    aed all amd aoa ars aud azn bam bdt bhd bnd bob brl bsd btn bwp cad chf clp cop crc czk dkk dop dzd
    egp etb eur gbp ghs gmd gtq gyd hkd huf idr ils inr isk jmd jod jpy kes khr krw kwd kzt lak lkr mad
    mdl mga mkd mnt mop mur mxn myr mzn nad ngn nok nzd omr pen php pkr pln pyg qar ron rsd rwf sar sek
    sgd thb tnd try ttd twd tzs ugx usd uyu uzs vnd xaf xcd xof zar
    """
)

#: Minor units that a payout must be a multiple of, where it is not 1. HUF and TWD are not here: Stripe rounds
#: only its bank payouts of them and leaves the rest in the account; a transfer may be of any amount.
_PAYOUT_STEP: Mapping[str, int] = {
    **dict.fromkeys(_codes("isk ugx"), 100),
    **dict.fromkeys(_codes("bhd jod kwd omr tnd"), 10),
}

#: Currencies whose sign means only them; all others are named by their code.
_SIGNS: Mapping[str, str] = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}

#: Longest text that is read as an amount; the largest amount needs 13 characters.
_LONGEST_AMOUNT = 20
_BLANKS = " \t\r\n\u00a0\u202f"
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_CURRENCY = re.compile(r"[a-z]{3}")
_LIMIT = re.compile(r"([a-z]{3}):([0-9]{1,12})")


class CurrencyMismatchError(ValueError):
    """Amounts of two currencies met in one sum or comparison: a fault of ours, never of a person's."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} can't be added or compared")


class CurrencyNotSupported(PortalError, ValueError):
    """A currency that Stripe does not pay out in, or no lower-case ISO 4217 code at all."""

    status = 422
    code = "currency_not_supported"

    def __init__(self, currency: object) -> None:
        shown = currency if isinstance(currency, str) and re.fullmatch(r"[A-Za-z]{1,8}", currency) else "this"
        sentence = f"Stripe does not pay out in {shown}. Name a currency such as usd or eur."
        super().__init__(sentence, field="currency")


class AmountNotReadable(PortalError, ValueError):
    """What was typed is no amount, or one beyond all bounds; the sentence shows how to write one."""

    status = 422
    code = "amount_not_readable"


class TooManyDecimals(PortalError, ValueError):
    """An amount finer than the currency's minor unit."""

    status = 422
    code = "too_many_decimals"


def exponent(currency: str) -> int:
    """Decimals of the currency as Stripe counts them, also of one it does not pay out in (the platform's own
    balance may hold some); raises CurrencyNotSupported for anything but a lower-case code."""
    if not _CURRENCY.fullmatch(currency):
        raise CurrencyNotSupported(currency)
    return EXPONENT.get(currency, DEFAULT_EXPONENT)


def is_supported(currency: str) -> bool:
    """Whether Stripe pays out in the currency, given as a lower-case ISO 4217 code."""
    return currency in PAYOUT_CURRENCIES


def payout_step(currency: str) -> int:
    """Minor units that the amount of a payout must be a multiple of. https://docs.stripe.com/currencies"""
    return _PAYOUT_STEP.get(currency, 1)


@dataclass(frozen=True, order=False)
class Money:
    """An amount of one currency in minor units; it may be negative.

    Raises TypeError for an amount that is no int, CurrencyNotSupported for a currency Stripe does not pay out
    in, and CurrencyMismatchError when amounts of two currencies are added or compared by size.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is an int of minor units, not {type(self.amount).__name__}")
        if type(self.currency) is not str or not is_supported(self.currency):
            raise CurrencyNotSupported(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same_currency(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same_currency(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same_currency(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same_currency(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same_currency(other)

    def __str__(self) -> str:
        """For a sentence, in English: `$1,412.50`, `CHF 20.00`."""
        whole, _, decimals = self.to_decimal().removeprefix("-").partition(".")
        number = f"{int(whole):,}" + (f".{decimals}" if decimals else "")
        sign = _SIGNS.get(self.currency, f"{self.currency.upper()} ")
        return f"{'-' if self.amount < 0 else ''}{sign}{number}"

    def to_decimal(self) -> str:
        """Exact, with the currency's own decimals, a `.` and no grouping: `1234.50`, `-3.50`, `500` (JPY)."""
        decimals = exponent(self.currency)
        sign = "-" if self.amount < 0 else ""
        digits = str(abs(self.amount)).rjust(decimals + 1, "0")
        if decimals == 0:
            return sign + digits
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"

    @property
    def as_number(self) -> Decimal:
        """Exact, with the currency's own decimals, as spreadsheets count with it."""
        return Decimal(self.to_decimal())

    def _same_currency(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatchError(self.currency, other.currency)
        return other.amount


def major_units(n: int, currency: str) -> Money:
    """So many whole dollars, yen or dinars."""
    return Money(n * 10 ** exponent(currency), currency)


def limit_of(limits: Mapping[str, int], currency: str, unnamed_major_units: int) -> Money:
    """A programme's limit in a currency; one that it does not name has so many major units."""
    if currency in limits:
        return Money(limits[currency], currency)
    return major_units(unnamed_major_units, currency)


def round_down_to_step(money: Money) -> Money:
    """The most of it, zero or more steps, that Stripe can pay out; see payout_step."""
    step = payout_step(money.currency)
    return Money(money.amount // step * step, money.currency)


def parse_amount(text: str, currency: str) -> Money:
    """What a person typed: digits, at most one `.`, no sign and no grouping; blanks around it don't matter.

    Raises AmountNotReadable or TooManyDecimals, each with a sentence for the field, and CurrencyNotSupported.
    """
    example = major_units(100, currency).to_decimal()
    typed = text.strip(_BLANKS)
    match = _AMOUNT.fullmatch(typed) if len(typed) <= _LONGEST_AMOUNT else None
    if match is None:
        raise AmountNotReadable(
            Sentence("Enter an amount, for example {example}", example=example), field="amount"
        )
    whole, fraction = match[1], match[2] or ""
    decimals = exponent(currency)
    if len(fraction) > decimals:
        raise TooManyDecimals(_at_most_decimals(decimals, currency, example), field="amount")
    amount = int(whole + fraction.ljust(decimals, "0"))
    if amount > MAX_AMOUNT:
        most = Money(MAX_AMOUNT, currency).to_decimal()
        raise AmountNotReadable(
            Sentence("Enter an amount of at most {most}, for example {example}", most=most, example=example),
            field="amount",
        )
    return Money(amount, currency)


def _at_most_decimals(decimals: int, currency: str, example: str) -> str:
    if not decimals:
        return Sentence(
            "{currency} amounts have no decimals. Enter an amount, for example {example}",
            currency=currency.upper(),
            example=example,
        )
    return Sentence(
        "{currency} amounts have at most {decimals} decimals. Enter an amount, for example {example}",
        currency=currency.upper(),
        decimals=decimals,
        example=example,
    )


def parse_limits(text: str) -> dict[str, int]:
    """Limits by currency from a setting such as `usd:2500,eur:2000`, in minor units; empty for an empty text.

    Raises ValueError with a sentence that names the first bad part.
    """
    limits: dict[str, int] = {}
    for part in text.split(",") if text.strip() else ():
        match = _LIMIT.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"“{part.strip()}” is not currency:minor-units, such as usd:2500.")
        currency, amount = match[1], int(match[2])
        if not is_supported(currency):
            raise ValueError(f"“{part.strip()}” names a currency that Stripe does not pay out in.")
        if currency in limits:
            raise ValueError(f"“{part.strip()}” names {currency} a second time.")
        limits[currency] = amount
    return limits
