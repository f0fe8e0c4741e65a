"""How the texts of single settings are read; each raises ValueError for one that is malformed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from huey import crontab

from portal.domain.money import is_supported, parse_limits

#: US, CA, GB, CH and the EEA: among these Stripe carries transfers under the full service agreement.
#: https://docs.stripe.com/connect/cross-border-payouts
DEFAULT_COUNTRIES = (
    "US CA GB CH AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
).split()

_RATE = re.compile(r"(?P<count>[1-9][0-9]{0,5}) per (?P<unit>second|minute|hour|day)")
_RATE_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_SCHEDULE = re.compile(r"manual|monthly:([1-9]|1[0-9]|2[0-8])|weekly:(mon|tue|wed|thu|fri|sat|sun)")


T = TypeVar("T")


@dataclass(frozen=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: int


def currency(text: str) -> str:
    if not is_supported(text.lower()):
        raise ValueError(text)
    return text.lower()


def country(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise ValueError(text)
    return text


def countries(text: str) -> Mapping[str, str]:
    if not text:
        return dict.fromkeys(DEFAULT_COUNTRIES, "full")
    agreements = {}
    for part in text.split(","):
        name, _, agreement = part.strip().partition(":")
        if agreement not in {"full", "recipient"}:
            raise ValueError(part)
        agreements[country(name)] = agreement
    return agreements


def rate(text: str) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return Rate(int(match["count"]), _RATE_SECONDS[match["unit"]])


def crontab_fields(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(text)
    minute, hour, day, month, weekday = fields
    crontab(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, strict=True)
    return " ".join(fields)


def mailbox(text: str) -> str:
    """An e-mail address alone, without a name."""
    if not re.fullmatch(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+", text):
        raise ValueError(text)
    return text


def schedule(text: str) -> str:
    if not _SCHEDULE.fullmatch(text):
        raise ValueError(text)
    return text


def split_address(text: str) -> SplitResult | None:
    """The parts of an address; None for what is none, such as one with half an IPv6 host."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


def has_fitting_port(parts: SplitResult) -> bool:
    """Whether an address names no port, or one that exists."""
    try:
        return parts.port != 0
    except ValueError:
        return False


class SettingTexts:
    """The texts of an environment, read one by one; every problem is remembered, so that all are named at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[str] = []

    def problem(self, name: str, what: str) -> None:
        self.problems.append(f"{name} {what}")

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def parsed(self, name: str, parse: Callable[[str], T], default: str, expected: str) -> T | None:
        try:
            return parse(self.text(name, default))
        except ValueError:
            self.problem(name, f"must be {expected}")
            return None

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.problem(name, f"must be one of: {'; '.join(allowed)}")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name, str(default))
        if re.fullmatch(r"-?[0-9]{1,12}", text) and low <= int(text) <= high:
            return int(text)
        self.problem(name, f"must be a whole number from {low} to {high}")
        return default

    def boolean(self, name: str, default: str) -> bool:
        return self.choice(name, default, ("true", "false")) == "true"

    def limits(self, name: str, default: str) -> Mapping[str, int]:
        try:
            return parse_limits(self.text(name, default)) if self.text(name, default) else {}
        except ValueError as problem:
            self.problem(name, f"must be currency:minor-units, comma-separated: {problem}")
            return {}

    def address(self, name: str, default: str) -> str | None:
        value = self.text(name, default).rstrip("/")
        if not value:
            return None
        parts = split_address(value)
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or not parts.netloc
            or parts.query
            or parts.fragment
            or parts.username
        ):
            self.problem(name, "must be an address such as https://portal.example.com")
        return value
