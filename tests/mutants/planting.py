"""A mutant in the place of its module: within functions that are there already, or when it is imported."""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tests.mutants.making import Mutant


class Functions:
    """All functions that are there at a moment, by file and name."""

    def __init__(self) -> None:
        self._found: defaultdict[tuple[str, str], list[FunctionType]] = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                self._found[each.__code__.co_filename, each.__code__.co_qualname].append(each)

    def changed_by(self, mutant: Mutant) -> Change | None:
        """What to do to them; None where a mutant can only be imported."""
        file = str(Path.cwd() / mutant.module)
        found = self._found[file, mutant.place or ""]
        module = compile(mutant.source, file, "exec", dont_inherit=True)
        codes = [each for each in _codes(module) if each.co_qualname == mutant.place]
        # a property and its setter have one name, and what no longer says `super()` has another closure
        if (
            len(codes) != 1
            or not found
            or {each.__code__.co_freevars for each in found} != {codes[0].co_freevars}
        ):
            return None
        return Change(codes[0], found)


@dataclass(frozen=True)
class Change:
    """Other code for functions that are there already, whoever holds them, and under whatever decorator."""

    code: CodeType
    functions: Sequence[FunctionType]

    def plant(self) -> None:
        for function in self.functions:
            function.__code__ = self.code


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class Planted(MetaPathFinder):
    """Whoever imports the module from now on gets the mutant; no file is written."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = mutant.module.removesuffix(".py").replace("/", ".")
        self._loader = _Source(str(Path.cwd() / mutant.module), mutant.source.encode())

    def plant(self) -> None:
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self._loader) if fullname == self._name else None


class _Source(SourceLoader):
    def __init__(self, file: str, source: bytes) -> None:
        self._file = file
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._file

    def get_data(self, path: str) -> bytes:
        if path != self._file:
            raise OSError("nothing is kept compiled")
        return self._source
