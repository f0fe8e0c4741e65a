"""What a test needs besides Python: found, or a skip that names it. CI has everything, so there it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

#: Where the Stripe CLI and axe-core are put by `.ci/provision`.
CACHE = Path(__file__).resolve().parent.parent / ".cache"

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def missing(what: str) -> NoReturn:
    """End the test: skipped with the reason, failed under `CI=true`."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing: {what}", pytrace=False)
    pytest.skip(f"missing: {what}")


def chromium() -> str:
    """The system's Chromium: `CHROMIUM`, or the first of the usual names on the PATH."""
    for name in (os.environ.get("CHROMIUM", ""), *_CHROMIUM_NAMES):
        if name and (found := shutil.which(name)):
            return found
    missing("Chromium (package chromium, or its path as CHROMIUM)")


def postgresql_programs() -> Path:
    """The folder of initdb and postgres: `POSTGRES_BIN`, the PATH, or the newest under /usr/lib/postgresql."""
    if folder := os.environ.get("POSTGRES_BIN"):
        return Path(folder)
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        missing("PostgreSQL's server programs (package postgresql, or their folder as POSTGRES_BIN)")
    return max(installed, key=lambda program: int(program.parts[-3])).parent


def stripe_cli() -> Path:
    """Stripe's own command, whose fixtures make real-looking events."""
    program = CACHE / "stripe-cli/node_modules/.bin/stripe"
    if not program.exists():
        missing("the Stripe CLI (npm package @stripe/cli)")
    return program


def curl() -> Path:
    """What the commands of the documents are run with."""
    found = shutil.which("curl")
    return Path(found) if found else missing("curl (package curl)")


def axe_core() -> str:
    """The source of axe-core, to evaluate in a page; a script tag would be refused by the CSP."""
    source = CACHE / "axe-core/node_modules/axe-core/axe.min.js"
    if not source.exists():
        missing("axe-core (npm package axe-core)")
    return source.read_text(encoding="utf-8")
