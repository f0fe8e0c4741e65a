"""What operators see first, and who gets to see it."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.models import ReconciliationPass
from portal.services.journal import Cause
from portal.services.notifications import Notifications
from portal.services.sending_switch import SendingSwitch
from portal.wiring import services, session
from tests.clocks import MovableClock
from tests.web.access.journey import signed_in_as
from tests.web.operator.conftest import NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

PAGES = (
    "/operator/",
    "/operator/affiliates",
    "/operator/affiliates.csv",
    "/operator/payouts",
    "/operator/payouts.csv",
    "/operator/webhooks",
    "/operator/audit",
    "/operator/audit.csv",
    "/operator/verification",
    "/operator/reconciliation",
    "/operator/tokens",
)


def count(page: Page, name: str) -> str:
    return page.html.one("li", data_need=name).one("p", class_="amount").text


@pytest.mark.parametrize("path", PAGES)
def test_an_operators_page_is_not_there_for_others_and_asks_strangers_to_sign_in(
    olga: Visitor, ada: Partner, portal_app: Flask, path: str
) -> None:
    assert olga.get(path).status == 200
    assert ada.get(path).status == 404
    response = portal_app.test_client().get(path)
    assert (response.status_code, response.location) == (303, f"/login?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_sees_every_page_and_no_form_that_changes_anything(viewer: Visitor, path: str) -> None:
    page = viewer.get(path)
    assert page.status == 200
    forms = [form.attributes["action"] for form in page.html.all("form", method="post")]
    assert set(forms) <= {"/logout"}


def test_an_operator_who_is_no_affiliate_lands_on_the_overview(olga: Visitor) -> None:
    assert olga.get("/").location == "/dashboard"
    assert olga.get("/dashboard").location == "/operator/"


def test_an_operator_who_is_an_affiliate_too_lands_on_the_dashboard_with_a_link_to_the_overview(
    ada: Partner, portal_app: Flask
) -> None:
    assert not ada.get("/dashboard").html.all("a", href="/operator/")
    with portal_app.app_context():
        services().access.add_operator("sandbox", "ada", cause=Cause.system("a test"))
    page = ada.get("/dashboard")
    assert page.status == 200
    assert page.html.one("nav", aria_label="Main").one("a", href="/operator/").text == "Operator"


def test_every_page_leads_to_every_other_and_marks_where_one_is(olga: Visitor) -> None:
    words = [link.text for link in olga.get("/operator/").html.one("nav", aria_label="Main").all("a")]
    assert words == [
        "Overview",
        "Affiliates",
        "Payout queue",
        "Payout run",
        "Webhooks",
        "Verification",
        "Reconciliation",
        "Audit",
        "Tokens",
    ]
    for path in PAGES:
        if path.endswith(".csv"):
            continue
        nav = olga.get(path).html.one("nav", aria_label="Main")
        assert nav.one("a", aria_current="page").attributes["href"].startswith(path)


def test_with_nothing_to_do_the_overview_says_so(olga: Visitor) -> None:
    page = olga.get("/operator/")
    assert "Nothing needs you." in page.said
    assert count(page, "requested") == "0"


def test_a_request_that_waits_shows_in_number_sum_and_age_and_leads_to_the_queue(
    olga: Visitor, waiting: str
) -> None:
    page = olga.get("/operator/")
    assert "Nothing needs you." not in page.said
    card = page.html.one("li", data_need="requested")
    assert count(page, "requested") == "1"
    assert card.one("data").attributes["value"] == "41250"
    assert "The oldest since" in card.text
    queue = olga.get(card.one("a").attributes["href"])
    assert queue.html.one("tr", data_payout_id=None).attributes["data-payout-id"] == waiting


def test_affiliates_who_need_somebody_are_counted_and_a_link_away(
    olga: Visitor, new_partner: NewPartner, portal_app: Flask, clock: MovableClock
) -> None:
    stuck, restricted, blocked = (new_partner(name) for name in ("stuck", "restricted", "blocked"))
    stuck.set_up("review")
    restricted.set_up("restrict")
    restricted.earn(5_000, days_ago=1)
    with portal_app.app_context():
        services().affiliates.block(blocked.row().code, message="", cause=Cause.system("a test"))
    assert count(olga.get("/operator/"), "stuck") == "0"
    clock.advance(days=8)
    olga.client = signed_in_as(portal_app, "olga")
    page = olga.get("/operator/")
    for name, partner in (("stuck", stuck), ("restricted", restricted), ("blocked", blocked)):
        assert count(page, name) == "1"
        found = olga.get(page.html.one("li", data_need=name).one("a").attributes["href"])
        rows = found.html.all("tr", data_affiliate_code=None)
        assert [row.attributes["data-affiliate-code"] for row in rows] == [partner.row().code]


def test_accounts_that_stripe_refuses_to_make_come_with_an_instruction_until_it_helped(
    olga: Visitor, new_partner: NewPartner, clock: MovableClock
) -> None:
    ben = new_partner("ben")
    rules = ben.stand_in.test_client()
    rules.post("/sandbox/api/platform", json={"accounts_v1": False})
    assert ben.post("/stripe/onboarding").status == 409
    page = olga.get("/operator/")
    assert "Nothing needs you" not in page.said
    assert "Set STRIPE_ACCOUNTS_API=v2" in page.html.one("p", data_refusal="v1_is_off").text
    told = page.html.one("section", aria_labelledby="refused-title")
    assert "Stripe no longer recommends Accounts v1" in told.text
    assert ben.row().code in olga.get(told.one("a").attributes["href"]).said
    rules.post("/sandbox/api/platform", json={})
    assert ben.post("/stripe/onboarding").status == 303
    assert olga.get("/operator/").html.all("p", data_refusal=None) == []


def test_a_night_without_verification_is_called_missed(
    olga: Visitor, portal_app: Flask, clock: MovableClock
) -> None:
    nightly = olga.get("/operator/").html.one("dd", data_health="nightly")
    assert nightly.text == "Not due yet"
    clock.advance(hours=27)
    olga.client = signed_in_as(portal_app, "olga")
    nightly = olga.get("/operator/").html.one("dd", data_health="nightly")
    assert "Missed" in nightly.text


def test_mail_that_waits_for_long_is_said_beside_the_other_signs_of_health(
    olga: Visitor, ada: Partner, portal_app: Flask, clock: MovableClock
) -> None:
    with portal_app.app_context():
        code = services().affiliates.get(ada.id).code
        services().affiliates.block(code, message="", cause=Cause.system("a test"))
    assert olga.get("/operator/").html.one("dd", data_health="mail").text == "Nothing waits"
    clock.advance(hours=1, seconds=1)
    shown = olga.get("/operator/").html.one("dd", data_health="mail").text
    assert "waiting for over an hour, 0 not delivered in the last 7 days" in shown


def test_a_halt_stands_above_everything_with_its_reason(olga: Visitor, portal_app: Flask) -> None:
    with portal_app.app_context():
        clock = services().clock
        notifications = Notifications(session, clock=clock, operators=services().access)
        SendingSwitch(session, clock=clock, notifications=notifications).halt("Two transfers for one payout.")
    page = olga.get("/operator/")
    banner = page.html.one(class_="banner tone--rejected").text
    assert "Sending is stopped" in banner
    assert "Two transfers for one payout." in banner


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:50000")
def test_what_is_approved_for_a_wallet_waits_for_a_person_and_not_for_a_run(
    olga: Visitor, ada: Partner
) -> None:
    wallet = {"preferred_payout_type": "crypto", "wallet_address": "0x" + "ab" * 20}
    assert ada.post("/payouts/preferences", wallet).status == 303
    ada.earn(5_000)
    requested(ada)
    page = olga.get("/operator/")
    assert count(page, "by-hand") == "1"
    assert "$50.00 to wallets" in page.said
    assert "Nothing is waiting for it at the moment." in page.said


def poll(page: Page) -> str:
    return page.html.one(id="cards").attributes["hx-get"]


def test_the_cards_look_again_by_themselves_and_say_once_that_something_changed(
    olga: Visitor, ada: Partner, new_partner: NewPartner, waiting: str
) -> None:
    page = olga.get("/operator/")
    assert page.html.one(id="cards").attributes["hx-trigger"] == "every 60s"
    assert olga.ask(poll(page)).status == 204
    cleo = new_partner("cleo")
    cleo.set_up()
    cleo.earn(20_000, reference="order-2")
    requested(cleo)
    change = olga.ask(poll(page))
    assert count(change, "requested") == "2"
    assert change.html.one(id="live").text == "What needs a person has changed."
    assert not change.html.all("h1")
    assert olga.ask(poll(change)).status == 204


def test_what_changes_without_needing_anybody_is_shown_and_not_announced(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    page = olga.get("/operator/")
    with portal_app.app_context():
        services().verification.run(trigger="timetable")
    change = olga.ask(poll(page))
    assert change.status == 200
    assert not change.html.all(id="live")


def test_a_difference_between_books_and_stripe_has_a_card(olga: Visitor, portal_app: Flask) -> None:
    with portal_app.app_context():
        now = services().clock.now()
        with session().begin():
            session().add(
                ReconciliationPass(
                    since_at=now, started_at=now, finished_at=now, ours=1, others=0, settled=0, accepted=0,
                    is_clean=False, differences=[{"kind": "transfer", "id": "tr_1", "message": "Nobody's."}],
                )
            )  # fmt: skip
    page = olga.get("/operator/")
    assert count(page, "differences") == "1"
    assert page.html.one(id="need-differences").attributes["href"] == "/operator/reconciliation"


def test_a_page_that_looks_again_by_itself_keeps_nobody_signed_in(olga: Visitor, clock: MovableClock) -> None:
    look = poll(olga.get("/operator/"))
    for _ in range(2):
        clock.advance(hours=11)
        assert olga.ask(look).status in {200, 204}
    clock.advance(hours=3)
    assert olga.ask(look).status == 401
