"""What affiliates settle about themselves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

PATH = "/settings"


def theme_of(page: Page) -> str:
    return page.html.one("html").attributes["data-theme"]


def test_saving_leads_back_to_a_page_that_says_so_and_shows_what_was_saved(ada: Partner) -> None:
    form = ada.get(PATH).form(PATH)
    assert (form["name"], form["theme"]) == ("ada", "system")
    # htmx would leave the html element as it is, and the theme with it
    assert ada.get(PATH).html.one("form", action=PATH).attributes["hx-boost"] == "false"
    assert (form["payout_requested"], form["payout_sent"], form["setup_reminder"]) == ("true",) * 3
    page = ada.send(ada.get(PATH), PATH, name="  Ada Lovelace ", payout_sent="false")
    assert (page.status, page.location) == (303, f"{PATH}?saved=1")
    after = ada.get(page.location)
    assert after.html.one(role="alert", class_="banner tone--verified").text == "Saved."
    form = after.form(PATH)
    assert (form["name"], form["payout_sent"], form["payout_requested"]) == ("Ada Lovelace", "false", "true")


def test_a_name_that_is_none_is_said_at_the_field_and_nothing_is_saved(ada: Partner) -> None:
    page = ada.send(ada.get(PATH), PATH, name="A\x07da", payout_sent="false", theme="dark")
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#name"
    assert page.problems[0] in page.html.one(id="name-error").text
    form = page.form(PATH)
    assert (form["name"], form["payout_sent"], form["theme"]) == ("A\x07da", "false", "dark")
    assert (ada.row().name, ada.row().unwanted_mail) == ("ada", [])
    assert theme_of(ada.get(PATH)) == "system"


def test_a_choice_that_there_is_not_is_refused_and_nothing_is_saved(ada: Partner) -> None:
    for field, value in (("payout_sent", "perhaps"), ("theme", "neon")):
        page = ada.post(PATH, {"name": "Eve", field: value})
        assert page.status == 422
        assert page.problems[0] in page.html.one(id=f"{field}-error").text
        assert ada.row().name == "ada"


def test_what_a_form_does_not_bring_stays_and_what_always_comes_cannot_be_left_out(ada: Partner) -> None:
    ada.post(PATH, {"payout_sent": "false", "theme": "dark"})
    assert ada.post(PATH, {"bank_changed": "false", "status_verified": "false"}).status == 303
    assert (ada.row().name, ada.row().unwanted_mail) == ("ada", ["payout_sent"])
    assert theme_of(ada.get(PATH)) == "dark"


def test_a_form_without_its_token_changes_nothing(ada: Partner) -> None:
    for path in (PATH, "/logout/everywhere", "/logout/elsewhere"):
        assert ada.client.post(path, data={"name": "Eve"}).status_code == 400
    assert ada.row().name == "ada"
    assert ada.get(PATH).status == 200


def test_the_page_says_whether_payouts_are_automatic_and_leads_to_where_that_is_set(ada: Partner) -> None:
    assert "They are off." in ada.get(PATH).said
    preferences = "/payouts/preferences"
    ada.send(ada.get(preferences), preferences, automatic="true")
    page = ada.get(PATH)
    assert "They are on." in page.said
    assert page.html.one("main").one("a", href=preferences).text == "payout preferences"


class TestSessions:
    @pytest.fixture
    def elsewhere(self, ada: Partner) -> Partner:
        """Ada in another browser."""
        return Partner(ada.app, ada.stand_in, ada.clock, ada.identity)

    @pytest.fixture
    def bo(self, new_partner: Callable[[str], Partner]) -> Partner:
        """Somebody else altogether."""
        return new_partner("bo")

    def test_all_of_the_person_are_listed_and_all_others_can_be_ended_at_once(
        self, ada: Partner, elsewhere: Partner, bo: Partner
    ) -> None:
        page = ada.get(PATH)
        listed = page.html.one("ul", class_="conditions").all("li")
        assert len(listed) == 2
        (this,) = [each for each in listed if "aria-current" in each.attributes]
        assert "This browser" in this.text
        assert "In use now" in this.text
        assert sum("Another browser" in each.text for each in listed) == 1
        ended = ada.send(page, "/logout/elsewhere")
        assert (ended.status, ended.location) == (303, PATH)
        after = ada.get(ended.location)
        assert "Signed out in 1 other browser." in after.said
        assert len(after.html.one("ul", class_="conditions").all("li")) == 1
        assert not after.html.all("form", action="/logout/elsewhere")
        assert elsewhere.get(PATH).location == f"/login?next={PATH}"
        assert bo.get(PATH).status == 200

    def test_signing_out_everywhere_ends_this_one_too(
        self, ada: Partner, elsewhere: Partner, bo: Partner
    ) -> None:
        copied = ada.client.get_cookie("portal_session")
        assert copied
        page = ada.send(ada.get(PATH), "/logout/everywhere")
        assert (page.status, page.location) == (303, "/login")
        assert ada.client.get_cookie("portal_session") is None
        assert "You are signed out everywhere here" in ada.get(page.location).said
        ada.client.set_cookie(copied.key, copied.value)
        for partner in (ada, elsewhere):
            assert partner.get(PATH).location == f"/login?next={PATH}"
        assert bo.get(PATH).status == 200


class TestTheme:
    def test_every_page_is_written_in_it_also_where_nobody_is_signed_in(self, ada: Partner) -> None:
        for theme, schemes in (("light", "light"), ("dark", "dark"), ("system", "light dark")):
            ada.send(ada.get(PATH), PATH, theme=theme)
            for path in ("/dashboard", "/nowhere", "/login"):
                page = ada.get(path)
                assert theme_of(page) == theme
                assert page.html.one("meta", name="color-scheme").attributes["content"] == schemes

    def test_a_cookie_that_holds_anything_else_is_the_systems(self, portal_app: Flask) -> None:
        visitor = Visitor(portal_app.test_client())
        for cookie in ("neon", "DARK", '"><script>'):
            visitor.client.set_cookie("portal_theme", cookie)
            assert theme_of(visitor.get("/login")) == "system"

    def test_its_cookie_is_for_this_site_alone(self, ada: Partner) -> None:
        cookie = ada.send(ada.get(PATH), PATH, theme="dark").response.headers["Set-Cookie"]
        assert re.match(r"portal_theme=dark; .*HttpOnly; Path=/; SameSite=Lax$", cookie)
