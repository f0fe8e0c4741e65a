"""What operators type into forms, such as reasons. Every text is hostile until it is read."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from portal.domain.errors import InvalidInput
from portal.domain.roles import Act
from portal.domain.roles import who_may as role_words
from portal.domain.texts import is_clean
from portal.services.affiliates import LONGEST_TEXT
from portal.services.journal import Cause
from portal.web.access import cause, current_user


def may(act: str) -> bool:
    """Whether this operator's role is enough for an act, so that its button is worth showing."""
    role = current_user().role
    return role is not None and role.may(Act(act))


def who_may(*acts: str) -> str:
    """Of these acts, for which this operator's role is too weak and who may; nothing if they may do all of them."""
    role = current_user().role
    return role_words(role, {Act(act) for act in acts}) if role is not None else ""


def form_text(name: str, *, missing: str | None = None) -> str:
    """A line typed into a form; `missing` is what is said where it must not be empty. Raises InvalidInput."""
    text = request.form.get(name, "").strip()
    if missing is not None and not text:
        raise InvalidInput([(name, missing)])
    if len(text) > LONGEST_TEXT:
        raise InvalidInput([(name, f"Use at most {LONGEST_TEXT} characters.")])
    if not is_clean(text):
        raise InvalidInput([(name, "Control characters are not allowed. Write it on one line.")])
    return text


def cause_with(reason: str) -> Cause:
    """This operator and this request, with the reason they gave."""
    return replace(cause(), reason=reason or None)
