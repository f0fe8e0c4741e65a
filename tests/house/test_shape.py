"""The shape of the code: short modules, short functions, telling names, nothing left open."""

from __future__ import annotations

import ast
import re

from tests.house.tree import functions, named, parsed, python_files, texts

MODULE_LINES = 300
FUNCTION_LINES = 40

#: Modules that are longer, each with its reason.
LONG_MODULES: dict[str, str] = {
    "portal/config.py": "every one of the forty settings stands here twice: its type, and where it is read from",
    "portal/wiring.py": "every service stands here three times: its import, its type, and its constructor call",
}

#: Functions that are longer (`path:dotted.name`), each with its reason.
LONG_FUNCTIONS: dict[str, str] = {
    "portal/config.py:_Reader.read": "one line for each setting, in the order of the table that promises them",
    "portal/wiring.py:wire": "one constructor call for each service: a list, with nothing to decide",
}

#: Names that say nothing of what is inside.
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)(_|$)")

#: Put together here, so that this line is no such place itself.
LEFT_OPEN = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "NotImplemented" + "Error"]) + r")\b"
)


def test_modules_are_short() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in python_files("portal", "tests")}
    long = {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}
    assert long.keys() == LONG_MODULES.keys(), long


def test_functions_are_short() -> None:
    long = {
        f"{named(path)}:{name}": lines
        for path in python_files("portal", "tests")
        for name, node in functions(parsed(path))
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_every_exception_to_a_length_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in (LONG_MODULES | LONG_FUNCTIONS).values())


def test_names_say_what_is_inside() -> None:
    empty = [named(path) for path in python_files("portal", "tests") if EMPTY_NAMES.search(path.stem)]
    assert not empty


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        named(path)
        for path in python_files("portal")
        if path.read_text().strip() and ast.get_docstring(parsed(path)) is None
    ]
    assert not silent


def test_nothing_is_left_open() -> None:
    places = [
        f"{name}:{number}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if name.startswith(("portal/", "templates/", "tests/", "static/js/portal", "wsgi.py"))
        and LEFT_OPEN.search(line)
    ]
    assert not places
