"""The people the identity provider knows: those of its configuration, and whoever signed up since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from portal.sandbox.config import ConfigurationError, Person
from portal.sandbox.identifiers import new_secret
from portal.sandbox.store import Store

_LONGEST_NAME = 200
_LONGEST_EMAIL = 254


class PersonRefused(ValueError):
    """A name or an e-mail address that nobody has; the text says which."""


class People:
    """Everybody who can be picked."""

    def __init__(self, store: Store, known: Iterable[Person]) -> None:
        self._store = store
        with store.transaction():
            for person in known:
                store.put("person", person.sub, asdict(person))

    def everybody(self) -> list[Person]:
        """In the order they came."""
        return [Person(**document) for document in self._store.select("person", oldest_first=True)]

    def find(self, sub: str) -> Person | None:
        """The person with that subject."""
        document = self._store.get("person", sub)
        return None if document is None else Person(**document)

    def add(self, name: str, email: str, *, email_verified: bool) -> Person:
        """Someone new, with a subject of their own; raises PersonRefused."""
        name, email = name.strip(), email.strip()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise PersonRefused("Please give a name.")
        local, _, domain = email.rpartition("@")
        if not local or "." not in domain or len(email) > _LONGEST_EMAIL or not email.isprintable():
            raise PersonRefused("Please give an e-mail address such as name@example.com.")
        person = Person(f"person-{new_secret(12)}", name, email, email_verified)
        self._store.put("person", person.sub, asdict(person))
        return person


def read_people(path: Path) -> tuple[Person, ...]:
    """A JSON file of `[{"sub", "name", "email", "email_verified"}]`; raises ConfigurationError."""
    try:
        listed: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"people: {path.name} can't be read: {problem}") from problem
    if not isinstance(listed, list):
        raise ConfigurationError("people: a JSON list is needed")
    return tuple(_person(entry, place) for place, entry in enumerate(listed))


def _person(entry: Any, place: int) -> Person:
    if not isinstance(entry, dict) or set(entry) - {"sub", "name", "email", "email_verified"}:
        raise ConfigurationError(
            f"people[{place}]: an object with sub, name, email, email_verified is needed"
        )
    texts = [entry.get(name) for name in ("sub", "name", "email")]
    verified = entry.get("email_verified", True)
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(verified, bool):
        raise ConfigurationError(
            f"people[{place}]: sub, name and email are texts, email_verified is true or false"
        )
    return Person(entry["sub"], entry["name"], entry["email"], verified)
