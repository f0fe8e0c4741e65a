"""Take the pictures anew and put them into the folder that is named."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import attentive_page, fresh_profile, running_chromium
from tests.journeys.demo import Demo
from tests.pictures import PICTURES, Picture


def take(picture: Picture, demo: Demo, browser: Browser, folder: Path) -> None:
    """One of them, in a browser that nobody used before."""
    with fresh_profile(browser) as context, attentive_page(context) as page:
        page.emulate_media(color_scheme=picture.theme)
        page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
        demo.signs_in(page, picture.person)
        page.goto(f"{demo.address}{picture.path}")
        if picture.follow is not None:
            page.locator("main").get_by_role("link", name=picture.follow).first.click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")


def main() -> None:
    """All of them, of a demo that is started for that alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running_chromium() as browser:
        demo = Demo(Path(data) / "demo")
        try:
            for picture in PICTURES:
                take(picture, demo, browser, folder)
                sys.stdout.write(f"{folder / picture.name}.png\n")
        finally:
            demo.close()


if __name__ == "__main__":
    main()
