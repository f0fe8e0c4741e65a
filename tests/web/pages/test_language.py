"""Pages in their reader's language: chosen in the settings, else what the browser asks for; machines read English."""

from __future__ import annotations

import io
import re
from functools import cache

import pypdf
import pytest
from flask import Flask

from portal.domain.languages import Language
from portal.domain.money import Money
from portal.web.rendering import money_text
from tests.browser import look_at
from tests.house.test_translations import catalogue
from tests.web.pages.conftest import Open, Partner
from tests.web.pages.visitor import Page, Visitor

PATH, NEW, ALL = "/settings", "/payouts/new", "/payouts"


def language_of(page: Page) -> str:
    return page.html.one("html").attributes["lang"]


@cache
def english() -> list[str]:
    """Sentences that a German page has no business to show: of several words, naming nothing."""
    ids = [
        str(message.id) for message in catalogue(Language.de) if message.id and message.id != message.string
    ]
    return [each for each in ids if each.count(" ") > 1 and not re.search(r"[%{<]", each)]


def left_over(page: Page) -> list[str]:
    text = " ".join(page.html.one("body").text.split())
    return [each for each in english() if re.search(rf"\b{re.escape(each)}", text)]


@pytest.fixture
def german(ada: Partner) -> Partner:
    """Verified, with $412.50, who reads German."""
    ada.set_up()
    ada.earn(41_250)
    assert ada.send(ada.get(PATH), PATH, language="de").status == 303
    return ada


@pytest.mark.parametrize(
    ("asks", "language"),
    [
        ("de", "de"), ("de-AT,de;q=0.9,en;q=0.5", "de"), ("en-GB,en;q=0.9,de;q=0.5", "en"), ("fr", "en"), ("", "en"),
        ("*", "en"), ("de;q=0,en", "en"), ("x" * 5_000, "en"),
    ],
)  # fmt: skip
def test_before_anybody_has_signed_in_the_browser_says_it(
    portal_app: Flask, asks: str, language: str
) -> None:
    visitor = Visitor(portal_app.test_client())
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = asks
    for path in ("/login", "/nowhere"):
        assert language_of(visitor.get(path)) == language
    heading = {"de": "Melden Sie sich bei Ihrem Partnerkonto an", "en": "Sign in to your partner account"}
    assert visitor.get("/login").heading == heading[language]


def test_what_is_chosen_is_kept_and_counts_whatever_the_browser_asks_for(ada: Partner) -> None:
    ada.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    assert ada.get("/dashboard").heading == "Ihre Auszahlungen"
    assert ada.get(PATH).form(PATH)["language"] == "de"
    assert ada.row().language is None
    assert "E-Mails kommen auf Englisch" in ada.get(PATH).html.one(id="language-hint").text
    page = ada.send(ada.get(PATH), PATH, language="en")
    assert ada.get(page.location).html.one(role="alert", class_="banner tone--verified").text == "Saved."
    for path in ("/dashboard", ALL, PATH):
        assert language_of(ada.get(path)) == "en"
    assert ada.row().language == "en"
    assert ada.get(PATH).html.one(id="language-hint").text == "For your pages and your e-mails."


def test_where_there_is_no_page_that_is_said_in_the_chosen_language_too(german: Partner) -> None:
    page = german.get("/nowhere", headers={"Accept-Language": "en"})
    assert page.heading == "Seite nicht gefunden"


def test_a_language_that_there_is_not_is_said_at_the_field_and_nothing_is_saved(german: Partner) -> None:
    for wrong in ("fr", "", "DE", "de\x00", "../de"):
        page = german.post(PATH, {"name": "Eve", "language": wrong})
        assert page.status == 422
        assert page.html.one(id="error-summary").one("a").attributes["href"] == "#language"
        assert "Wählen Sie eine Sprache aus der Liste." in page.html.one(id="language-error").text
    assert (german.row().name, german.row().language) == ("ada", "de")


def test_amounts_days_and_the_badge_read_as_there_and_machines_find_what_they_found(german: Partner) -> None:
    page = german.get("/dashboard")
    assert page.html.one(data_balance="available").text == "412,50 $"
    assert page.badge.attributes["data-stripe-account-status"] == "verified"
    assert page.badge.content == "✓ Verifiziert"
    german.send(german.get(PATH), PATH, time_zone="Europe/Berlin")
    words = german.get("/dashboard").html.one(id="stripe_card").one("time").text
    assert re.fullmatch(r"\d{1,2}\. \w+\.? \d{4}, \d\d:\d\d MES?Z", words)


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (123_450, "usd", "1.234,50\u00a0$"), (-350, "eur", "\u22123,50\u00a0€"), (500, "jpy", "500\u00a0¥"),
        (120_000, "isk", "1.200,00\u00a0ISK"), (1_234_560, "bhd", "1.234,560\u00a0BHD"),
    ],
)  # fmt: skip
def test_an_amount_in_german_keeps_stripes_decimals(
    portal_app: Flask, amount: int, currency: str, words: str
) -> None:
    with portal_app.test_request_context(headers={"Accept-Language": "de"}):
        assert money_text(Money(amount, currency)) == words


@pytest.mark.parametrize("outcome", ["none", "leave", "review", "restrict", "reject", "approve"])
def test_no_page_is_left_half_english(ada: Partner, outcome: str) -> None:
    ada.send(ada.get(PATH), PATH, language="de")
    if outcome != "none":
        ada.set_up(outcome)
    ada.earn(41_250)
    ada.earn(5_000, days_ago=1, reference="held")
    paths = ["/dashboard", NEW, ALL, "/earnings", "/statements", PATH, "/payouts/preferences"]
    if outcome == "approve":
        payout = ada.send(ada.get(NEW), ALL, amount="50.00").location
        paths += [payout, f"{NEW}?amount=30", payout.partition("?")[0]]
    for path in [*paths, f"/statements/{ada.clock.now():%Y-%m}"]:
        page = ada.get(path)
        assert (language_of(page), left_over(page)) == ("de", []), path


def test_what_is_refused_is_refused_in_the_readers_language_and_to_machines_in_english(
    german: Partner,
) -> None:
    page = german.send(german.get(NEW), ALL, amount="9999")
    assert page.problems == ["Sie können bis zu 412,50 $ anfordern."]
    assert page.title.startswith("Fehler: ")
    german.send(german.get(NEW), ALL, amount="50.00")
    german.client.environ_base["HTTP_ACCEPT"] = "application/json"
    answer = german.client.get("/payouts/01a21ed3-93be-7483-bd57-e0353d37b56c")
    assert (answer.status_code, answer.get_json()["detail"]) == (404, "There is no such payout.")


def test_a_canceled_payout_is_told_in_german(german: Partner) -> None:
    payout = german.send(german.get(NEW), ALL, amount="50.00").location.partition("?")[0]
    german.send(german.get(payout), f"{payout}/cancel")
    said = german.get(payout).said
    assert "P-1001 ist storniert. Das Geld ist wieder in Ihrem verfügbaren Guthaben." in said
    assert "Sie haben diese Anforderung storniert." in said


def test_a_statement_is_in_german_and_the_file_for_machines_is_not(german: Partner) -> None:
    month = f"{german.clock.now():%Y-%m}"
    pages = pypdf.PdfReader(io.BytesIO(german.get(f"/statements/{month}.pdf").response.data)).pages
    text = " ".join(pages[0].extract_text().split())
    for words in ("Abrechnung für", "Partnercode", "Tage in UTC", "Anfangssaldo", "Saldo bisher"):
        assert words in text
    assert "Opening balance" in german.get(f"/statements/{month}.csv").response.text


def test_german_is_for_everybody_on_the_narrowest_screen_too(german: Partner, opened: Open) -> None:
    german.send(german.get(NEW), ALL, amount="50.00")
    page = opened(german, "/dashboard")
    look_at(page, "german-dashboard")
    for path in (NEW, ALL, PATH, "/earnings", "/payouts/preferences", "/statements"):
        look_at(opened(german, path), f"german-{path.strip('/').replace('/', '-')}")
    page = opened(german, ALL)
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Auszahlung P-1001").wait_for()
    look_at(page, "german-payout")
