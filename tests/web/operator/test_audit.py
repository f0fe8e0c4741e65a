"""The audit trail, the verification runs and the tokens, as operators read them."""

from __future__ import annotations

import ast
import csv
import io
from datetime import timedelta

import pytest
from flask import Flask

from portal.jobs.work import everything_due
from portal.models import ActorKind
from portal.services.journal import Cause
from portal.web.operator.words import ACTION_WORDS
from portal.wiring import services
from tests.house.tree import python_files
from tests.web.access.journey import signed_in_as
from tests.web.pages.conftest import Partner
from tests.web.pages.markup import Element
from tests.web.pages.visitor import Page, Visitor

AUDIT, VERIFICATION = "/operator/audit", "/operator/verification"


def lines(page: Page) -> list[Element]:
    return [row for body in page.html.all("tbody") for row in body.all("tr")]


def test_every_change_is_there_with_who_what_whose_from_to_and_why(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    olga.post(f"/operator/payouts/{waiting}/reject", {"reason": "The order was refunded."})
    newest = lines(olga.get(AUDIT))[0]
    assert "Operator olga" in newest.text
    assert "requested → to rejected" in newest.text
    assert "The order was refunded." in newest.text
    assert "request:" in newest.text
    assert newest.one("a").attributes["href"] == f"/operator/payouts/{waiting}"


def test_everything_that_is_written_down_has_words_of_its_own() -> None:
    named = {
        keyword.value.value
        for path in python_files("portal/services")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "action" and isinstance(keyword.value, ast.Constant)
    }
    assert "payout.status_changed" in named
    assert not named - set(ACTION_WORDS)


def test_the_trail_is_filtered_by_who_what_and_day(olga: Visitor, ada: Partner, waiting: str) -> None:
    olga.post(f"/operator/payouts/{waiting}/approve")
    (only,) = lines(olga.get(f"{AUDIT}?actor=operator"))
    assert "requested → to approved" in only.text
    assert all("Payout moved" in row.text for row in lines(olga.get(f"{AUDIT}?action=payout.status_changed")))
    today = ada.clock.now().date()
    assert lines(olga.get(f"{AUDIT}?from={today}&to={today}"))
    assert not lines(olga.get(f"{AUDIT}?to={today - timedelta(days=1)}"))
    assert not lines(olga.get(f"{AUDIT}?from={today + timedelta(days=1)}"))
    assert len(lines(olga.get(f"{AUDIT}?subject=payout&id={waiting}"))) == 2


@pytest.mark.parametrize(
    "query", ["actor=ghost", "from=yesterday", "to=2026-13-01", "to=9999-12-31", "action=%00", "before=-1"]
)
def test_a_filter_that_is_none_is_refused(olga: Visitor, query: str) -> None:
    assert olga.get(f"{AUDIT}?{query}").status == 422


def test_the_trail_goes_on_page_by_page(olga: Visitor, waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [row.text for row in lines(olga.get(AUDIT))]
    monkeypatch.setattr("portal.web.operator.audit.PAGE_ROWS", 3)
    page, seen = olga.get(AUDIT), list[str]()
    while page.html.all("nav", aria_label="Pages") and len(seen) < len(whole):
        seen += [row.text for row in lines(page)]
        page = olga.get(page.html.one("nav", aria_label="Pages").all("a")[-1].attributes["href"])
    assert seen[: len(whole)] == whole


def test_the_trail_as_a_file_holds_the_same_rows(olga: Visitor, waiting: str) -> None:
    olga.post(f"/operator/payouts/{waiting}/reject", {"reason": "=HYPERLINK(1)"})
    rows = [*csv.DictReader(io.StringIO(olga.get(f"{AUDIT}.csv").response.text))]
    assert len(rows) == len(lines(olga.get(AUDIT)))
    assert (rows[0]["from"], rows[0]["to"], rows[0]["actor"]) == ("requested", "rejected", "olga")
    assert rows[0]["reason"] == "'=HYPERLINK(1)"


def test_a_run_that_is_asked_for_asks_stripe_nothing_until_the_worker_does_it(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    ada.set_up()
    ada.meet("restrict")
    page = olga.send(olga.get(VERIFICATION), f"{VERIFICATION}/run")
    assert page.status == 303
    assert page.location.startswith(f"{VERIFICATION}/")
    (row,) = lines(olga.get(VERIFICATION))
    assert "An operator" in row.text
    assert "Not finished" in row.text
    assert ada.row().stripe_account_status == "verified"
    with portal_app.app_context():
        assert everything_due(services())
    (row,) = lines(olga.get(VERIFICATION))
    assert "Finished in" in row.text
    assert [cell.text for cell in row.all("td", class_="number")] == ["1", "1", "1", "0"]
    assert ada.row().stripe_account_status == "restricted"


def test_pressed_again_while_a_run_is_not_finished_it_is_the_same_run(
    olga: Visitor, portal_app: Flask
) -> None:
    for _ in range(2):
        assert olga.post(f"{VERIFICATION}/run").status == 303
    assert len(lines(olga.get(VERIFICATION))) == 1
    with portal_app.app_context():
        services().requested_runs.do_waiting()
    olga.post(f"{VERIFICATION}/run")
    assert len(lines(olga.get(VERIFICATION))) == 2


def test_who_is_pending_for_a_week_is_named_with_what_is_missing(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    ada.set_up("review")
    assert "Pending for more than 7 days" not in olga.get(VERIFICATION).said
    ada.clock.advance(days=7)
    olga.client = signed_in_as(portal_app, "olga")
    item = olga.get(VERIFICATION).html.one("li", data_affiliate_code=ada.row().code)
    assert "reviewing" in item.text
    assert item.one("code").text


def test_a_viewer_starts_no_run(viewer: Visitor) -> None:
    assert viewer.post(f"{VERIFICATION}/run").status == 403
    assert "No run yet." in viewer.get(VERIFICATION).said


def test_tokens_are_listed_with_what_they_may_and_without_what_opens_the_door(
    olga: Visitor, portal_app: Flask
) -> None:
    cause = Cause(ActorKind.shell, None, "a test")
    with portal_app.app_context():
        token = services().access.create_token("shop", ["payouts:read"], cause=cause)
        services().access.create_token("old", cause=cause)
        services().access.revoke_token("old", cause=cause)
    page = olga.get("/operator/tokens")
    rows = {row.one("th").text: row.text for row in lines(page)}
    assert "payouts:read" in rows["shop"]
    assert "In use" in rows["shop"]
    assert "Everything" in rows["old"]
    assert "Revoked" in rows["old"]
    assert token not in page.response.text
    assert token[8:] not in page.response.text
