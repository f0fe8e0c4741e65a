"""What a first visit loads, and what a fragment weighs: every page that there is, with people and money on it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

import pytest
from flask import Flask

from portal.web.access import rule_of
from portal.wiring import services
from tests.services.stand_in import StandIn, signed
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

#: Bytes over the line: HTML, styles, scripts, pictures and fonts of a first visit; and what htmx swaps in.
FIRST_VISIT, FRAGMENT = 60_000, 6_000

#: Views that answer no page: files, and addresses that lead on.
NO_PAGES = {
    "api.", "auth.begin", "auth.callback", "auth.first_page", "health.", "metrics.", "static", "dashboard.home",
    "dashboard.from_the_programme", "onboarding.come_back", "onboarding.refresh",
}  # fmt: skip


@pytest.fixture
def places(portal_app: Flask, waiting: str, ada: Partner, olga: Visitor) -> Mapping[str, str]:
    """What stands in the addresses of things, after a day with something of everything; Ada reads German."""
    ada.send(ada.get("/settings"), "/settings", language="de")
    bulk = "/operator/payouts/bulk"
    decided = olga.send(olga.get(f"{bulk}?action=approve&payout={waiting}"), bulk).location
    ada.pays()
    ada.meet("restrict")
    event = StandIn(ada.stand_in).events("account.updated")[-1]
    body, signature = signed(event, at=ada.clock.real_now())
    with portal_app.app_context():
        services().stripe_events.receive(body, signature)
        (run,) = services().run_records.newest(limit=1)
        verification = services().verification.run(trigger="timetable")
    for number in range(60):
        ada.earn(4_999 + number, reference=f"order-no-{number}", days_ago=number)
    return {
        "payout_id": waiting, "month": f"{ada.clock.now():%Y-%m}", "code": ada.row().code, "event_id": event["id"],
        "run_id": str(run.run.id), "verification_id": str(verification.id), "key": decided.rpartition("/")[2],
    }  # fmt: skip


def addresses(app: Flask, kinds: set[str], places: Mapping[str, str]) -> list[str]:
    """Of every page for one of these kinds of people."""
    pages = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not str(rule).endswith((".csv", ".pdf"))
        if (marked := rule_of(app.view_functions[rule.endpoint])) and marked.kind in kinds
        if not rule.endpoint.startswith(tuple(NO_PAGES))
    ]
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda place: places[place[1]], page) for page in pages]


def loaded(visitor: Visitor, page: Page) -> int:
    """The bytes of everything that a browser fetches for a page, the page itself among them."""
    addresses = [each.attributes["href"] for each in page.html.all("link")]
    addresses += [
        each.attributes["src"] for tag in ("script", "img") for each in page.html.all(tag, src=None)
    ]
    weight = 0
    for address in addresses:
        file = visitor.client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
        assert (file.status_code, file.headers.get("Content-Encoding")) == (200, "gzip"), address
        assert "immutable" in file.headers["Cache-Control"], address
        assert b"url(" not in gzip.decompress(file.data), f"{address} loads more"
        weight += len(file.data)
    return weight + zipped(page)


def zipped(page: Page) -> int:
    return len(gzip.compress(page.response.data))


@pytest.mark.parametrize(
    "kinds", [{"public", "person", "affiliate"}, {"operator"}], ids=["affiliates", "operators"]
)
def test_no_first_visit_and_no_fragment_is_heavy(
    portal_app: Flask, places: Mapping[str, str], ada: Partner, olga: Visitor, kinds: set[str]
) -> None:
    visitor = olga if kinds == {"operator"} else ada
    asked = addresses(portal_app, kinds, places)
    visits = {path: loaded(visitor, page) for path in asked if (page := visitor.get(path)).html.all("html")}
    fragments = {path: zipped(part) for path in asked if not (part := visitor.ask(path)).html.all("html")}
    assert len(visits) > 10
    assert fragments
    assert {path: weight for path, weight in visits.items() if weight >= FIRST_VISIT} == {}
    assert {path: weight for path, weight in fragments.items() if weight >= FRAGMENT} == {}


def test_a_browser_that_takes_nothing_compressed_gets_the_file_as_it_is(portal_app: Flask) -> None:
    client = portal_app.test_client()
    plain = client.get("/static/css/portal.css", buffered=True)
    packed = client.get("/static/css/portal.css", headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"]
    again = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    unchanged = client.get("/static/css/portal.css", headers=again, buffered=True)
    assert unchanged.status_code == 304
    assert "Accept-Encoding" in unchanged.headers["Vary"]
