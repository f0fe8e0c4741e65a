"""What is wrong with texts that people give: for each fault the field and a sentence."""

from __future__ import annotations

import re

from portal.domain.errors import InvalidInput
from portal.domain.sentences import Sentence
from portal.domain.texts import is_clean

_COUNTRY = re.compile(r"[A-Z]{2}")


def refuse_problems(problems: list[tuple[str, str]]) -> None:
    if problems:
        raise InvalidInput(problems)


def length_problems(field: str, text: str, longest: int) -> list[tuple[str, str]]:
    if len(text) > longest:
        return [(field, Sentence("Use at most {longest} characters.", longest=longest))]
    if not is_clean(text):
        return [(field, Sentence("Control characters are not allowed."))]
    return []


def country_problems(country: str) -> list[tuple[str, str]]:
    is_one = _COUNTRY.fullmatch(country)
    return [] if is_one else [("country", Sentence("Give the country as two capital letters, such as US."))]
