"""Sentences that can be said in another language: English as they stand, with what they name beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self


class CountryCode(str):
    """A country by its ISO 3166 code: as it stands for machines, by its name for whoever reads a page."""

    __slots__ = ()


class Sentence(str):  # noqa: SLOT000 (what is beside the text needs room)
    """Words in English, to whoever asks for text; a page says the same in its reader's language.

    `words` is what a translator gets, with a `{name}` for each of `facts`; several of one name are a tuple. A catalogue
    is made of what stands in the code as `Sentence("…")`.
    """

    words: str
    facts: Mapping[str, object]

    def __new__(cls, words: str, /, **facts: object) -> Self:
        text = words.format(**{name: _plain(fact) for name, fact in facts.items()}) if facts else words
        sentence = super().__new__(cls, text)
        sentence.words, sentence.facts = words, facts
        return sentence


def _plain(fact: object) -> str:
    if isinstance(fact, tuple):
        return "; ".join(_plain(each) for each in fact)
    return f"{fact:%d %b %Y, %H:%M} UTC" if isinstance(fact, datetime) else str(fact)
