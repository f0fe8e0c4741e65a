"""All mutants of a module: what each changes, where, and which of them are left out."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import libcst as cst
from libcst.metadata import (
    CodeRange,
    MetadataWrapper,
    PositionProvider,
    WhitespaceInclusivePositionProvider,
)
from mutmut.mutation.mutators import mutation_operators

from tests.mutants.skipping import Change, Path, why_skipped


@dataclass(frozen=True)
class Mutant:
    """One module with one change in it."""

    module: str
    original: str
    source: str
    place: str | None
    """The function or method that is changed; None where it happens when the module is imported."""
    lines: range
    """What must be executed for the change to matter."""
    is_lock: bool
    """A lock on a row: only PostgreSQL has them."""

    @property
    def key(self) -> str:
        """The same for the same change in the same module."""
        return hashlib.sha256(f"{self.module}\n{self.source}".encode()).hexdigest()[:20]

    @property
    def diff(self) -> str:
        before, after = self.original.splitlines(), self.source.splitlines()
        lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
        return "\n".join([f"{self.module}:{self.lines.start} {self.place or '(at import)'}", *lines])


def mutants_of(module: str, source: str) -> tuple[list[Mutant], Counter[str]]:
    """The mutants of a module, and how many were left out by which rule."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    text = _Text(source, wrapper)
    mutants: dict[str, Mutant] = {}
    skipped: Counter[str] = Counter()
    for node, path in _walk(wrapper.module, ()):
        for operator, changed in _changes(node):
            rule = why_skipped(Change(operator, node, changed, path))
            if rule is not None:
                skipped[rule] += 1
                continue
            mutant = Mutant(
                module,
                source,
                text.with_change(node, changed),
                place=_place(path),
                lines=_lines(positions, node, path),
                is_lock=any(_is_locking(each) for each in (*path, node)),
            )
            mutants.setdefault(mutant.key, mutant)
    return list(mutants.values()), skipped


class _Text:
    """A module's text; libcst writes a whole module anew for a change, which takes a hundred times as long."""

    def __init__(self, source: str, wrapper: MetadataWrapper) -> None:
        self._source = source
        self._module = wrapper.module
        self._positions = wrapper.resolve(WhitespaceInclusivePositionProvider)
        self._begins = [0, *accumulate(len(line) for line in source.splitlines(keepends=True))]

    def with_change(self, node: cst.CSTNode, changed: cst.CSTNode) -> str:
        if at := self._positions.get(node):
            begin, end = (self._begins[each.line - 1] + each.column for each in (at.start, at.end))
            if self._source[begin:end] == self._module.code_for_node(node):
                return self._source[:begin] + self._module.code_for_node(changed) + self._source[end:]
        return cst.ensure_type(self._module.deep_replace(node, changed), cst.Module).code


def _walk(node: cst.CSTNode, path: Path) -> Iterator[tuple[cst.CSTNode, Path]]:
    yield node, path
    for child in node.children:
        yield from _walk(child, (*path, node))


def _changes(node: cst.CSTNode) -> Iterator[tuple[str, cst.CSTNode]]:
    operators: Iterable[tuple[type, Callable[[Any], Iterable[cst.CSTNode]]]] = mutation_operators
    for kind, operator in operators:
        if isinstance(node, kind):
            for changed in operator(node):
                yield operator.__name__.removeprefix("operator_"), changed
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        yield "call", cst.Pass()  # mutmut has no change that leaves out what is only done


def _place(path: Path) -> str | None:
    """The outermost function of which the body is changed, as Python names it."""
    names: list[str] = []
    for outer, inner in pairwise(path):
        if isinstance(outer, cst.ClassDef):
            names.append(outer.name.value)
        elif isinstance(outer, cst.FunctionDef):
            return ".".join([*names, outer.name.value]) if inner is outer.body else None
    return None


def _lines(positions: Any, node: cst.CSTNode, path: Path) -> range:
    """Those of the change, or of the statement around it that has no other statement in it."""
    simple = (each for each in (*path, node) if isinstance(each, cst.SimpleStatementLine))
    located = [*simple, node, *reversed(path)]
    found: CodeRange = next(positions[each] for each in located if each in positions)
    return range(found.start.line, found.end.line + 1)


def _is_locking(node: cst.CSTNode) -> bool:
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name("with_for_update"))):
            return True
        case cst.Arg(keyword=cst.Name("with_for_update")):
            return True
    return False
