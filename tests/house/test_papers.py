"""What is written for people: commands that exist, links that lead somewhere, no trace of one particular machine."""

from __future__ import annotations

import re
from pathlib import Path

from portal.domain.roles import RULES
from tests.house.tree import ROOT, named, texts
from tests.pictures import PICTURES


def papers() -> list[Path]:
    """The pages people read."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert found, "no pages"
    return sorted(found)


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_make_command_in_the_papers_exists() -> None:
    named_commands = {
        (named(path), command)
        for path in papers()
        for command in re.findall(
            r"(?:`|^|\$ )make ([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert named_commands, "the papers name no command"
    assert not [(page, command) for page, command in sorted(named_commands) if command not in targets()]


def test_every_link_within_the_project_leads_somewhere() -> None:
    broken = [
        f"{named(path)} links to {target}"
        for path in papers()
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken


def test_every_picture_is_one_that_the_command_takes_and_stands_in_a_paper() -> None:
    taken = {f"{picture.name}.png" for picture in PICTURES}
    kept = {path.name for path in (ROOT / "docs" / "img").iterdir()}
    pattern = r"!\[[^\]]+\]\((?:docs/)?img/([^)]+)\)"
    shown = {name for path in papers() for name in re.findall(pattern, path.read_text(encoding="utf-8"))}
    assert taken == kept == shown


def test_the_help_of_make_lists_every_command_for_people() -> None:
    listed = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    wanted = {"help", "demo", "demo-reset", "test", "lint", "format", "types", "migrate"}
    assert wanted <= listed


def test_no_file_knows_where_it_was_written() -> None:
    homes = re.compile(r"(?<![\w.])/(?:root|home/[a-z]+|Users/[A-Za-z]+)/|" + re.escape(str(ROOT)) + r"/")
    places = [name for name, text in texts() if homes.search(text)]
    assert not places


def test_no_real_looking_live_key_is_kept() -> None:
    keys = re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{32,}")
    assert not [name for name, text in texts() if keys.search(text)]


def test_what_each_role_may_stands_in_the_papers_as_the_portal_goes_by_it() -> None:
    paper = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| {rule.words} | {rule.least} | {'yes' if rule.is_sensitive else 'no'} |" in paper
