"""The list of journeys names tests that are there, and every journey has one."""

from __future__ import annotations

import re

from tests import journeys
from tests.house.tree import ROOT, functions, parsed

#: As many as the portal promises.
JOURNEYS = 17


def test_every_journey_names_the_tests_that_hold_it() -> None:
    words = journeys.__doc__ or ""
    entries = re.split(r"^ ?(?=\d+\. )", words, flags=re.MULTILINE)[1:]
    assert [int(entry.partition(".")[0]) for entry in entries] == list(range(1, JOURNEYS + 1))
    assert [entry for entry in entries if "::test_" not in entry] == []
    named = re.findall(r"(tests/\S+\.py)::(\w+)", words)
    gone = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or test not in dict(functions(parsed(ROOT / file)))
    ]
    assert gone == []


def test_every_file_of_journeys_is_of_one_that_is_listed_or_says_why_not() -> None:
    others = {
        "test_demo.py": "the demo's own command",
        "test_fifty_at_once.py": "many at once, without a browser",
        "test_killed_while_sending.py": "a process that dies, without a browser",
        "test_signing_in_again.py": "an act that asks for a recent sign-in",
        "test_signing_out.py": "the end of a session, here and at the provider",
        "test_stripe_cli.py": "Stripe's own command, without a browser",
    }
    listed = set(re.findall(r"tests/journeys/(test_\w+\.py)::", journeys.__doc__ or ""))
    there = {path.name for path in (ROOT / "tests" / "journeys").glob("test_*.py")}
    assert listed | others.keys() == there
    assert not listed & others.keys()
