"""Reading what a machine sends: JSON, and the parameters of an address. Every fault is named by where it stands; what
is not expected is refused, never passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from portal.domain.errors import InvalidInput, PortalError
from portal.domain.texts import is_clean

#: 1,000 earnings, each at its longest and every character escaped.
LARGEST_BODY_BYTES = 8 * 1024 * 1024

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


class BodyIsNotJson(PortalError):
    """What came is no JSON object."""

    status = 400
    code = "bad_json"


def json_object() -> Mapping[str, object]:
    """The request's body, a JSON object in which no name stands twice. Raises BodyIsNotJson and what HTTP says of
    other types and of too much."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMediaType
    request.max_content_length = LARGEST_BODY_BYTES
    try:
        text = request.get_data(cache=False).decode()
        body = json.loads(text, object_pairs_hook=_no_name_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        raise BodyIsNotJson("The body is not valid JSON in UTF-8.") from fault
    if not isinstance(body, dict):
        raise BodyIsNotJson("The body must be a JSON object.")
    return body


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Members:
    """The members of one JSON object, or the parameters of an address, read one by one; faults are collected."""

    def __init__(
        self,
        values: object,
        *,
        known: Collection[str],
        at: str = "",
        faults: list[tuple[str, str]] | None = None,
    ) -> None:
        self.faults: list[tuple[str, str]] = [] if faults is None else faults
        self._at = f"{at}." if at else ""
        self._values: Mapping[str, object] = values if isinstance(values, Mapping) else {}
        if not isinstance(values, Mapping):
            self.faults.append((at, "This must be a JSON object."))
        for name in sorted(set(self._values) - set(known)):
            shown = name if name.isprintable() and len(name) <= 64 else "this name"
            self.fault(shown if shown == name else "", f"There is no such member: {shown}.")

    def fault(self, name: str, sentence: str) -> None:
        """Remember what is wrong with one member."""
        self.faults.append(((self._at + name).rstrip("."), sentence))

    def text(self, name: str, *, most: int, least: int = 0, optional: bool = False) -> str | None:
        """A text of `least` to `most` characters without control characters; None if it is left out or at fault."""
        if name not in self._values and optional:
            return None
        value = self._values.get(name)
        if not isinstance(value, str):
            self.fault(
                name, "This is required, as text." if name not in self._values else "This must be text."
            )
        elif not least <= len(value) <= most:
            self.fault(name, f"This must have {least} to {most} characters.")
        elif not is_clean(value):
            self.fault(name, "This must not hold control characters.")
        else:
            return value
        return None

    def has(self, name: str) -> bool:
        """Whether it was sent at all."""
        return name in self._values

    def values(self, name: str, *, most: int) -> list[object]:
        """A list of 1 to `most` values; none if it is at fault."""
        value = self._values.get(name)
        if isinstance(value, list) and 1 <= len(value) <= most:
            return value
        self.fault(name, f"This must be a list of 1 to {most} objects.")
        return []

    def integer(self, name: str, *, least: int, most: int) -> int:
        """A whole number; `least` if it is at fault. JSON's true, 1.0 and "1" are none."""
        value = self._values.get(name)
        if type(value) is int and least <= value <= most:
            return value
        self.fault(name, f"This must be a whole number from {least} to {most}.")
        return least

    def moment(self, name: str) -> datetime:
        """A time with its offset, in UTC; the beginning of time if it is at fault."""
        value = self._values.get(name)
        found = read_moment(value) if isinstance(value, str) else None
        if found is None:
            self.fault(name, "This must be a time with its offset, such as 2026-11-21T14:02:00Z.")
        return found or datetime.min.replace(tzinfo=UTC)

    def refuse_faults(self) -> None:
        """Raises InvalidInput if anything was at fault."""
        if self.faults:
            raise InvalidInput(self.faults)


def read_moment(text: str) -> datetime | None:
    """A time of RFC 3339 with its offset, in UTC; None for anything else."""
    match = _MOMENT.fullmatch(text)
    if match is None or match["offset"] is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parameters(known: Iterable[str]) -> Members:
    """The parameters of the request's address, each at most once. Raises InvalidInput."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise InvalidInput([(name if is_clean(name) else "", "Send this parameter once.") for name in twice])
    return Members(request.args.to_dict(), known=tuple(known))
