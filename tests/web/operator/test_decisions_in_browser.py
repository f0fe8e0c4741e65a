"""Several payouts decided at once in a real browser, with and without scripts, while another operator is faster."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.services.journal import Cause
from portal.wiring import services
from tests.browser import attentive_page, fresh_profile, look_at
from tests.web.operator.conftest import NewOperator, NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor

QUEUE = "/operator/payouts?status=requested"


@pytest.fixture
def partners(new_partner: NewPartner) -> list[Partner]:
    """Four affiliates who wait for $100.00, $100.01 and so on."""
    made = [new_partner(name) for name in ("ana", "ben", "cleo", "bartholomaus-von-und-zu-hohenstaufen")]
    for number, partner in enumerate(made):
        partner.set_up()
        partner.earn(10_000 + number, reference=f"order-{number}")
        requested(partner)
    return made


def block(app: Flask, partner: Partner) -> None:
    with app.app_context():
        services().affiliates.block(partner.row().code, message="", cause=Cause.system("a test"))


def declines_anas(page: Page, *, javascript: bool) -> None:
    page.get_by_role("checkbox", name="ana, $100.00").check()
    if javascript:
        expect(page.locator("#selection")).to_have_text("1 selected, $100.00")
    page.get_by_role("button", name="Decline…").click()
    page.get_by_role("button", name="Decline 1 payout").click()
    expect(page.locator("#error-summary")).to_contain_text("Say why; the affiliates read it.")
    page.get_by_label("Reason").fill("The order was refunded.")
    page.get_by_role("button", name="Decline 1 payout").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 declined")


@pytest.mark.parametrize("javascript", [True, False])
def test_many_are_approved_and_the_ineligible_and_the_stale_are_named(
    chromium_process: Browser,
    olga: Visitor,
    new_operator: NewOperator,
    partners: list[Partner],
    portal_app: Flask,
    served_portal: str,
    javascript: bool,
) -> None:
    block(portal_app, partners[1])
    with (
        fresh_profile(chromium_process, javascript=javascript) as hers,
        attentive_page(hers) as page,
        fresh_profile(chromium_process, javascript=javascript) as his,
        attentive_page(his) as other,
    ):
        olga.opens(page, served_portal, QUEUE)
        page.get_by_role("link", name="Select all eligible on this page (3)").click()
        expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
        page.get_by_role("checkbox", name="ben, $100.01").check()
        if javascript:
            expect(page.locator("#selection")).to_have_text("4 selected, $400.06")
        page.get_by_role("button", name="Approve…").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Approve 3 payouts")
        expect(page.locator("[data-list=skipped]")).to_contain_text("Your account is on hold.")

        new_operator("sam").opens(other, served_portal, QUEUE)
        declines_anas(other, javascript=javascript)

        page.get_by_role("button", name="Approve 3 payouts").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 approved, 1 skipped")
        expect(page.locator("[data-list=skipped]")).to_contain_text("was declined by sam on ")
        result = page.url
        page.reload()
        page.goto(served_portal + QUEUE)
        expect(page.get_by_role("checkbox")).to_have_count(1)
        page.goto(result)
        expect(page.get_by_role("heading", level=1)).to_have_text("2 approved, 1 skipped")


def test_the_preview_sent_again_by_going_back_is_not_done_again(
    page: Page, olga: Visitor, partners: list[Partner], served_portal: str
) -> None:
    olga.opens(page, served_portal, QUEUE)
    page.get_by_role("checkbox", name="ana").check()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Yes, cancel 1 payout").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 canceled")
    page.go_back()
    expect(page.get_by_text("was canceled by olga on ")).to_be_visible()


def test_boxes_are_ticked_and_the_list_is_confirmed_by_keyboard(
    page: Page, olga: Visitor, partners: list[Partner], served_portal: str
) -> None:
    olga.opens(page, served_portal, QUEUE)
    page.get_by_role("checkbox", name="cleo").focus()
    page.keyboard.press("Space")
    expect(page.locator("#selection")).to_have_text("1 selected, $100.02")
    expect(page.get_by_role("checkbox", name="cleo")).to_be_focused()
    page.get_by_role("button", name="Approve…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Approve 1 payout").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 approved")


def test_the_pages_of_decisions_are_for_everybody(
    page: Page, olga: Visitor, partners: list[Partner], portal_app: Flask, served_portal: str
) -> None:
    block(portal_app, partners[1])
    olga.opens(page, served_portal, QUEUE)
    for box in page.get_by_role("checkbox").all():
        box.check()
    expect(page.locator("#selection")).to_have_text("4 selected, $400.06")
    look_at(page, "operator-queue-selected")
    page.get_by_role("button", name="Decline…").click()
    page.get_by_role("button", name="Decline 4 payouts").click()
    expect(page.locator("#error-summary")).to_be_focused()
    look_at(page, "operator-decline-refused")
    page.goto(served_portal + QUEUE)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Approve…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve 3 payouts")
    look_at(page, "operator-approve-preview")
    block(portal_app, partners[2])
    page.get_by_role("button", name="Approve 3 payouts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 approved, 1 skipped")
    look_at(page, "operator-decision")
