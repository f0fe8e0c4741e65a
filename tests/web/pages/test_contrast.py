"""Colours can be told apart and read, in light and in dark: computed from the tokens of the style sheet."""

from __future__ import annotations

import re

import pytest

from portal.config import PROJECT_ROOT
from portal.domain.accounts import AccountStatus
from portal.domain.bank_payouts import BankStage
from portal.domain.payouts import PayoutStatus

SHEET = (PROJECT_ROOT / "static/css/portal.css").read_text(encoding="utf-8")

TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", SHEET)
}

#: WCAG 2.2 AA: 4.5 for text (1.4.3), 3 for the lines of fields and for focus (1.4.11).
TEXT, LINE = 4.5, 3.0

TONES = ["neutral", "pending", "verified", "restricted", "rejected", "info", "blocked"]

PAIRS = [(f"{tone}-fg", f"{tone}-bg", TEXT) for tone in TONES] + [
    ("text", "bg", TEXT),
    ("text", "surface", TEXT),
    ("muted", "bg", TEXT),
    ("muted", "surface", TEXT),
    ("link", "bg", TEXT),
    ("link", "surface", TEXT),
    ("danger", "surface", TEXT),
    ("danger", "bg", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("field-line", "surface", LINE),
    ("field-line", "bg", LINE),
    ("accent", "surface", LINE),
    ("focus", "bg", LINE),
    ("focus", "surface", LINE),
]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_is_readable(front: str, back: str, least: float, theme: int) -> None:
    assert contrast(TOKENS[front][theme], TOKENS[back][theme]) >= least


def test_the_measure_is_right() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(contrast("#414552", "#ebeef1"), 1) == 8.2


def test_every_colour_of_the_sheet_is_a_token_with_both_themes() -> None:
    rules = SHEET.split("@layer base {", 1)[1].split("@media print", 1)[0]
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?! \{)", re.sub(r"#[a-z][a-z-]*[:{ ]", "", rules))
    assert len(TOKENS) == 12 + 3 * len(TONES)


@pytest.mark.parametrize("name", sorted({"none", "blocked", *AccountStatus, *PayoutStatus, *BankStage}))
def test_every_status_has_its_tag(name: str) -> None:
    assert re.search(rf"\.tag--{name}\b", SHEET)
