"""Carrying an order out in a copy of the tree, in memory where the system has a place for that: nothing is changed
where people work, and what they change meanwhile changes nothing here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.inside import Order

_IN_MEMORY = Path("/dev/shm")

_LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", ".*cache", "__pycache__", "instance", ".hypothesis")


def carried_out(order: Order, tree: Path) -> None:
    """Try an order's mutants on a copy that is gone at the end."""
    kept_in = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="portal-mutants-", dir=kept_in) as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, ignore=_LEFT_BEHIND)
        (Path(folder) / "temporary").mkdir()
        subprocess.run(
            [sys.executable, "-m", "tests.mutants.inside", order.as_text],
            cwd=copy,
            env={**os.environ, "TMPDIR": str(Path(folder) / "temporary")},
            check=True,
        )
