"""Earnings by month: the drawing, the sentence and the table say the same, however far back one looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser import look_at
from tests.web.pages.conftest import Open, Partner
from tests.web.pages.markup import Element


def earn_in(partner: Partner, month: int, amount: int, *, year: int = 2031) -> None:
    partner.clock.set(datetime(year, month, 5, tzinfo=UTC))
    partner.sign_in()
    partner.earn(amount, reference=f"order-{year}-{month}")


@pytest.fixture
def ana(ada: Partner) -> Partner:
    """Has earned $500 in June 2029, and in 2031 $100 in January, $25 in March and $50 in June, the running month."""
    for year, month, amount in [(2029, 6, 50_000), (2031, 1, 10_000), (2031, 3, 2_500), (2031, 6, 5_000)]:
        earn_in(ada, month, amount, year=year)
    return ada


def rows(chart: Element) -> list[tuple[str, str]]:
    return [(row.one("th").text, row.one("data").attributes["value"]) for row in chart.one("tbody").all("tr")]


def heights(chart: Element) -> list[int]:
    return [int(bar.attributes["height"]) for bar in chart.all("rect")]


def test_at_first_the_drawing_and_the_table_show_the_same_twelve_months(ana: Partner) -> None:
    chart = ana.get("/dashboard").html.one("figure")
    assert rows(chart)[:6] == [
        ("June 2031", "5000"), ("May 2031", "0"), ("April 2031", "0"), ("March 2031", "2500"),
        ("February 2031", "0"), ("January 2031", "10000"),
    ]  # fmt: skip
    assert len(rows(chart)) == 12
    assert heights(chart) == [100, 25, 50]
    assert "$175.00 in the last 12 months, after refunds. Most in January 2031: $100.00." in chart.text


@pytest.mark.parametrize(
    ("wanted", "months", "sentence"),
    [
        ("3m", 3, "$50.00 in the last 3 months, after refunds. Most in June 2031: $50.00."),
        ("12m", 12, "$175.00 in the last 12 months, after refunds. Most in January 2031: $100.00."),
        ("all", 25, "$675.00 in all months together, after refunds. Most in June 2029: $500.00."),
    ],
)
def test_each_range_is_a_page_of_its_own_and_a_part_that_says_what_changed(
    ana: Partner, wanted: str, months: int, sentence: str
) -> None:
    page, part = ana.get(f"/dashboard?range={wanted}"), ana.ask(f"/dashboard/chart?range={wanted}").html
    for chart in (page.html.one("figure"), part.one("figure")):
        assert len(rows(chart)) == months
        assert sum(int(amount) for _, amount in rows(chart)) == int(
            chart.one("figcaption").all("data")[0].attributes["value"]
        )
        assert sentence in chart.text
        assert chart.one("a", aria_current=None).attributes["id"] == f"chart-{wanted}"
    assert part.one(id="live").text == sentence
    assert ana.get(f"/dashboard/chart?range={wanted}").location == f"/dashboard?range={wanted}#chart"


def test_a_range_that_there_is_not_is_said(ana: Partner) -> None:
    for path in ("/dashboard", "/dashboard/chart"):
        page = ana.get(f"{path}?range=5y")
        assert page.status == 422
        assert "There is no such filter. Choose one of: 3m, 12m, all." in page.said


def test_where_nothing_was_earned_there_is_no_chart(ada: Partner) -> None:
    assert not ada.get("/dashboard").html.all("figure")
    assert ada.ask("/dashboard/chart").response.headers["HX-Redirect"] == "/dashboard#chart"


def test_in_a_browser_the_range_changes_in_place_and_the_way_back_leads_back(
    ana: Partner, opened: Open
) -> None:
    page = opened(ana, "/dashboard")
    page.get_by_role("link", name="All months").click()
    expect(page.locator("#live")).to_contain_text("in all months together")
    expect(page.get_by_role("link", name="All months")).to_be_focused()
    expect(page.locator("figure rect")).to_have_count(4)
    assert page.url.endswith("/dashboard?range=all")
    look_at(page, "dashboard-all-months")
    page.go_back()
    expect(page.locator("#chart-12m")).to_have_attribute("aria-current", "true")
