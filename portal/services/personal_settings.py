"""What affiliates settle about themselves: name, time zone, language, and which mails they can do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from portal.clock import Clock
from portal.domain.languages import Language
from portal.domain.notifications import OPTIONAL, MailKind, is_wanted
from portal.domain.sentences import Sentence
from portal.models import Affiliate
from portal.models.base import Database, writing
from portal.services.affiliates import LONGEST_NAME
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.problems import length_problems, refuse_problems
from portal.services.time_zones import UTC_NAME, zone_names


@dataclass(frozen=True)
class SettingsChange:
    """The texts of the settings form; None, and a kind that is not there, leave a field as it is."""

    name: str | None = None
    mail: Mapping[str, str] = field(default_factory=dict)
    """Whether mail of a kind is wanted: `true` or `false`."""
    time_zone: str | None = None
    """An IANA name."""
    language: str | None = None


class PersonalSettings:
    """The use case of the settings page."""

    def __init__(self, database: Database, *, clock: Clock, journal: Journal, books: Books) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._books = books

    @writing
    def save(self, affiliate_id: UUID, change: SettingsChange, *, cause: Cause) -> Affiliate:
        """Save what the form brings. Raises InvalidInput."""
        affiliate = self._books.lock(affiliate_id)
        name = affiliate.name if change.name is None else change.name.strip()
        refuse_problems(_problems(change, name))
        if name != affiliate.name:
            # no name in the trail: it outlives what a person may have erased
            self._changed(affiliate, "name_changed", None, None, cause)
            affiliate.name = name
            affiliate.version += 1
        zone = affiliate.time_zone if change.time_zone is None else _stored_zone(change.time_zone)
        if zone != affiliate.time_zone:
            self._changed(
                affiliate, "time_zone_changed", affiliate.time_zone or UTC_NAME, zone or UTC_NAME, cause
            )
            affiliate.time_zone = zone
            affiliate.version += 1
        if change.language is not None and change.language != affiliate.language:
            self._changed(affiliate, "language_changed", affiliate.language, change.language, cause)
            affiliate.language = change.language
            affiliate.version += 1
        unwanted = [kind.value for kind in OPTIONAL if not _is_wanted(kind, affiliate, change)]
        if unwanted != affiliate.unwanted_mail:
            self._changed(affiliate, "mail_changed", _said(affiliate.unwanted_mail), _said(unwanted), cause)
            affiliate.unwanted_mail = unwanted
        return affiliate

    def _changed(
        self, affiliate: Affiliate, what: str, before: str | None, after: str | None, cause: Cause
    ) -> None:
        self._journal.changed(
            "affiliate", affiliate.id, action=f"affiliate.{what}", before=before, after=after, cause=cause,
            at=self._clock.now(),
        )  # fmt: skip


def _is_wanted(kind: MailKind, affiliate: Affiliate, change: SettingsChange) -> bool:
    return change.mail[kind] == "true" if kind in change.mail else is_wanted(kind, affiliate.unwanted_mail)


def _stored_zone(name: str) -> str | None:
    return None if name == UTC_NAME else name


def _said(kinds: list[str]) -> str:
    return ", ".join(kinds) or "none"


def _problems(change: SettingsChange, name: str) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if change.name is not None:
        problems += (
            length_problems("name", name, LONGEST_NAME) if name else [("name", Sentence("Enter your name."))]
        )
    if change.time_zone is not None and change.time_zone not in zone_names():
        problems.append(("time_zone", Sentence("Choose a time zone from the list.")))
    if change.language is not None and change.language not in set(Language):
        problems.append(("language", Sentence("Choose a language from the list.")))
    for kind, wanted in change.mail.items():
        if kind not in OPTIONAL:
            problems.append((kind, Sentence("This e-mail always comes.")))
        elif wanted not in {"true", "false"}:
            problems.append((kind, Sentence("Choose true or false.")))
    return problems
