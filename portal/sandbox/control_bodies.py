"""What is sent to the control API, as JSON or as a form, read strictly."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app, request

from portal.sandbox.state import Sandbox


class ControlRefused(ValueError):
    """The request to the control API makes no sense; the text says why."""


def the_sandbox() -> Sandbox:
    """The one that is asked."""
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def body_with(*names: str) -> dict[str, Any]:
    """What was sent, JSON or form, and nothing but these names; raises ControlRefused."""
    given: Any = {}
    if request.form:
        # by hand: `curl -d fate=approve …/sandbox/api/accounts/acct_…/fate`
        given = {name: _plain(value) for name, value in request.form.items()}
    elif request.get_data():
        given = request.get_json(silent=True, force=True)
    if not isinstance(given, dict):
        raise ControlRefused("a JSON object is needed")
    unknown = sorted(set(given) - set(names))
    if names and unknown:
        raise ControlRefused(f"unknown names: {', '.join(unknown)}; known: {', '.join(names)}")
    return given


def _plain(text: str) -> str | int | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else text


def integer_of(given: dict[str, Any], name: str, *, usual: int | None, least: int = 1) -> int | None:
    """One number of them; raises ControlRefused."""
    value = given.get(name, usual)
    if value is not None and (type(value) is not int or value < least):
        raise ControlRefused(f"{name} is an integer of at least {least}")
    return value
