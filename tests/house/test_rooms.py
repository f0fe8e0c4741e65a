"""The rooms: who may import whom, and what the domain keeps away from."""

from __future__ import annotations

import ast
import sys

import pytest
from importlinter.cli import lint_imports

from tests.house.tree import ROOT, named, parsed, python_files

#: Reading the wall clock or the environment, touching files, sockets or processes: all of it is for other rooms.
FORBIDDEN_MODULES = {
    "os",
    "io",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "sys",
    "time",
}
FORBIDDEN_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "open",
    "print",
    "input",
}


def test_imports_point_down_through_the_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    result = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert result == 0, capsys.readouterr().out


def imported_modules(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_domain_knows_the_standard_library_alone() -> None:
    strangers = [
        f"{named(path)} imports {module}"
        for path in python_files("portal/domain")
        for module in sorted(imported_modules(parsed(path)))
        if module.partition(".")[0] not in sys.stdlib_module_names and not module.startswith("portal.domain")
    ]
    assert not strangers


def test_the_domain_reads_no_clock_and_touches_nothing_outside() -> None:
    touching = [
        f"{named(path)} imports {module}"
        for path in python_files("portal/domain")
        for module in sorted(imported_modules(parsed(path)))
        if module.partition(".")[0] in FORBIDDEN_MODULES
    ]
    touching += [
        f"{named(path)}:{node.lineno} calls {ast.unparse(node.func)}"
        for path in python_files("portal/domain")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS
    ]
    assert not touching


def test_no_float_stands_where_money_is_counted() -> None:
    money = [path for path in python_files("portal") if path.stem in {"money", "ledger", "payouts"}]
    floats = [
        f"{named(path)}:{node.lineno}"
        for path in money
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert not floats
