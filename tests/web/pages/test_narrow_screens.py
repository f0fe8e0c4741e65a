"""Long words, long amounts and letters from right to left: on the narrowest screen nothing breaks or turns around."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pypdf
import pytest

from portal.services.ledger import EarningData
from portal.services.people import VerifiedIdentity
from portal.wiring import services
from tests.web.pages.conftest import TEST, Open, Partner
from tests.web.pages.markup import Element

#: The narrowest screen that has to work without scrolling sideways (WCAG 1.4.10).
NARROWEST = 320

#: Each begins and ends so that it would turn what stands beside it: digits, brackets, full stops.
HEBREW, ARABIC = "12 (שלום) עולם 34", "(مرحبا) بالعالم 56"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

#: All but the largest amounts that there can be; what Stripe pays out of them is round where it wants it so.
TWELVE_DIGITS = 999_999_999_990

PATHS = (
    "/dashboard", "/dashboard?range=all", "/payouts", "/payouts/new", "/earnings", "/statements",
    "/payouts/preferences", "/settings", "/stripe/status",
)  # fmt: skip


def busy(partner: Partner, description: str) -> list[str]:
    """Let the partner earn as much as there can be and be on the way to the next payout; every page of theirs."""
    row = partner.row()
    partner.set_up()
    with partner.app.app_context():
        for number, days in enumerate((31, 1)):
            earning = EarningData(
                f"{LONG_WORD}-{number}", row.code, TWELVE_DIGITS, row.currency,
                partner.clock.now() - timedelta(days=days), description,
            )  # fmt: skip
            services().ledger.post_earnings([earning], cause=TEST)
    payout = partner.send(partner.get("/payouts/new"), "/payouts").location.partition("?")[0]
    return [*PATHS, payout, f"/statements/{partner.clock.now():%Y-%m}"]


@pytest.mark.parametrize(
    "currency",
    [
        pytest.param(currency, marks=pytest.mark.settings(PORTAL_DEFAULT_CURRENCY=currency))
        for currency in ("usd", "jpy", "bhd")
    ],
)
def test_long_words_and_amounts_fit_on_the_narrowest_screen(
    new_partner: Callable[[str], Partner], opened: Open, currency: str
) -> None:
    partner = new_partner(LONG_WORD)
    partner.send(partner.get("/settings"), "/settings", language="de")
    too_wide = {}
    for path in busy(partner, LONG_WORD):
        page = opened(partner, path)
        page.set_viewport_size({"width": NARROWEST, "height": 800})
        for closed in page.locator("main details > summary").all():
            closed.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROWEST:
            too_wide[path] = width
    assert too_wide == {}


@pytest.fixture
def noa(new_partner: Callable[[str], Partner]) -> Partner:
    """Her name, her address, what she sells and what she is told run from right to left."""
    partner = new_partner("noa")
    partner.identity = VerifiedIdentity(
        "demo", "https://issuer.example", "noa", HEBREW, f"{ARABIC}@example.com"
    )
    partner.sign_in()
    partner.send(partner.get("/settings"), "/settings", name=HEBREW)
    return partner


def loose(element: Element, text: str) -> list[str]:
    """Where a text stands without being kept to itself."""
    isolating = element.tag in {"bdi", "code", "title", "option"} or element.attributes.get("dir") == "auto"
    if isolating:
        return []
    own = "".join(child for child in element.children if isinstance(child, str))
    here = [f"<{element.tag}> {own.strip()}"] if text in own else []
    return here + [
        each for child in element.children if isinstance(child, Element) for each in loose(child, text)
    ]


def test_what_runs_from_right_to_left_turns_nothing_beside_it(noa: Partner, opened: Open) -> None:
    paths = busy(noa, ARABIC)
    with noa.app.app_context():
        services().affiliates.block(noa.row().code, message=f"{ARABIC} 7.", cause=TEST)
    seen = ""
    for path in paths:
        html = noa.get(path).html
        seen += html.content
        assert [each for text in (HEBREW, ARABIC) for each in loose(html, text)] == [], path
        named = [each for each in html.all("input") if HEBREW in each.attributes.get("value", "")]
        assert all(each.attributes["dir"] == "auto" for each in named)
    assert seen.count(HEBREW) > len(paths)
    assert seen.count(ARABIC) > 2
    page = opened(noa, paths[-1])
    page.set_viewport_size({"width": NARROWEST, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST
    name, code = (page.locator("p.muted").locator(each).first.bounding_box() for each in ("bdi", "code"))
    assert name
    assert code
    assert (name["y"], name["x"]) < (code["y"], code["x"])


def test_nor_in_a_statement_as_a_pdf(noa: Partner) -> None:
    month = busy(noa, ARABIC)[-1]
    pages = pypdf.PdfReader(io.BytesIO(noa.get(f"{month}.pdf").response.data)).pages
    lines = [line.strip() for line in pages[0].extract_text().splitlines()]
    assert any(line.startswith("Partner code ") for line in lines)
    # a line of its own, which is where numbers among such words are put in their place
    assert any(line.endswith("Commission:") for line in lines), lines
    assert any("56" in line and "Commission" not in line for line in lines), lines
