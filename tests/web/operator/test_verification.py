"""One verification run on its page: what it found and why, and how far it is."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.wiring import services
from tests.clocks import MovableClock
from tests.services.stand_in import StandIn, signed
from tests.web.access.journey import signed_in_as
from tests.web.operator.conftest import NewPartner
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

VERIFICATION = "/operator/verification"


def rows(page: Page) -> dict[str, str]:
    """What stands beside each affiliate."""
    return {row.one("th").text: row.text for row in page.html.all("tr", data_finding=None)}


def state(page: Page) -> str:
    return page.html.one(id="verification").attributes["data-run-state"]


def announced(partner: Partner, app: Flask, stand_in: Flask) -> None:
    """The newest event about the account has come in, and nobody has worked on it."""
    event = StandIn(stand_in).events("account.updated")[-1]
    with app.app_context():
        services().stripe_events.receive(*signed(event, at=partner.clock.real_now()))


def do(app: Flask) -> None:
    with app.app_context():
        services().requested_runs.do_waiting()


def test_each_change_is_named_with_why_and_whether_a_webhook_was_missed(
    olga: Visitor, new_partner: NewPartner, portal_app: Flask, stand_in: Flask, clock: MovableClock
) -> None:
    lost, told, gone = (new_partner(name) for name in ("lost", "told", "gone"))
    for partner in (lost, told, gone):
        partner.set_up()
    clock.advance(minutes=1)
    lost.meet("restrict")
    told.meet("restrict")
    announced(told, portal_app, stand_in)
    run = olga.post(f"{VERIFICATION}/run").location
    StandIn(stand_in).fault(
        "400_saved", path=f"/v1/accounts/{gone.row().stripe_account_id}", method="GET", times=9
    )
    do(portal_app)
    page = olga.get(run)
    found = rows(page)
    assert state(page) == "finished"
    assert found.keys() == {partner.row().code for partner in (lost, told, gone)}
    assert "verified restricted" in found[lost.row().code]
    assert "Webhook missed" in found[lost.row().code]
    assert "The affiliate has to give Stripe something." in found[lost.row().code]
    assert "verified restricted" in found[told.row().code]
    assert "Webhook missed" not in found[told.row().code]
    assert "Stripe did not show it" in found[gone.row().code]
    assert olga.get(VERIFICATION).html.all("a", href=run)


def test_where_stripe_is_away_each_who_was_asked_for_in_vain_is_named(
    olga: Visitor, ada: Partner, portal_app: Flask, stand_in: Flask
) -> None:
    ada.set_up()
    StandIn(stand_in).fault("500_before", path="/v1/accounts", method="GET", times=500)
    run = olga.post(f"{VERIFICATION}/run").location
    do(portal_app)
    assert "Stripe gave no answer" in rows(olga.get(run))[ada.row().code]


def test_a_poll_answers_204_until_something_happens_and_stops_by_itself(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    ada.set_up()
    run = olga.post(f"{VERIFICATION}/run").location
    page = olga.get(run)
    assert state(page) == "going-on"
    assert "0 of 1 accounts done" in page.said
    poll = page.html.one(id="verification").attributes["hx-get"]
    assert olga.ask(poll).status == 204
    do(portal_app)
    change = olga.ask(poll)
    assert state(change) == "finished"
    assert "hx-get" not in change.html.one(id="verification").attributes
    assert change.html.one(id="live").text.startswith("The verification is finished: 0 changed")
    assert "1 of 1 accounts done" in change.said


def test_pressed_again_it_leads_to_the_run_that_is_not_finished(olga: Visitor, portal_app: Flask) -> None:
    first, second = (olga.post(f"{VERIFICATION}/run").location for _ in range(2))
    assert first == second
    do(portal_app)
    assert olga.post(f"{VERIFICATION}/run").location != first


def test_a_run_of_which_nothing_is_heard_any_more_is_not_waited_for(
    olga: Visitor, ada: Partner, portal_app: Flask, clock: MovableClock
) -> None:
    ada.set_up()
    run = olga.post(f"{VERIFICATION}/run").location
    clock.advance(hours=1)
    olga.client = signed_in_as(portal_app, "olga")
    page = olga.get(run)
    assert state(page) == "left"
    assert "hx-get" not in page.html.one(id="verification").attributes


def test_a_long_list_goes_on_page_by_page(
    olga: Visitor, new_partner: NewPartner, portal_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = [new_partner(name) for name in ("a", "b", "c")]
    for partner in partners:
        partner.set_up()
        partner.meet("restrict")
    with portal_app.app_context():
        run = services().verification.run(trigger="timetable")
    monkeypatch.setattr("portal.web.operator.verification.PAGE_ROWS", 2)
    page = olga.get(f"{VERIFICATION}/{run.id}")
    first = rows(page)
    following = page.html.one("nav", aria_label="Pages").all("a")[-1].attributes["href"]
    second = rows(olga.get(following))
    assert (len(first), len(second)) == (2, 1)
    assert first.keys() | second.keys() == {partner.row().code for partner in partners}


@pytest.mark.parametrize("run_id", ["0190b6f0-0000-7000-8000-000000000000", "none", "x" * 500])
def test_a_run_that_is_not_there_is_404(olga: Visitor, run_id: str) -> None:
    assert olga.get(f"{VERIFICATION}/{run_id}").status == 404
