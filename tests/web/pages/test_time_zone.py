"""Times on pages are in the zone of whoever reads them, and say so; what machines read stays in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask, g
from playwright.sync_api import Browser, expect

from portal.models import Affiliate
from portal.web.rendering import day_text, time_text, utc_day_text
from portal.wiring import db
from tests.browser import attentive_page, look_at
from tests.web.pages.conftest import Open, Partner
from tests.web.pages.visitor import Page

PATH, NEW, ALL = "/settings", "/payouts/new", "/payouts"

#: 31 December, 20:30 UTC: another day, month and year in India already.
LATE = datetime(2031, 12, 31, 20, 30, tzinfo=UTC)


@pytest.fixture
def reader(portal_app: Flask) -> Iterator[None]:
    """Somebody who reads, so far in UTC."""
    with portal_app.app_context():
        yield


@pytest.fixture
def indian(ada: Partner) -> Partner:
    """Verified, with $412.50, and half an hour off at that."""
    ada.clock.set(LATE)
    ada.sign_in()
    ada.set_up()
    ada.earn(41_250)
    assert ada.send(ada.get(PATH), PATH, time_zone="Asia/Kolkata").status == 303
    return ada


def foot(page: Page) -> str:
    return page.html.one("footer").text


@pytest.mark.parametrize(
    ("zone", "moment", "words"),
    [
        # the night to 26 October 2031, in which Berlin's clocks go back at 01:00 UTC
        ("Europe/Berlin", datetime(2031, 10, 26, 0, 30, tzinfo=UTC), "26 Oct 2031, 02:30 CEST"),
        ("Europe/Berlin", datetime(2031, 10, 26, 1, 30, tzinfo=UTC), "26 Oct 2031, 02:30 CET"),
        # and the one to 30 March, in which an hour is missing
        ("Europe/Berlin", datetime(2031, 3, 30, 0, 59, tzinfo=UTC), "30 Mar 2031, 01:59 CET"),
        ("Europe/Berlin", datetime(2031, 3, 30, 1, 0, tzinfo=UTC), "30 Mar 2031, 03:00 CEST"),
        ("Asia/Kolkata", LATE, "1 Jan 2032, 02:00 IST"),
        ("Asia/Kathmandu", LATE, "1 Jan 2032, 02:15 UTC+5:45"),
        ("America/St_Johns", LATE, "31 Dec 2031, 17:00 NST"),
        ("Pacific/Kiritimati", LATE, "1 Jan 2032, 10:30 UTC+14"),
        (None, LATE, "31 Dec 2031, 20:30 UTC"),
        ("Gone/With_The_Data", LATE, "31 Dec 2031, 20:30 UTC"),
    ],
)
def test_a_moment_is_written_as_the_clocks_there_show_it(
    reader: None, zone: str | None, moment: datetime, words: str
) -> None:
    g.time_zone = zone
    assert time_text(moment) == words
    assert day_text(moment) == words.split(",", maxsplit=1)[0]
    assert utc_day_text(moment) == f"{moment.day} {moment:%b %Y}"


def test_every_page_names_its_zone_and_shows_all_its_times_in_it(indian: Partner) -> None:
    payout = indian.send(indian.get(NEW), ALL, amount="50.00").location
    for path in ("/dashboard", payout, ALL, "/earnings", NEW, PATH, "/payouts/preferences"):
        page = indian.get(path)
        assert foot(page).endswith(
            "Times are in Asia/Kolkata. Months of earnings and statements are in UTC."
        ), path
        for element in page.html.one("main").all("time"):
            machine = element.attributes["datetime"]
            moment = datetime.strptime(machine, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
            there = moment + timedelta(hours=5, minutes=30)
            day = f"{there.day} {there:%b %Y}"
            assert element.text in {day, f"{day}, {there:%H:%M} IST"}, path
        assert path == PATH or " UTC" not in page.said, path
    assert "Times are in Asia/Kolkata." in foot(indian.get("/nowhere"))
    assert "1 Jan 2032, 02:00 IST" in indian.get(payout).said


def test_whoever_has_chosen_nothing_reads_utc_and_so_does_who_is_not_signed_in(
    ada: Partner, indian: Partner
) -> None:
    assert foot(indian.get("/login")).endswith("Times are in UTC.")
    indian.send(indian.get(PATH), PATH, time_zone="UTC")
    assert foot(indian.get("/dashboard")).endswith("Times are in UTC.")
    assert indian.row().time_zone is None


def test_the_list_opens_where_it_was_left_and_a_wrong_name_is_said_at_the_field(indian: Partner) -> None:
    def chosen(page: Page) -> list[str]:
        options = page.html.one("select", id="time_zone").all("option")
        return [each.attributes.get("value", each.text) for each in options if "selected" in each.attributes]

    assert chosen(indian.get(PATH)) == ["Asia/Kolkata"]
    indian.post(PATH, {"time_zone": "US/Pacific"})  # an older name, which is not in the list
    assert chosen(indian.get(PATH)) == ["US/Pacific"]
    page = indian.post(PATH, {"name": "Eve", "time_zone": "Mars/<b>Base"})
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#time_zone"
    assert "Choose a time zone from the list." in page.html.one(id="time_zone-error").text
    assert chosen(page) == ["Mars/<b>Base"]
    assert (indian.row().name, indian.row().time_zone) == ("ada", "US/Pacific")


def test_a_name_that_the_data_no_longer_has_is_utc_and_breaks_no_page(indian: Partner) -> None:
    with indian.app.app_context():
        db.session.execute(sa.update(Affiliate).values(time_zone="Gone/With_The_Data"))
        db.session.commit()
    for path in ("/dashboard", PATH, ALL):
        assert foot(indian.get(path)).endswith("Times are in UTC.")


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per hour")
def test_a_refusal_that_names_a_time_names_it_as_the_page_does(
    indian: Partner,
) -> None:
    payout = indian.send(indian.get(NEW), ALL, amount="50.00").location.partition("?")[0]
    indian.pays()
    page = indian.post(ALL, {"request_key": "another"})
    assert page.problems == ["Too many payout requests. You can ask again on 1 Jan 2032, 03:00 IST."]
    assert "on 1 Jan 2032, 03:00 IST." in indian.get(f"{NEW}?amount=50.00").said
    late = indian.post(f"{payout}/cancel")
    assert "was sent by the portal on 1 Jan 2032, 02:00 IST;" in late.problems[0]


def test_a_day_to_look_for_begins_where_its_reader_is(indian: Partner) -> None:
    indian.send(indian.get(NEW), ALL, amount="50.00")
    for query, is_found in [("from=2032-01-01", True), ("to=2031-12-31", False)]:
        assert ("P-1001" in indian.get(f"{ALL}?{query}").said) is is_found
        assert ("P-1001" in indian.get(f"{ALL}.csv?{query}").response.text) is is_found
    assert indian.get(f"{ALL}?to=9999-12-31").status == 422
    assert indian.get(f"{ALL}?from=0001-01-01").status == 422


def test_files_and_statements_stay_in_utc(indian: Partner) -> None:
    indian.send(indian.get(NEW), ALL, amount="50.00")
    indian.pays()
    assert "2031-12-31T20:30:00Z" in indian.get(f"{ALL}.csv").response.text
    page = indian.get("/statements/2031-12")
    (sent,) = [row for row in page.html.all("tr", role="row") if "Payout sent" in row.text]
    assert sent.one("time").text == "31 Dec 2031"
    assert "Days in UTC." in page.said


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin"])
def test_the_browsers_own_zone_is_one_press_away(
    ada: Partner, chromium_process: Browser, served_portal: str, zone: str
) -> None:
    context = chromium_process.new_context(timezone_id=zone, viewport={"width": 390, "height": 900})
    ada.goes_on_in(context, served_portal)
    with attentive_page(context) as page:
        page.goto(f"{served_portal}/dashboard")
        page.get_by_role("link", name="Settings", exact=True).click()
        offered = re.compile("^Use (Asia|Europe)")
        look_at(page, f"time-zone-{zone.partition('/')[0]}")
        page.get_by_role("button", name=offered).click()
        expect(page.get_by_label("Time zone")).to_have_value(
            page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        )
        expect(page.get_by_label("Time zone")).to_be_focused()
        expect(page.get_by_role("button", name=offered)).to_be_hidden()
        page.get_by_role("button", name="Save settings").click()
        expect(page.locator("footer")).to_contain_text(re.compile("Times are in (Asia|Europe)"))
        expect(page.get_by_role("button", name=offered)).to_be_hidden()
    context.close()


def test_nothing_is_offered_where_the_browsers_zone_is_chosen_already(ada: Partner, opened: Open) -> None:
    page = opened(ada, PATH)
    expect(page.get_by_label("Time zone")).to_have_value("UTC")
    expect(page.locator("#own-time-zone")).to_be_hidden()
