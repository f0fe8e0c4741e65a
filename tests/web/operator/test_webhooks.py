"""The event log, and having an event worked on again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.domain.webhooks import fingerprint
from portal.jobs.work import do_webhook_self_tests
from portal.models import EventState, WebhookEvent
from portal.services.stripe_events import TRIES_BEFORE_PARKED
from portal.wiring import db, services
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.services.stand_in import StandIn, signed
from tests.web.access.journey import signed_in_as
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

LOG = "/operator/webhooks"
SECRETS = TEST_SETTINGS["STRIPE_WEBHOOK_SECRETS"].split(",")


@pytest.fixture
def event_id(ada: Partner, stand_in: Flask) -> str:
    """The newest event about Ada's account, received and not yet worked on."""
    ada.set_up()
    ada.meet("restrict")
    event = StandIn(stand_in).events("account.updated")[-1]
    body, signature = signed(event, at=ada.clock.real_now())
    with ada.app.app_context():
        assert services().stripe_events.receive(body, signature)
    return str(event["id"])


def work(app: Flask) -> None:
    with app.app_context():
        services().stripe_events.process_due()


def states(page: Page) -> dict[str, str]:
    return {
        row.attributes["data-event-id"]: row.attributes["data-event-state"]
        for row in page.html.all("tr", data_event_id=None)
    }


def state(page: Page) -> str:
    return page.html.one("section", data_event_id=None).attributes["data-event-state"]


def test_an_event_shows_what_it_is_about_and_what_it_did(
    olga: Visitor, ada: Partner, portal_app: Flask, event_id: str
) -> None:
    assert states(olga.get(LOG)) == {event_id: "received"}
    work(portal_app)
    assert states(olga.get(LOG)) == {event_id: "processed"}
    page = olga.get(f"{LOG}/{event_id}")
    assert page.heading == "account.updated"
    assert "verified → restricted" in page.said
    assert page.html.one("a", href=f"/operator/affiliates/{ada.row().code}").text == ada.row().code


def test_replaying_has_it_worked_on_again_from_what_stripe_says_then_and_is_written_down(
    olga: Visitor, ada: Partner, portal_app: Flask, event_id: str
) -> None:
    work(portal_app)
    ada.meet("approve")
    path = f"{LOG}/{event_id}"
    page = olga.send(olga.get(path), f"{path}/replay")
    assert (page.status, page.location) == (303, path)
    waiting = olga.get(path)
    assert state(waiting) == "received"
    assert "Operator olga" in waiting.said
    work(portal_app)
    after = olga.get(path)
    assert state(after) == "processed"
    assert "restricted → verified" in after.said


def test_replaying_twice_is_one_replay(olga: Visitor, portal_app: Flask, event_id: str) -> None:
    work(portal_app)
    for _ in range(2):
        assert olga.post(f"{LOG}/{event_id}/replay").status == 303
    lines = olga.get("/operator/audit?action=event.replayed").html.one("tbody").all("tr")
    assert len(lines) == 1


def test_an_event_that_could_not_be_worked_on_waits_for_a_person_who_replays_it(
    olga: Visitor, ada: Partner, portal_app: Flask, clock: MovableClock, event_id: str
) -> None:
    StandIn(ada.stand_in).fault("401", path="/v1/accounts", method="GET", times=500)
    for _ in range(TRIES_BEFORE_PARKED):
        work(portal_app)
        clock.advance(hours=2)
    olga.client = signed_in_as(portal_app, "olga")
    assert states(olga.get(f"{LOG}?state=parked")) == {event_id: "parked"}
    assert olga.get("/operator/").html.one("li", data_need="parked").one("p").text == "1"
    StandIn(ada.stand_in).comes_back()
    olga.post(f"{LOG}/{event_id}/replay")
    work(portal_app)
    assert state(olga.get(f"{LOG}/{event_id}")) == "processed"
    assert states(olga.get(f"{LOG}?state=parked")) == {}


def test_the_log_is_filtered_and_goes_on_page_by_page(
    olga: Visitor, ada: Partner, stand_in: Flask, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [each for each in StandIn(stand_in).events() if each["id"] != event_id][:4]
    with ada.app.app_context():
        for event in others:
            body, signature = signed(event, at=ada.clock.real_now())
            services().stripe_events.receive(body, signature)
    everything = states(olga.get(LOG))
    assert len(everything) == 5
    only = states(olga.get(f"{LOG}?type=account.updated"))
    kinds = {each["id"]: each["type"] for each in StandIn(stand_in).events()}
    assert only.keys() == {each for each in everything if kinds[each] == "account.updated"}
    assert states(olga.get(f"{LOG}?account=acct_other")) == {}
    monkeypatch.setattr("portal.web.operator.webhooks.PAGE_ROWS", 2)
    seen: list[str] = []
    page = olga.get(LOG)
    for _ in range(3):
        seen += states(page)
        page = olga.get(page.html.one("nav", aria_label="Pages").all("a")[-1].attributes["href"])
    assert sorted(seen) == sorted(everything)


@pytest.mark.parametrize("query", ["state=lost", "past=!!", "past=YQ", "past=" + "A" * 900, "account=%07"])
def test_a_filter_that_is_none_is_refused(olga: Visitor, query: str) -> None:
    assert olga.get(f"{LOG}?{query}").status == 422


@pytest.mark.parametrize("event_id", ["evt_unknown", "%00", "x" * 400])
def test_an_event_that_is_not_there_is_404(olga: Visitor, event_id: str) -> None:
    assert olga.get(f"{LOG}/{event_id}").status == 404
    assert olga.post(f"{LOG}/{event_id}/replay").status == 404


def test_a_viewer_replays_nothing(viewer: Visitor, portal_app: Flask, event_id: str) -> None:
    work(portal_app)
    assert viewer.post(f"{LOG}/{event_id}/replay").status == 403
    page = viewer.get(f"{LOG}/{event_id}")
    assert state(page) == "processed"
    assert not page.html.all("form", action=f"{LOG}/{event_id}/replay")


def test_the_newest_event_of_each_scope_stands_on_the_overview(
    olga: Visitor, portal_app: Flask, event_id: str
) -> None:
    page = olga.get("/operator/")
    assert page.html.one("dd", data_health="account-events").all("time")
    assert page.html.one("dd", data_health="platform-events").text == "None yet"


def test_what_no_webhook_brought_is_named(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    assert "What no webhook brought" not in olga.get(LOG).said
    with ada.app.app_context():
        tally = services().event_backfills.run()
    page = olga.get(LOG)
    assert page.said.count("found by backfill") == tally.stored > 0
    (row,) = page.html.one("section", id="backfills").all("tr")[1:]
    assert [cell.text for cell in row.all("td", class_="number")] == [str(tally.seen), str(tally.stored), "0"]
    overview = olga.get("/operator/")
    assert f"{tally.stored} in the last day" in overview.html.one("dd", data_health="missed-events").text
    # that something was found says nothing of the webhooks
    assert overview.html.one("dd", data_health="account-events").text == "None yet"


def test_all_that_failed_are_replayed_by_one_button(
    olga: Visitor, viewer: Visitor, portal_app: Flask, event_id: str
) -> None:
    with portal_app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.update(WebhookEvent).values(state=EventState.parked))
    assert viewer.post(f"{LOG}/replay-failed").status == 403
    page = olga.send(olga.get(LOG), f"{LOG}/replay-failed")
    assert (page.status, page.location) == (303, LOG)
    assert states(olga.get(LOG)) == {event_id: "received"}
    assert not olga.get(LOG).html.all("form", action=f"{LOG}/replay-failed")
    assert "Operator olga" in olga.get(f"{LOG}/{event_id}").said


def test_the_page_says_what_is_heard_and_what_was_refused(
    olga: Visitor, portal_app: Flask, clock: MovableClock, event_id: str
) -> None:
    for _ in range(12):
        portal_app.test_client().post("/webhooks/stripe", data=b"{}")
    page = olga.get(LOG)
    used, unused = (page.html.one("dd", data_secret=fingerprint(each)) for each in SECRETS)
    assert "Connected accounts" in used.text
    assert unused.text == "Never used"
    assert page.html.one("dd", data_scope="accounts").all("time")
    assert page.html.one("dd", data_scope="platform").text == "None yet"
    assert not page.html.all("dd", data_refused="bad_signature")  # not written yet
    clock.advance(seconds=1)
    page = olga.get(LOG)
    assert page.html.one("dd", data_refused="bad_signature").text == "12"
    assert "Rising" in page.said
    assert "Far more webhooks than usual" in olga.get("/operator/").said
    assert not olga.get(f"{LOG}?state=parked").html.all("dd", data_scope="accounts")


@pytest.mark.settings(PORTAL_BASE_URL="http://127.0.0.1:9")
def test_a_self_test_is_asked_for_once_and_told_once_it_is_done(
    olga: Visitor, viewer: Visitor, portal_app: Flask
) -> None:
    assert viewer.post(f"{LOG}/self-test").status == 403
    asked: list[None] = []
    with portal_app.app_context():
        services().sweep_soon = lambda: asked.append(None)
    for _ in range(2):
        page = olga.send(olga.get(LOG), f"{LOG}/self-test")
        assert (page.status, page.location) == (303, LOG)
    assert asked
    assert olga.get(LOG).html.all("p", data_self_test="waiting")
    with portal_app.app_context():
        assert do_webhook_self_tests(services()) == 1
    done = olga.get(LOG)
    assert done.html.all("p", data_self_test="done")
    assert "Nobody answered at" in done.said
    assert len(olga.get("/operator/audit?action=webhooks.self_test_asked").html.one("tbody").all("tr")) == 1
