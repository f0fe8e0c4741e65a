"""An affiliate with a browser that looks closely at every page it gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as BrowserPage
from werkzeug.test import TestResponse

from tests.web.pages.markup import Element, read

_HIDDEN_FIELDS = {"hidden", "submit", "button"}


class Page:
    """An answer and, if it is HTML, what it holds."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        # the body of a redirect is Werkzeug's, and nobody sees it
        is_ours = response.mimetype == "text/html" and self.status not in range(300, 400)
        self.html = read(response.text) if is_ours else Element("none", {})

    @property
    def location(self) -> str:
        return self.response.headers["Location"]

    @property
    def heading(self) -> str:
        return self.html.one("h1").text

    @property
    def title(self) -> str:
        return self.html.one("title").text

    @property
    def badge(self) -> Element:
        return self.html.one(data_stripe_account_status=None)

    @property
    def said(self) -> str:
        """All of the text in the main part, or of a fragment."""
        return (self.html.all("main") or [self.html])[0].text

    @property
    def problems(self) -> list[str]:
        """What the error summary lists."""
        return [item.text for item in self.html.one(id="error-summary").all("li")]

    def form(self, action: str) -> dict[str, str]:
        """The values that the form with this action would send untouched."""
        form = self.html.one("form", action=action)
        values = {
            each.attributes["name"]: each.attributes.get("value", "")
            for each in form.all("input", name=None)
            if each.attributes["type"] not in {"radio", "checkbox"} or "checked" in each.attributes
        }
        for choice in form.all("select", name=None):
            values[choice.attributes["name"]] = choice.one("option", selected=None).attributes["value"]
        return values


class Visitor:
    """Fetches pages and checks what holds for every one of them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Page:
        return self._looked_at(self.client.get(path, **more))

    def ask(self, path: str) -> Page:
        """As htmx does: for a fragment."""
        return self._looked_at(self.client.get(path, headers={"HX-Request": "true"}))

    def post(self, path: str, data: Mapping[str, str | list[str]] | None = None, **more: Any) -> Page:
        """Send a form, with the token every page of ours carries."""
        token = self.get("/login").html.all("body")[0].attributes["hx-headers"]
        found = re.search(r'"X-CSRFToken": "([^"]+)"', token)
        assert found
        return self._looked_at(self.client.post(path, data={"csrf_token": found[1], **(data or {})}, **more))

    def send(self, page: Page, action: str, **changes: str) -> Page:
        """Press the button of a form on a page, after changing some fields."""
        return self._looked_at(self.client.post(action, data={**page.form(action), **changes}))

    def goes_on_in(self, context: BrowserContext, site: str) -> None:
        """The same session in a real browser."""
        cookie = self.client.get_cookie("portal_session")
        assert cookie is not None
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])

    def opens(self, page: BrowserPage, site: str, path: str) -> BrowserPage:
        """One of our pages in a real browser, in the same session."""
        self.goes_on_in(page.context, site)
        page.goto(site + path)
        return page

    def _looked_at(self, response: TestResponse) -> Page:
        page = Page(response)
        if page.html.all("html"):
            check_page(page)
        check_parts(page.html)
        return page


def check_page(page: Page) -> None:
    """What holds for every whole page."""
    prefix = {"en": "Error: ", "de": "Fehler: "}[page.html.one("html").attributes["lang"]]
    assert page.heading
    assert page.title.endswith("Partner portal")
    assert page.title.startswith(prefix) == (page.status >= 400)
    assert page.html.one("main").attributes["tabindex"] == "-1"
    assert page.html.one("a", class_="skip-link").attributes["href"] == "#main"
    assert page.html.one(id="live").attributes["role"] == "status"
    assert len([each for each in page.html if "banner" in each.attributes.get("class", "").split()]) <= 1
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in page.response.headers["Content-Security-Policy"]
    levels = [int(each.tag[1]) for each in page.html if re.fullmatch(r"h[1-6]", each.tag)]
    assert all(level <= before + 1 for before, level in zip([1, *levels], levels, strict=False)), levels


def check_parts(html: Element) -> None:
    """What holds for every part of a page: nothing inline, names for all fields, tokens in all forms."""
    elements = list(html)
    ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
    assert len(ids) == len(set(ids)), ids
    for each in elements:
        assert not any(name == "style" or name.startswith("on") for name in each.attributes), each.attributes
        assert each.tag != "style"
        # what asks by itself says what it has shown, and so keeps no session alive
        assert "every" not in each.attributes.get("hx-trigger", "") or "seen=" in each.attributes["hx-get"]
        assert each.tag != "script" or (each.attributes.get("src") and not each.text)
        for name in ("aria-describedby", "aria-labelledby", "for"):
            assert set(each.attributes.get(name, "").split()) <= set(ids), (
                f"{name} leads nowhere: {each.attributes}"
            )
    labelled = {each.attributes["for"] for each in html.all("label")}
    for each in [*html.all("input"), *html.all("select"), *html.all("textarea"), *html.all("progress")]:
        if each.attributes.get("type") not in _HIDDEN_FIELDS:
            assert each.attributes["id"] in labelled, each.attributes
    for form in html.all("form"):
        assert form.attributes["action"].startswith("/")
        assert form.all("button")
        # what only asks changes nothing and its address may be passed on, so it carries no token
        is_asking = form.attributes["method"] == "get"
        assert is_asking or form.attributes["method"] == "post"
        tokens = form.all("input", name="csrf_token")
        assert [bool(token.attributes["value"]) for token in tokens] == ([] if is_asking else [True])
        assert not form.all("button", disabled=None)
