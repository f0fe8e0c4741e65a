"""The project's own files, as the house rules see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

#: What is looked after by hand; everything else in the folder is made from it or put there by a person.
OURS = ("portal", "templates", "static", "migrations", "tests", "bench", "docs", ".ci")


def python_files(*folders: str) -> list[Path]:
    """Every module below these folders, sorted; fails where a folder has none, so that no rule holds emptily."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    missing = [folder for folder in folders if not any((ROOT / folder).rglob("*.py"))]
    assert not missing, f"no Python in {missing}"
    return found


def templates() -> list[Path]:
    """Every template, pages and mail alike."""
    found = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
    assert found, "no templates"
    return found


def texts() -> Iterator[tuple[str, str]]:
    """The path and text of every file that people wrote."""
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name not in {".env"}]
    files += [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" in path.parts or path.suffix in {".pyc", ".db"}:
            continue
        try:
            yield named(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a font


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    """A path as people say it: from the project's folder."""
    return path.relative_to(ROOT).as_posix()


def functions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function with its dotted name inside the module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)
