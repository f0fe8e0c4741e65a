"""The stand-in takes nothing that Stripe refuses: its table of parameters against Stripe's description and the SDK."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import stripe

from portal.sandbox.endpoints import ENDPOINTS, Endpoint
from portal.sandbox.parameters import table
from tests.stripe_description.description import Schema, operation, resolved
from tests.stripe_description.newer import (
    NEWER_OPERATIONS,
    NEWER_PARAMETERS,
    SDK_PARAMETERS,
    UNSAID_NULLS,
    UNSAID_REFUSALS,
    WORDS_OF_THE_FUTURE,
    is_newer,
)

#: Which of Stripe's types takes everything that a plain value of the table takes.
TAKEN_BY = {
    "string": {"string"},
    "integer": {"integer", "number"},
    "number": {"number"},
    "boolean": {"boolean"},
}


def _choices(schema: Schema) -> list[Schema]:
    schema = resolved(schema)
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return [choice for alternative in alternatives for choice in _choices(alternative)]
    return [schema]


def wider(shape: Any, schema: Schema, place: str) -> Iterator[str]:
    """Places at which the table takes more than Stripe."""
    choices = _choices(schema)
    if isinstance(shape, list):
        lists = [choice["items"] for choice in choices if choice.get("type") == "array"]
        yield from wider(shape[0], lists[0], f"{place}[]") if lists else [place]
    elif isinstance(shape, dict):
        yield from _wider_object(shape, choices, place)
    elif not _is_taken(shape, choices):
        yield place


def _wider_object(shape: dict[str, Any], choices: list[Schema], place: str) -> Iterator[str]:
    objects = [choice for choice in choices if choice.get("type") == "object"]
    if not objects:
        yield place
        return
    known = objects[0].get("properties", {})
    for name, inner in shape.items():
        inside = f"{place}[{name}]" if place else name
        if name == "?":
            yield from wider(inner, {"anyOf": choices}, place)
        elif name in known:
            yield from wider(inner, known[name], inside)
        else:
            yield inside


def _is_taken(shape: str, choices: list[Schema]) -> bool:
    if shape == "map":
        return any(isinstance(choice.get("additionalProperties"), dict) for choice in choices)
    free = {choice.get("type") for choice in choices if "enum" not in choice}
    if shape in TAKEN_BY:
        return bool(TAKEN_BY[shape] & free)
    words = {word for choice in choices for word in choice.get("enum", ())}
    return "string" in free or set(shape.split("|")) <= words


@cache
def _excess(endpoint: Endpoint) -> tuple[str, ...]:
    described = operation(endpoint.method, endpoint.template)
    assert described is not None
    return tuple(wider(table()[endpoint.operation]["accepts"], described.parameters(), ""))


def _name(endpoint: Endpoint) -> str:
    return str(operation(endpoint.method, endpoint.template))


DESCRIBED = [entry for entry in ENDPOINTS if f"{entry.method} {entry.template}" not in NEWER_OPERATIONS]


@pytest.mark.parametrize("endpoint", DESCRIBED, ids=lambda endpoint: endpoint.operation)
def test_the_stand_in_takes_no_parameter_that_stripe_refuses(endpoint: Endpoint) -> None:
    assert [place for place in _excess(endpoint) if not is_newer(_name(endpoint), place)] == []


@pytest.mark.parametrize("endpoint", DESCRIBED, ids=lambda endpoint: endpoint.operation)
def test_the_stand_in_asks_for_everything_that_stripe_asks_for(endpoint: Endpoint) -> None:
    described = operation(endpoint.method, endpoint.template)
    assert described is not None
    assert set(described.parameters()["required"]) <= set(table()[endpoint.operation]["required"])


@pytest.mark.parametrize(
    ("shape", "place"),
    [
        ({"colour": "string"}, "colour"),
        ({"capabilities": {"transfers": {"requsted": "boolean"}}}, "capabilities[transfers][requsted]"),
        ({"business_type": "company|circus"}, "business_type"),
        ({"business_type": "string"}, "business_type"),
        ({"email": "boolean"}, "email"),
        ({"metadata": "string", "country": "string"}, "metadata"),
        ({"expand": ["integer"]}, "expand[]"),
        ({"country": {"code": "string"}}, "country"),
    ],
)
def test_a_table_that_takes_more_than_stripe_is_caught(shape: dict[str, Any], place: str) -> None:
    accounts = operation("POST", "/v1/accounts")
    assert accounts is not None
    found = list(wider(shape, accounts.parameters(), ""))
    # metadata can be emptied as a whole, which a free string goes beyond
    assert found == [place]


def _known_to_the_sdk(parameters: type, place: str) -> bool:
    for step in re.findall(r"[^\[\]]+", place):
        annotation = str(parameters.__annotations__.get(step, ""))
        if not annotation:
            return False
        for name in re.findall(r"\w+Params\w*", annotation):
            parameters = getattr(sys.modules[parameters.__module__], name, parameters)
    return True


NEWER = [
    (name, place) for entry in NEWER_PARAMETERS for name in entry.operations for place in entry.places
]  # fmt: skip


@pytest.mark.parametrize(("name", "place"), NEWER)
def test_every_newer_parameter_is_the_sdks_and_still_missing_from_the_description(
    name: str, place: str
) -> None:
    assert _known_to_the_sdk(SDK_PARAMETERS[name], place)
    (endpoint,) = [
        entry for entry in DESCRIBED if _name(entry) == name or f"{entry.method} {entry.template}" == name
    ]
    assert any(f"{found}[".startswith(f"{place}[") for found in _excess(endpoint))


@pytest.mark.parametrize(("name", "method"), NEWER_OPERATIONS.items())
def test_every_newer_operation_is_the_sdks_and_still_missing_from_the_description(
    name: str, method: str
) -> None:
    service, _, call = method.partition(".")
    assert callable(getattr(getattr(stripe, service), call))
    assert operation(*name.split(" ")) is None


def test_the_sdks_parameters_are_really_asked() -> None:
    create = SDK_PARAMETERS["POST /v1/accounts"]
    assert _known_to_the_sdk(create, "capabilities[transfers][requested]")
    assert not _known_to_the_sdk(create, "capabilities[transfers][requsted]")


def test_every_exception_has_its_reason() -> None:
    reasons = [entry.reason for entry in NEWER_PARAMETERS]
    reasons += [*UNSAID_NULLS.values(), *UNSAID_REFUSALS.values(), *WORDS_OF_THE_FUTURE.values()]
    assert all(len(reason) > 20 for reason in reasons)
