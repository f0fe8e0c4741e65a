"""The operators' pages in a real browser: nobody is shut out, and decisions need no script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.models import ActorKind
from portal.services.journal import Cause
from portal.wiring import services
from tests.browser import attentive_page, fresh_profile, look_at
from tests.services.stand_in import StandIn, signed
from tests.web.operator.conftest import NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor

RUN = "/operator/payouts/run"

Show = Callable[[Page, str], Page]


@pytest.fixture
def show(olga: Visitor, served_portal: str) -> Show:
    """Opens a page of the portal as Olga."""

    return lambda page, path: olga.opens(page, served_portal, path)


def test_every_page_is_for_everybody(
    page: Page, show: Show, waiting: str, ada: Partner, new_partner: NewPartner, stand_in: Flask
) -> None:
    new_partner("Bartholomäus-Maximilian von und zu Hohenstaufen-Lichtenfels")
    StandIn(stand_in).lets_make(accounts_v1=False)
    assert new_partner("refused").post("/stripe/onboarding").status == 409
    ada.meet("restrict")
    event = StandIn(stand_in).events("account.updated")[-1]
    body, signature = signed(event, at=ada.clock.real_now())
    with ada.app.app_context():
        services().stripe_events.receive(body, signature)
        run_id = services().requested_runs.request(cause=Cause(ActorKind.operator, None, "a test")).id
        services().webhook_self_tests.request(cause=Cause(ActorKind.operator, None, "a test"))
        services().webhook_self_tests.do_waiting()
    for _ in range(12):
        assert ada.app.test_client().post("/webhooks/stripe", data=b"{}").status_code == 400
        ada.clock.advance(seconds=1)
    for name, path in {
        "overview": "/operator/",
        "queue": "/operator/payouts?status=requested",
        "payout": f"/operator/payouts/{waiting}",
        "affiliates": "/operator/affiliates",
        "affiliate": f"/operator/affiliates/{ada.row().code}",
        "webhooks": "/operator/webhooks",
        "event": f"/operator/webhooks/{event['id']}",
        "audit": "/operator/audit",
        "verification": "/operator/verification",
        "verification-run": f"/operator/verification/{run_id}",
        "block": f"/operator/affiliates/{ada.row().code}/block",
        "tokens": "/operator/tokens",
    }.items():
        show(page, path)
        for closed in page.locator("main details > summary").all():
            closed.click()
        look_at(page, f"operator-{name}")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_request_is_approved_from_the_overview_with_and_without_scripts(
    chromium_process: Browser, show: Show, waiting: str, javascript: bool
) -> None:
    with fresh_profile(chromium_process, javascript=javascript) as context, attentive_page(context) as page:
        show(page, "/operator/")
        page.get_by_role("link", name="Waiting for approval").click()
        page.get_by_role("link", name="P-").click()
        page.get_by_role("button", name="Approve $412.50").click()
        expect(page.locator("div[data-payout-id]")).to_have_attribute("data-payout-status", "approved")
        expect(page.get_by_role("alert").filter(has_text="is approved")).to_be_visible()
        page.get_by_role("link", name="Audit").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Audit trail")


def test_the_pages_of_payout_runs_are_for_everybody(
    page: Page, show: Show, olga: Visitor, waiting: str, new_partner: NewPartner, portal_app: Flask
) -> None:
    for number, name in enumerate(("bartholomaus-maximilian-von-und-zu-hohenstaufen", "cleo"), start=2):
        partner = new_partner(name)
        partner.set_up()
        partner.earn(1_234_500, reference=f"order-{number}")
        requested(partner)
    look_at(show(page, RUN), "operator-run-empty")
    olga.post(f"/operator/payouts/{waiting}/approve")
    show(page, RUN)
    look_at(page, "operator-run-preview")
    page.get_by_role("button", name="Send 1 payout").click()
    expect(page.locator("#error-summary")).to_contain_text("Type the total: 412.50")
    look_at(page, "operator-run-refused")
    page.get_by_label("Type the total").fill("412.50")
    page.get_by_role("button", name="Send 1 payout").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Payout run of")
    look_at(page, "operator-run-waiting")
    with portal_app.app_context():
        services().payout_runs.do_waiting()
    page.reload()
    look_at(page, "operator-run-finished")
    look_at(show(page, RUN), "operator-run-nothing-left")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_run_is_confirmed_and_followed_with_and_without_scripts(
    chromium_process: Browser, show: Show, olga: Visitor, waiting: str, portal_app: Flask, javascript: bool
) -> None:
    olga.post(f"/operator/payouts/{waiting}/approve")
    with fresh_profile(chromium_process, javascript=javascript) as context, attentive_page(context) as page:
        show(page, "/operator/")
        page.get_by_role("link", name="Look at the next run").click()
        page.get_by_label("Type the total").fill("412.50")
        page.keyboard.press("Enter")
        expect(page.locator("#run")).to_have_attribute("data-run-state", "going-on")
        with portal_app.app_context():
            services().payout_runs.do_waiting()
        if not javascript:
            page.get_by_role("link", name="See how far it is now").click()
        expect(page.locator("#run")).to_have_attribute("data-run-state", "finished")
        expect(page.locator("#run")).not_to_have_attribute("hx-get", re.compile("."))
        if javascript:
            expect(page.locator("#live")).to_have_text("The run is finished: 1 of 1 sent.")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_block_shows_what_they_will_read_before_it_is_done(
    chromium_process: Browser, show: Show, ada: Partner, javascript: bool
) -> None:
    with fresh_profile(chromium_process, javascript=javascript) as context, attentive_page(context) as page:
        show(page, f"/operator/affiliates/{ada.row().code}")
        page.get_by_role("link", name="Block this affiliate").click()
        page.get_by_role("button", name="See what they will read").click()
        expect(page.locator("#error-summary")).to_contain_text("Say why")
        page.get_by_label("Reason").fill("A look at the orders.")
        page.get_by_label("Message to the affiliate").fill("We are checking <b>your</b> orders.")
        page.get_by_role("button", name="See what they will read").click()
        expect(page.locator("[data-they-read]")).to_contain_text("We are checking <b>your</b> orders.")
        assert not ada.row().is_blocked
        page.get_by_role("button", name="Block ").click()
        expect(page.locator("[data-gate]")).to_have_text("“Your account is on hold. Please contact support.”")
        assert ada.row().is_blocked


def test_the_overview_looks_again_each_minute_and_speaks_only_of_what_is_new(
    page: Page, show: Show, ada: Partner, portal_app: Flask
) -> None:
    ada.set_up()
    page.clock.install()
    show(page, "/operator/")
    link = page.get_by_role("link", name="Blocked affiliates")
    link.focus()
    with page.expect_response(lambda answer: "seen=" in answer.url and answer.status == 204):
        page.clock.fast_forward("01:01")
    expect(page.locator("#live")).to_be_empty()
    with portal_app.app_context():
        services().affiliates.block(ada.row().code, message="", cause=Cause.system("a test"))
    page.clock.fast_forward("01:01")
    expect(page.locator("[data-need=blocked] .amount")).to_have_text("1")
    expect(page.locator("#live")).to_have_text("What needs a person has changed.")
    expect(link).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_token_is_gone_once_its_page_is_left(
    chromium_process: Browser, show: Show, javascript: bool
) -> None:
    with fresh_profile(chromium_process, javascript=javascript) as context, attentive_page(context) as page:
        show(page, "/operator/tokens")
        page.get_by_label("Name").fill("shop")
        page.get_by_label("Read payouts").check()
        page.get_by_role("button", name="Make token").click()
        token = page.locator("[data-once]").inner_text()
        page.get_by_role("link", name="I have copied it").click()
        expect(page.get_by_role("rowheader", name="shop")).to_be_visible()
        page.go_back()
        assert token not in page.content()
        show(page, "/operator/tokens")
        page.get_by_role("button", name="Revoke shop").click()
        expect(page.get_by_role("alert").get_by_text("shop opens nothing any more.")).to_be_visible()
