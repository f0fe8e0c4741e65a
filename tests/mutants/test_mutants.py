"""The mutants' own test: a change that a test notices is killed, and one that none notices is shown."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.mutants.inside import Order
from tests.mutants.making import mutants_of
from tests.mutants.modules import MODULES
from tests.mutants.outside import carried_out
from tests.mutants.report import counted, told

MODULE = "portal/domain/leaving.py"

RULE = """
from __future__ import annotations

#: Less than this never leaves.
LEAST = 5


def may_leave(amount: int, *, is_blocked: bool) -> bool:
    assert amount is not None
    return amount >= LEAST and not is_blocked
"""

TEST = """
from portal.domain.leaving import may_leave


def test_what_is_enough_may_leave_unless_it_is_blocked():
    assert may_leave(6, is_blocked=False)
    assert not may_leave(4, is_blocked=False)
    assert not may_leave(6, is_blocked=True)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one rule, and one test that forgot something."""
    tree = tmp_path / "tree"
    files = {
        "pyproject.toml": '[tool.pytest]\npythonpath = ["."]\n', "portal/__init__.py": "", "tests/__init__.py": "",
        "portal/domain/__init__.py": "", MODULE: RULE, "tests/domain/test_leaving.py": TEST,
    }  # fmt: skip
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    copytree(Path(__file__).parent, tree / "tests/mutants", ignore=ignore_patterns("__pycache__"))
    return tree


def test_what_no_test_notices_survives_and_all_else_is_killed(tree: Path, tmp_path: Path) -> None:
    order = Order([MODULE], ["tests/domain"], 1, 1, most_tests=9, most_seconds=9, folder=str(tmp_path))
    carried_out(order, tree)
    [count] = counted(order)
    survivors = [verdict.diff.splitlines()[2:] for verdict in count.verdicts if verdict.killed_by is None]
    assert sorted(survivors) == [
        ["-    return amount >= LEAST and not is_blocked", "+    return amount > LEAST and not is_blocked"],
        ["-LEAST = 5", "+LEAST = 6"],
    ]
    assert count.killed == 2, "and → or, and `not` left out"
    assert count.skipped, "what nobody could notice"
    assert "50.0%" in told(order)
    assert (tree / MODULE).read_text() == RULE


def test_every_module_that_is_named_is_there() -> None:
    for module in MODULES:
        assert Path(module).is_file(), module


def test_an_assert_and_a_sentence_are_no_mutants() -> None:
    mutants, skipped = mutants_of(
        MODULE, 'def never() -> None:\n    assert 1 < 2\n    raise ValueError("so it is")\n'
    )
    assert not mutants
    assert {"asserts", "words"} <= skipped.keys()
