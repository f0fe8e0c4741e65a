"""In which language a page or a mail is written, and what a sentence is called in it.

English stands in the code and the templates and is what a catalogue (`portal/translations/`) knows a sentence by; the
catalogues are read as translators keep them, so that there is nothing to compile.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po
from flask import g, has_app_context, has_request_context, request

from portal.domain.languages import Language

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


def language() -> Language:
    """The reader's: what an affiliate has chosen, else what the browser asks for; operators read English."""
    chosen = g.get("language") if has_app_context() else None
    if chosen is None and has_request_context():
        # once for a page, which asks for every sentence
        chosen = g.language = request.accept_languages.best_match(list(Language)) or Language.en
    return Language(chosen) if chosen in set(Language) else Language.en


def locale() -> Locale:
    """What numbers and dates look like there."""
    return Locale(language())


@cache
def _catalogue(of: Language) -> Mapping[str, str]:
    if of is Language.en:
        return {}
    with (_CATALOGUES / of / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return {
            str(each.id): str(each.string) for each in read_po(file, locale=of) if each.id and each.string
        }


def gettext(words: str) -> str:
    """The same in the reader's language."""
    return _catalogue(language()).get(words, words)
