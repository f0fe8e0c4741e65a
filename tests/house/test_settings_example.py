"""`.env.example` and the settings are one list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from portal.config import SettingsError, settings_from
from tests.house.tree import ROOT

EXAMPLE = ROOT / ".env.example"

#: Flask's own; the portal only refuses to run with it in production.
FLASK_OWN = {"FLASK_DEBUG"}


class Noting(Mapping[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def names_read(environment: Mapping[str, str]) -> set[str]:
    noting = Noting(environment)
    with suppress(SettingsError):  # only what was asked counts here
        settings_from(noting)
    return noting.asked - FLASK_OWN


def example_lines() -> list[tuple[str, str, bool]]:
    """Name, value and whether the line is switched on."""
    found = re.findall(r"^(# )?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, value, not off) for off, name, value in found]


def test_the_example_names_every_setting_and_no_other() -> None:
    provider = {"PORTAL_OIDC_COMPANY_ISSUER": "https://login.example.com"}
    key = {"SECRET_KEY": "a-key-for-tests-of-more-than-32-characters"}
    read = names_read({**provider, **key, "PORTAL_ENV": "development"}) | names_read(
        {**provider, "PORTAL_ENV": "production"}
    )
    assert {name for name, _, _ in example_lines()} == read


def test_the_example_names_each_setting_once_with_a_line_about_it() -> None:
    names = [name for name, _, _ in example_lines()]
    assert len(names) == len(set(names))
    bare = re.findall(r"(?<!\n)\n\n(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(encoding="utf-8"))
    assert not bare, "each paragraph begins with a line about its settings"


def test_the_example_as_it_stands_starts_a_development_portal() -> None:
    switched_on = {name: value for name, value, is_on in example_lines() if is_on}
    settings = settings_from({"SECRET_KEY": "a-key-for-tests-of-more-than-32-characters", **switched_on})
    assert settings.environment == "development"


def test_the_example_holds_the_defaults() -> None:
    key = {"SECRET_KEY": "a-key-for-tests-of-more-than-32-characters", "PORTAL_ENV": "development"}
    off = {
        name: value for name, value, is_on in example_lines() if not is_on and value and "OIDC" not in name
    }
    shown = {name: value for name, value in off.items() if not value.startswith(("redis", "smtp", "http"))}
    assert settings_from({**key, **shown}) == settings_from(key)
