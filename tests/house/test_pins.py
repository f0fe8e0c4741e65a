"""What is installed: pinned, with hashes, from wherever the reader's own index is."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.house.tree import ROOT

PINS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")


def pins(name: str) -> dict[str, str]:
    """Each pinned distribution with everything that stands after its name, markers included."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[=\s;]", line, maxsplit=1)[0]: line for line in lines}


@pytest.mark.parametrize("name", PINS)
def test_every_pin_is_exact_and_carries_hashes(name: str) -> None:
    loose = [
        package
        for package, line in pins(name).items()
        if not re.match(r"[a-z0-9.-]+==\S+", line) or "--hash=sha256:" not in line
    ]
    assert pins(name)
    assert not loose


@pytest.mark.parametrize("name", PINS)
def test_no_pin_names_an_index(name: str) -> None:
    assert not re.search(
        r"https?:|--(?:extra-)?index|--find-links|file:", (ROOT / name).read_text(encoding="utf-8")
    )


def test_what_is_tested_is_what_runs() -> None:
    runtime, workshop = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime.items() <= workshop.items()


def test_every_dependency_that_pyproject_names_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    def plain(requirement: str) -> str:
        return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower()

    assert {plain(item) for item in project["project"]["dependencies"]} <= pins("requirements.txt").keys()
    assert {plain(item) for item in project["dependency-groups"]["dev"]} <= pins(
        "requirements-dev.txt"
    ).keys()


def test_no_lock_file_with_addresses_is_kept() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert not (ROOT / "package-lock.json").exists()
