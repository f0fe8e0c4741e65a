"""Where a value differs from what a schema of Stripe's description says, each place by its name.

Forms and JSON are held against the same schemas; only what a number or a list looks like differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from tests.stripe_description.description import Schema, resolved

Kinds = dict[str, Callable[[Any], bool]]


class Mismatch(NamedTuple):
    """One place of a value, `capabilities[transfers][requested]`, and what is wrong there."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place or 'the whole'} {self.problem}"


#: What Stripe's types look like in JSON.
JSON: Kinds = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}

#: What they look like in a form, as `read_form` reads it.
FORM: Kinds = JSON | {
    "boolean": lambda value: value in ("true", "false"),
    "integer": lambda value: isinstance(value, str) and bool(re.fullmatch(r"-?\d+", value)),
    "number": lambda value: isinstance(value, str) and bool(re.fullmatch(r"-?\d+(\.\d+)?", value)),
}

#: A moment in milliseconds, or a currency in capitals, is of the right type and wrong all the same.
FORMATS: Mapping[str, str] = {"currency": r"[a-z]{3}", "unix-time": r"\d{9,10}"}


def read_form(text: str) -> dict[str, Any]:
    """`a[b]=…&c[0]=…&c[]=…` as nested objects and lists; raises ValueError for what is no such thing."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        *steps, last = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        inner = found
        for step in steps:
            inner = inner.setdefault(step or str(len(inner)), {})
        inner[last or str(len(inner))] = value
    return {name: _with_lists(value) for name, value in found.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    entries = {name: _with_lists(entry) for name, entry in value.items()}
    is_list = list(entries) == [str(place) for place in range(len(entries))]
    return list(entries.values()) if is_list else entries


def mismatches(value: Any, schema: Schema, kinds: Kinds, place: str = "") -> Iterator[Mismatch]:
    """Every place where the value is not what the schema says, with what is wrong there."""
    schema = resolved(schema)
    if value is None and schema.get("nullable"):
        return
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        yield from _nearest(value, alternatives, kinds, place)
        return
    kind = schema.get("type", "object")
    if not kinds[kind](value):
        yield Mismatch(place, f"is {value!r}, which is no {kind}")
    elif kind == "object":
        yield from _of_object(value, schema, kinds, place)
    elif kind == "array":
        for number, entry in enumerate(value):
            yield from mismatches(entry, schema["items"], kinds, f"{place}[{number}]")
    else:
        yield from _of_plain(value, schema, place)


def _of_plain(value: Any, schema: Schema, place: str) -> Iterator[Mismatch]:
    if "enum" in schema and str(value) not in map(str, schema["enum"]):
        yield Mismatch(place, f"is {value!r}, which is none of {', '.join(map(str, schema['enum']))}")
    if len(str(value)) > schema.get("maxLength", 1_000_000):
        yield Mismatch(place, f"is longer than {schema['maxLength']} characters")
    if not re.fullmatch(FORMATS.get(schema.get("format", ""), r"(?s:.*)"), str(value)):
        yield Mismatch(place, f"is {value!r}, which is no {schema['format']}")


def _of_object(value: dict[str, Any], schema: Schema, kinds: Kinds, place: str) -> Iterator[Mismatch]:
    known: Schema = schema.get("properties", {})
    # an object of which nothing is described, such as an event's, may hold anything
    others = schema.get("additionalProperties", not known)
    for name in schema.get("required", ()):
        if name not in value:
            yield Mismatch(_inside(place, name), "is missing")
    for name, entry in value.items():
        if name in known:
            yield from mismatches(entry, known[name], kinds, _inside(place, name))
        elif isinstance(others, dict):
            yield from mismatches(entry, others, kinds, _inside(place, name))
        elif not others:
            yield Mismatch(_inside(place, name), "is unknown to Stripe")


def _nearest(value: Any, alternatives: Iterable[Schema], kinds: Kinds, place: str) -> Iterator[Mismatch]:
    """What is wrong with the value as the alternative that it resembles most."""
    choices = [resolved(alternative) for alternative in alternatives]
    resembling = [choice for choice in choices if _is_meant(value, choice, kinds)]
    found = [list(mismatches(value, choice, kinds, place)) for choice in resembling or choices]
    yield from min(found, key=len)


def _is_meant(value: Any, choice: Schema, kinds: Kinds) -> bool:
    if "type" in choice and not kinds[choice["type"]](value):
        return False
    names = choice.get("properties", {}).get("object", {}).get("enum")
    return not isinstance(value, dict) or names is None or value.get("object") in names


def _inside(place: str, name: str) -> str:
    return f"{place}[{name}]" if place else name
