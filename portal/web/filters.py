"""Filters of lists, as they stand in an address. Every text is hostile until it is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from flask import request

from portal.domain.errors import InvalidInput
from portal.domain.sentences import Sentence
from portal.domain.texts import is_clean
from portal.web.rendering import reader_zone

#: No e-mail, identifier or type of event is longer.
LONGEST_FILTER = 320

Choice = TypeVar("Choice", bound=StrEnum)


def chosen(name: str, choices: type[Choice]) -> Choice | None:
    """A filter's choice, None for all. Raises InvalidInput."""
    wanted = request.args.get(name, "")
    if not wanted:
        return None
    if wanted not in set(choices):
        raise InvalidInput(
            [
                (
                    name,
                    Sentence(
                        "There is no such filter. Choose one of: {choices}.", choices=", ".join(choices)
                    ),
                )
            ]
        )
    return choices(wanted)


def filter_text(name: str) -> str | None:
    """A word to look for, None where the filter is empty. Raises InvalidInput."""
    text = request.args.get(name, "").strip()
    if len(text) > LONGEST_FILTER or not is_clean(text):
        raise InvalidInput(
            [
                (
                    name,
                    Sentence(
                        "Look for at most {most} characters, and no control characters.", most=LONGEST_FILTER
                    ),
                )
            ]
        )
    return text or None


def filter_day(name: str, *, days_later: int = 0) -> datetime | None:
    """When a day typed as yyyy-mm-dd begins where its reader is, or one so many days later. Raises InvalidInput."""
    text = filter_text(name)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
        return datetime.combine(day, time(), reader_zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput([(name, Sentence("Give the day as 2026-11-21."))]) from None
