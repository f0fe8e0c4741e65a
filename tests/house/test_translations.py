"""The catalogues: every sentence that an affiliate may read is in them, is translated, and names what it names."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from portal.domain.languages import Language
from tests.house.tree import ROOT, named, templates

CATALOGUES = ROOT / "portal" / "translations"
TRANSLATED = [each for each in Language if each is not Language.en]

#: What a translation must name too: `%(name)s` in templates, `{name}` in code, and addresses.
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]+>")

#: Templates that no affiliate sees.
OF_OPERATORS = {
    "operator", "demo", "bank_payout_short", "daily_digest", "run_sent_nothing", "sending_stopped",
    "transfer_taken_back",
}  # fmt: skip

#: Words that stand between tags, or begin a text, as they are: neither an expression nor a statement.
BARE = re.compile(r">[^<{}%]*?([A-Za-z]{2,}[^<{}%]*)<")


def catalogue(language: Language) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def in_the_code() -> set[str]:
    """What `make messages` finds."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        mapping, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's own gap
    keywords = {"_": None, "gettext": None, "Sentence": None}
    found = extract_from_dir(ROOT, mapping, options, keywords=keywords)
    return {str(message) for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_what_stands_in_the_code_and_nothing_else(language: Language) -> None:
    found = in_the_code()
    kept = {str(message.id) for message in catalogue(language) if message.id}
    assert len(kept) > 500
    assert {"new": found - kept, "gone": kept - found} == {"new": set(), "gone": set()}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_names_what_it_names(language: Language) -> None:
    messages = [message for message in catalogue(language) if message.id]
    assert [message.id for message in messages if not message.string or message.fuzzy] == []
    differing = [
        message.id
        for message in messages
        if sorted(set(PLACES.findall(str(message.id)))) != sorted(set(PLACES.findall(str(message.string))))
        or (str(message.id)[-1] == " ") != (str(message.string)[-1] == " ")
    ]
    assert differing == []


def test_no_template_that_an_affiliate_sees_has_words_of_one_language_alone() -> None:
    bare = []
    for path in templates():
        if OF_OPERATORS & {*path.parts, path.stem}:
            continue
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\{#.*?#\}|\{%\+? trans.*?endtrans \+?%\}", "", text, flags=re.DOTALL)
        text = re.sub(r"\{[{%].*?[%}]\}|<(style|code)\b.*?</\1>", "", text, flags=re.DOTALL)
        words = (
            BARE.findall(text)
            if path.suffix == ".html"
            else re.findall(r"^.*[A-Za-z]{2}.*$", text, re.MULTILINE)
        )
        bare += [f"{named(path)}: {each.strip()[:60]}" for each in words]
    assert bare == []
