"""The templates: nothing the content security policy would refuse, and no reference into the void."""

from __future__ import annotations

import re

import jinja2
import pytest
from jinja2 import meta

from tests.house.tree import ROOT, named, templates

FOLDER = ROOT / "templates"

#: A script without `src`, a style element or attribute, an event handler, hx-on, code in an address or in hx-vals.
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|\shx-on\b|\bjs:\{",
    re.IGNORECASE,
)

#: An address of somebody else: the policy allows our own files alone, and pages load without the internet.
FOREIGN = re.compile(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE)


def pages() -> list[str]:
    """Templates a browser gets; mail has its own rules: its readers know no style sheet but an inline one."""
    return [named(path) for path in templates() if "emails" not in path.parts and path.suffix == ".html"]


@pytest.mark.parametrize("rule", [INLINE, FOREIGN], ids=["inline", "foreign"])
def test_pages_hold_nothing_the_security_policy_refuses(rule: re.Pattern[str]) -> None:
    places = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in pages()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
        if rule.search(line)
    ]
    assert not places


def test_every_template_that_another_names_exists() -> None:
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    broken = []
    for path in templates():
        tree = environment.parse(path.read_text(encoding="utf-8"), name=named(path))
        broken += [
            f"{named(path)} names {reference}"
            for reference in meta.find_referenced_templates(tree)
            if reference is not None and not (FOLDER / reference).is_file()
        ]
    assert not broken


def test_every_template_that_the_code_names_exists() -> None:
    names = {
        match[1]
        for path in (ROOT / "portal").rglob("*.py")
        if "sandbox" not in path.parts
        for match in re.finditer(r"[\"']([a-z_]+/[a-z_/]+\.html)[\"']", path.read_text(encoding="utf-8"))
    }
    assert names, "the code names no template"
    assert not [name for name in sorted(names) if not (FOLDER / name).is_file()]


def test_a_form_that_posts_carries_its_token() -> None:
    form = re.compile(r"<form\b[^>]*method=[\"']post[\"'].*?</form>", re.IGNORECASE | re.DOTALL)
    bare = [
        f"{name}: {found[:80]}"
        for name in pages()
        for found in form.findall((ROOT / name).read_text(encoding="utf-8"))
        if "csrf" not in found
    ]
    assert not bare


def test_no_template_marks_text_as_safe() -> None:
    places = [
        named(path)
        for path in templates()
        if re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text(encoding="utf-8"))
    ]
    assert not places
