"""A real Chromium: one process a run, a fresh profile a test, and nothing it complains about goes unnoticed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.equipment import CACHE, axe_core, chromium

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

#: Width and height of the two screens every page is looked at on.
WIDE = (1280, 900)
NARROW = (390, 844)

#: The narrowest screen that has to work without scrolling sideways (WCAG 1.4.10), a tablet, a desk.
WIDTHS = (320, 768, 1280)

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

_SHOTS = [(screen, size, theme) for theme in THEMES for screen, size in (("wide", WIDE), ("narrow", NARROW))]
_FEW_SHOTS = [_SHOTS[0], _SHOTS[-1]]

_PATIENCE_MILLISECONDS = 10_000


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """The system's Chromium, driven over Playwright; skips where there is none."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(_ARGUMENTS), chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_profile(browser: Browser, *, javascript: bool = True) -> Iterator[BrowserContext]:
    """A context of its own: no cookie of any other test, English, UTC, a wide screen."""
    context = browser.new_context(
        viewport={"width": WIDE[0], "height": WIDE[1]},
        locale="en-US",
        timezone_id="UTC",
        java_script_enabled=javascript,
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def attentive_page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test if a script on it broke or the content security policy had to refuse something."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text}")
            if "Content Security Policy" in message.text
            else None
        ),
    )
    yield page
    assert not complaints, "the browser complained: " + "; ".join(complaints)


def shoot(page: Page, name: str) -> None:
    """Keep the page as pictures: wide and narrow, light and dark, in the folder `SCREENSHOTS`, if it is named; else
    under `CI=true` the two that differ most, in `.cache/screens`."""
    named = os.environ.get("SCREENSHOTS")
    if not named and os.environ.get("CI") != "true":
        return
    folder = Path(named) if named else CACHE / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    for screen, (width, height), scheme in _SHOTS if named else _FEW_SHOTS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=folder / f"{name}-{screen}-{scheme}.png", full_page=True, caret="initial")
    page.emulate_media(color_scheme=None)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands."""
    found: Any = page.evaluate(f"{axe_core()}; axe.run().then(result => JSON.stringify(result.violations))")
    return [f"{each['id']}: {[node['html'][:100] for node in each['nodes']]}" for each in json.loads(found)]


def look_at(page: Page, name: str) -> None:
    """In both themes and all widths: nothing axe objects to, and nothing to scroll sideways for."""
    if os.environ.get("SCREENSHOTS"):
        shoot(page, name)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        assert violations(page) == [], f"{name} in {theme}"
    page.emulate_media(color_scheme=None)
