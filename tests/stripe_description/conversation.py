"""What the portal and its stand-in say to each other, held against Stripe's own description as it is said.

Differences are kept until the test has ended, since code under test may swallow an error; the fixture
`as_stripe_describes_it` then asks for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from stripe.events._event_classes import _V2_EVENT_NOTIFICATION_CLASS_LOOKUP

from tests.stripe_description.description import Operation, event_types, operation, schema
from tests.stripe_description.newer import (
    UNSAID_NULLS,
    UNSAID_REFUSALS,
    WORDS_OF_THE_FUTURE,
    is_newer,
    is_newer_operation,
)
from tests.stripe_description.shapes import FORM, JSON, Mismatch, mismatches, read_form

_differences: list[str] = []

#: The description has the thin events' form alone; their types stand in the SDK.
THIN_TYPES = frozenset(_V2_EVENT_NOTIFICATION_CLASS_LOOKUP)


def take_differences() -> list[str]:
    """What differed since this was last asked."""
    taken = list(dict.fromkeys(_differences))
    _differences.clear()
    return taken


def keep(differences: list[str]) -> None:
    """Let these be told when the test has ended."""
    _differences.extend(differences)


def of_request(method: str, url: str, body: str | bytes | None) -> list[str]:
    """How a request differs from what Stripe takes."""
    parts = urlsplit(url)
    asked = f"{method.upper()} {parts.path}"
    described = operation(method.upper(), parts.path)
    if described is None:
        return (
            [] if is_newer_operation(method.upper(), parts.path) else [f"{asked} is no operation of Stripe's"]
        )
    text = body.decode() if isinstance(body, bytes) else body
    try:
        given = read_form(parts.query)
        is_json = parts.path.startswith("/v2/")
        given |= (json.loads if is_json else read_form)(text or ("{}" if is_json else ""))
    except ValueError as problem:
        return [f"{asked} can't be read: {problem}"]
    found = mismatches(given, described.parameters(), JSON if is_json else FORM)
    return [f"{asked}: {wrong}" for wrong in found if not is_newer(str(described), wrong.place)]


def of_answer(method: str, url: str, status: int, text: str) -> list[str]:
    """How an answer differs from what Stripe answers; a text that is no JSON is a failure on demand."""
    path = urlsplit(url).path
    described = operation(method.upper(), path)
    try:
        answer = json.loads(text)
    except ValueError:
        return []
    is_vague = status != HTTPStatus.OK and path.startswith(tuple(UNSAID_REFUSALS))
    if described is None or is_vague:
        return []
    said = [f"{method.upper()} {path} → {status}: {wrong}" for wrong in _of_body(described, status, answer)]
    return said + [line for event in _events(answer) for line in of_event(event)]


def of_event(event: dict[str, Any]) -> list[str]:
    """How an event differs from Stripe's: its envelope, its type, and what it is about, unless it is thin."""
    if event.get("object") == "v2.core.event":
        return [f"event {event['type']}: {wrong}" for wrong in _of_thin(event)]
    about: dict[str, Any] = event["data"]["object"]
    described = schema(about["object"])
    found = [*mismatches(event, schema("event"), JSON), *_unforeseen(mismatches(about, described, JSON))]
    found += [
        Mismatch(f"data[previous_attributes][{name}]", "is unknown to Stripe")
        for name in event["data"].get("previous_attributes", {})
        if name not in described["properties"]
    ]
    if event["type"] not in event_types():
        found.append(Mismatch("type", f"is {event['type']!r}, which no endpoint can ask for"))
    return [f"event {event['type']}: {wrong}" for wrong in found]


def _of_thin(event: dict[str, Any]) -> Iterator[Mismatch]:
    yield from mismatches(event, schema("v2.core.event"), JSON)
    if event["type"] not in THIN_TYPES:
        yield Mismatch("type", f"is {event['type']!r}, which the SDK does not know")


def _of_body(described: Operation, status: int, answer: Any) -> Iterator[Mismatch]:
    has_nulls = described.template.startswith(tuple(UNSAID_NULLS))
    for wrong in _unforeseen(mismatches(answer, described.answer(status), JSON)):
        if not (has_nulls and wrong.problem.startswith("is None,")):
            yield wrong


def _unforeseen(found: Iterator[Mismatch]) -> Iterator[Mismatch]:
    for wrong in found:
        if not any(
            wrong.problem.startswith(f"is '{word}', which is none of") for word in WORDS_OF_THE_FUTURE
        ):
            yield wrong


def _events(answer: dict[str, Any]) -> list[dict[str, Any]]:
    listed = answer["data"] if answer.get("object") == "list" else [answer]
    return [entry for entry in listed if entry.get("object") == "event"]
