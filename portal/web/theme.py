"""Light, dark, or as the system has it: a cookie that the page itself is written by, so that nothing flashes."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from flask import Response, request

from portal.domain.errors import InvalidInput
from portal.domain.sentences import Sentence
from portal.wiring import services

COOKIE = "portal_theme"

#: As long as browsers keep any cookie.
KEPT_DAYS = 400


class Theme(StrEnum):
    """How the pages look."""

    system = "system"
    light = "light"
    dark = "dark"


def read_theme(text: str) -> Theme:
    """The theme of a form. Raises InvalidInput."""
    try:
        return Theme(text)
    except ValueError as fault:
        raise InvalidInput([("theme", Sentence("Choose system, light or dark."))]) from fault


def chosen_theme() -> Theme:
    """What this browser has chosen; the system's where it has not, or shows something else."""
    shown = request.cookies.get(COOKIE)
    return Theme(shown) if shown in set(Theme) else Theme.system


def keep_theme(response: Response, theme: Theme) -> Response:
    """Have the browser remember it."""
    response.set_cookie(
        COOKIE,
        theme,
        max_age=timedelta(days=KEPT_DAYS),
        httponly=True,
        samesite="Lax",
        secure=services().settings.base_url.startswith("https://"),
    )
    return response
