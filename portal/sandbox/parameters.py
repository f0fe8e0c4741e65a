"""Reading what a caller sends, as strictly as Stripe: nested form parameters, checked against one table.

`parameters.json` names, for each operation, what it requires and what it accepts. A value there is `string`,
`integer`, `number`, `boolean`, `map` (metadata), `a|b|c` (one of these), a list of one such value, or an object; an
object whose `""`-like key `?` is set may also be given as that plain value. https://docs.stripe.com/api
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from portal.sandbox.errors import InvalidParameter

Shape = Any
"""One value of the table; see the module's words."""

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MOST_PARAMETERS = 2_000
_METADATA_KEYS = 50
_METADATA_KEY_LENGTH = 40
_METADATA_VALUE_LENGTH = 500


@cache
def table() -> dict[str, dict[str, Any]]:
    """Every operation with what it requires and accepts."""
    text = (Path(__file__).parent / "parameters.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = json.loads(text)
    return loaded


def parse(raw: bytes) -> dict[str, Any]:
    """Form-encoded `a[b][c]=…`, `a[]=…`, `a[0]=…` as nested dictionaries; a list stays a dictionary of positions.

    Raises InvalidParameter when it is no such thing.
    """
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as problem:
        raise InvalidParameter(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
        ) from problem
    found: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        if match is None:
            raise _unknown([key])
        _place(found, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value)
    return found


def _place(target: dict[str, Any], steps: list[str], value: str) -> None:
    for position, step in enumerate(steps):
        name = step if step else str(len(target))
        if position == len(steps) - 1:
            if isinstance(target.get(name), dict):
                raise _invalid_object(steps)
            target[name] = value
            return
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            raise _invalid_object(steps)
        target = inner


def parse_json(raw: bytes) -> dict[str, Any]:
    """A JSON body of the v2 API in the same form as `parse` gives; raises InvalidParameter."""
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise InvalidParameter("Invalid request: the body has to be JSON.") from problem
    if not isinstance(given, dict):
        raise InvalidParameter("Invalid request: the body has to be a JSON object.")
    return {name: _spelled(value) for name, value in given.items()}


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spelled(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return {str(position): _spelled(entry) for position, entry in enumerate(value)}
    return value if isinstance(value, str) else json.dumps(value)


def check(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an operation with their types, or Stripe's refusal (InvalidParameter)."""
    entry = table()[operation]
    unknown = [name for name in given if name not in entry["accepts"]]
    if unknown:
        raise _unknown(unknown)
    for name in entry["required"]:
        if name not in given:
            raise InvalidParameter(f"Missing required param: {name}.", code="parameter_missing", param=name)
        if given[name] == "":
            raise _empty(name)
    return {name: _read(name, value, entry["accepts"][name]) for name, value in given.items()}


def _read(name: str, value: Any, shape: Shape) -> Any:
    if isinstance(shape, list):
        return _read_list(name, value, shape[0])
    if isinstance(shape, dict):
        return _read_object(name, value, shape)
    if shape == "map":
        return _read_metadata(name, value)
    if not isinstance(value, str):
        raise InvalidParameter(
            f"Invalid {shape if '|' not in shape else 'string'}: {json.dumps(value)}", param=name
        )
    if shape == "integer":
        return _read_integer(name, value)
    if shape == "number" and not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", value):
        raise InvalidParameter(f"Invalid decimal: {value}", param=name)
    if shape == "boolean":
        if value not in ("true", "false"):
            raise InvalidParameter(f"Invalid boolean: {value}", param=name)
        return value == "true"
    if "|" in shape and value != "" and value not in shape.split("|"):
        options = shape.split("|")
        named = " or ".join([", ".join(options[:-1]), options[-1]])
        raise InvalidParameter(f"Invalid {name}: must be one of {named}", param=name)
    return value


def _read_integer(name: str, value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise InvalidParameter(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def _read_list(name: str, value: Any, shape: Shape) -> list[Any]:
    if value == "":
        return []
    if not isinstance(value, dict) or not all(position.isdigit() for position in value):
        raise InvalidParameter("Invalid array", param=name)
    return [_read(f"{name}[{position}]", entry, shape) for position, entry in value.items()]


def _read_object(name: str, value: Any, shape: dict[str, Shape]) -> Any:
    if isinstance(value, str):
        if "?" in shape:
            return _read(name, value, shape["?"])
        raise InvalidParameter("Invalid object", param=name)
    unknown = [f"{name}[{key}]" for key in value if key not in shape or key == "?"]
    if unknown:
        raise _unknown(unknown)
    return {key: _read(f"{name}[{key}]", entry, shape[key]) for key, entry in value.items()}


def _read_metadata(name: str, value: Any) -> dict[str, str]:
    if value == "":
        return {"": ""}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise InvalidParameter(
            "Invalid hash: metadata has to be a set of key-value pairs of strings.", param=name
        )
    if len(value) > _METADATA_KEYS:
        raise InvalidParameter(f"Metadata can have up to {_METADATA_KEYS} keys.", param=name)
    for key, entry in value.items():
        if len(key) > _METADATA_KEY_LENGTH:
            raise InvalidParameter(
                f"Metadata keys can have up to {_METADATA_KEY_LENGTH} characters, but you passed in a key that is "
                f"{len(key)} characters. Invalid key: {key}",
                param=name,
            )
        if len(entry) > _METADATA_VALUE_LENGTH:
            raise InvalidParameter(
                f"Metadata values can have up to {_METADATA_VALUE_LENGTH} characters, but you passed in a value that "
                f"is {len(entry)} characters. Invalid value: {entry}",
                param=f"{name}[{key}]",
            )
    return dict(value)


def merged_metadata(present: dict[str, str], given: dict[str, str] | None) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, an empty whole removes all of them."""
    if given is None:
        return present
    if given == {"": ""}:
        return {}
    return {key: value for key, value in {**present, **given}.items() if value != ""}


def _unknown(names: list[str]) -> InvalidParameter:
    noun = "parameter" if len(names) == 1 else "parameters"
    return InvalidParameter(
        f"Received unknown {noun}: {', '.join(names)}", code="parameter_unknown", param=names[0]
    )


def _empty(name: str) -> InvalidParameter:
    return InvalidParameter(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=name,
    )


def _invalid_object(steps: list[str]) -> InvalidParameter:
    return InvalidParameter("Invalid object", param=steps[0])
