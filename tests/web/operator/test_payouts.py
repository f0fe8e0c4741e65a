"""The queue, one payout, and what operators decide about it."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.operator.conftest import NewOperator, NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

QUEUE = "/operator/payouts?status=requested"


def at(payout_id: str, move: str = "") -> str:
    return f"/operator/payouts/{payout_id}{move and '/'}{move}"


def status(page: Page) -> str:
    return page.html.one("div", data_payout_id=None).attributes["data-payout-status"]


def ids(page: Page) -> list[str]:
    return [row.attributes["data-payout-id"] for row in page.html.all("tr", data_payout_id=None)]


def several(new_partner: NewPartner, count: int = 3) -> list[str]:
    """Requests of several affiliates, oldest first."""
    found = []
    for number in range(count):
        partner = new_partner(f"partner-{number}")
        partner.set_up()
        partner.earn(10_000 + number, reference=f"order-{number}")
        found.append(requested(partner))
    return found


def test_the_queue_begins_with_the_oldest_and_the_list_of_all_with_the_newest(
    olga: Visitor, new_partner: NewPartner
) -> None:
    oldest_first = several(new_partner)
    assert ids(olga.get(QUEUE)) == oldest_first
    assert ids(olga.get("/operator/payouts")) == oldest_first[::-1]


def test_long_lists_go_on_where_the_page_before_ended(
    olga: Visitor, new_partner: NewPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest_first = several(new_partner)
    monkeypatch.setattr("portal.web.operator.payouts.PAGE_ROWS", 2)
    for path, expected in ((QUEUE, oldest_first), ("/operator/payouts", oldest_first[::-1])):
        page = olga.get(path)
        assert ids(page) == expected[:2]
        links = page.html.one("nav", aria_label="Pages").all("a")
        assert ids(olga.get(links[-1].attributes["href"])) == expected[2:]


def test_a_payout_is_found_by_its_reference_and_by_its_affiliate(
    olga: Visitor, new_partner: NewPartner, waiting: str, ada: Partner
) -> None:
    several(new_partner, 1)
    reference = olga.get(at(waiting)).heading.removeprefix("Payout ")
    assert ids(olga.get(f"/operator/payouts?reference={reference}")) == [waiting]
    assert ids(olga.get(f"/operator/payouts?affiliate={ada.row().code}")) == [waiting]
    assert "No payouts match" in olga.get("/operator/payouts?affiliate=nobody").said


@pytest.mark.parametrize(
    "query", ["status=stolen", "reference=abc", "before=x", "affiliate=%00", "reference=P-" + "9" * 30]
)
def test_a_filter_that_is_none_is_refused(olga: Visitor, query: str) -> None:
    assert olga.get(f"/operator/payouts?{query}").status == 422


def test_approving_moves_the_payout_and_says_who_did_it(olga: Visitor, waiting: str) -> None:
    page = olga.send(olga.get(at(waiting)), at(waiting, "approve"))
    assert (page.status, page.location) == (303, at(waiting))
    after = olga.get(at(waiting))
    assert status(after) == "approved"
    assert "is approved" in after.html.one(role="alert", class_="banner tone--verified").text
    assert "Operator olga" in after.said
    assert not after.html.all("form", action=at(waiting, "approve"))


def test_what_somebody_decided_already_is_409_and_says_who_and_when(
    olga: Visitor, new_operator: NewOperator, waiting: str
) -> None:
    stale = olga.get(at(waiting))
    sam = new_operator("sam")
    sam.send(sam.get(at(waiting)), at(waiting, "reject"), reason="The order was refunded.")
    page = olga.send(stale, at(waiting, "approve"))
    assert page.status == 409
    assert "was declined by sam on " in page.problems[0]
    assert status(page) == "rejected"


def test_declining_needs_words_for_the_affiliate_who_then_reads_them(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    form = olga.get(at(waiting))
    refused = olga.send(form, at(waiting, "reject"), reason="  ")
    assert refused.status == 422
    assert refused.problems == ["Say why; the affiliate reads it."]
    assert status(refused) == "requested"
    assert olga.send(form, at(waiting, "reject"), reason="The order was refunded.").status == 303
    assert "Declined: The order was refunded." in ada.get(f"/payouts/{waiting}").said


@pytest.mark.parametrize("reason", ["x" * 501, "a\x00b", "line\nline"])
def test_a_reason_that_cannot_be_kept_is_refused_at_the_field_and_stays_as_typed(
    olga: Visitor, waiting: str, reason: str
) -> None:
    page = olga.post(at(waiting, "reject"), {"reason": reason})
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#reason"
    assert status(page) == "requested"


def test_canceling_gives_the_money_back_and_a_second_time_changes_nothing(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    assert olga.send(olga.get(at(waiting)), at(waiting, "cancel"), reason="Asked for by mail.").status == 303
    assert status(olga.get(at(waiting))) == "canceled"
    assert olga.post(at(waiting, "cancel")).status == 303
    assert "$412.50" in ada.get("/dashboard").html.one("dd", data_balance="available").text
    assert "Asked for by mail." in ada.get(f"/payouts/{waiting}").said


def test_what_was_sent_can_be_neither_declined_nor_canceled(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    olga.post(at(waiting, "approve"))
    ada.pays()
    assert status(olga.get(at(waiting))) == "paid"
    for move in ("approve", "reject", "cancel"):
        page = olga.post(at(waiting, move), {"reason": "Too late."})
        assert page.status == 409
        assert status(page) == "paid"


def test_every_attempt_is_shown_with_its_key_and_what_stripe_answered(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    assert "Nothing was sent to Stripe yet." in olga.get(at(waiting)).said
    olga.post(at(waiting, "approve"))
    ada.is_away("/v1/transfers", times=1)
    ada.pays()
    row = olga.get(at(waiting)).html.one("tr", data_attempt_state=None)
    assert row.attributes["data-attempt-state"] == "open"
    assert "without a clear answer" in row.text
    ada.clock.advance(minutes=5)
    ada.pays()
    page = olga.get(at(waiting))
    row = page.html.one("tr", data_attempt_state=None)
    assert row.attributes["data-attempt-state"] == "succeeded"
    assert any(code.text.startswith("tr_") for code in row.all("code"))


def test_nobody_approves_their_own_payout(ada: Partner, portal_app: Flask, waiting: str) -> None:
    with portal_app.app_context():
        services().access.add_operator("sandbox", "ada", cause=Cause.system("a test"))
    page = ada.get(at(waiting))
    assert "Nobody approves their own payout." in page.said
    assert not page.html.all("form", action=at(waiting, "approve"))
    refused = ada.post(at(waiting, "approve"))
    assert refused.status == 409
    assert status(refused) == "requested"


def test_who_cannot_be_paid_cannot_be_approved_and_the_page_says_why_in_their_words(
    olga: Visitor, ada: Partner, portal_app: Flask, waiting: str
) -> None:
    with portal_app.app_context():
        services().affiliates.block(ada.row().code, message="", cause=Cause.system("a test"))
    sentence = "Your account is on hold. Please contact support."
    assert sentence in olga.get(QUEUE).html.one("tr", data_payout_id=None).text
    page = olga.get(at(waiting))
    assert sentence in page.said
    assert not page.html.all("form", action=at(waiting, "approve"))
    assert olga.post(at(waiting, "approve")).status == 409


@pytest.mark.settings(PORTAL_SECOND_APPROVAL_LIMIT="usd:30000")
def test_a_large_payout_asks_two_operators_and_says_at_each_step_who_is_missing(
    olga: Visitor, new_operator: NewOperator, waiting: str
) -> None:
    page = olga.get(at(waiting))
    assert "Two operators must approve this amount." in page.said
    assert olga.send(page, at(waiting, "approve")).status == 303
    after = olga.get(at(waiting))
    assert status(after) == "requested"
    assert "You have approved it. Another operator must approve it too." in after.said
    assert not after.html.all("form", action=at(waiting, "approve"))
    assert olga.post(at(waiting, "approve")).problems == [
        "You have approved this already. Ask another operator to approve it too."
    ]
    sam = new_operator("sam")
    page = sam.get(at(waiting))
    assert "olga has approved it. It needs a second approval." in page.said
    assert sam.send(page, at(waiting, "approve")).status == 303
    assert status(sam.get(at(waiting))) == "approved"


def test_what_waits_for_stripe_is_hurried_and_what_was_sent_is_not(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    olga.send(olga.get(at(waiting)), at(waiting, "approve"))
    assert not olga.get(at(waiting)).html.all("form", action=at(waiting, "retry"))
    ada.is_away("/v1/transfers")
    ada.pays()
    page = olga.get(at(waiting))
    assert status(page) == "processing"
    assert olga.send(page, at(waiting, "retry")).status == 303
    after = olga.get(at(waiting))
    assert "is taken up by the next run" in after.html.one(role="alert", class_="banner tone--info").text
    assert "Retry asked for" in after.said
    ada.stand_in.test_client().delete("/sandbox/api/faults")
    ada.pays()
    late = olga.send(page, at(waiting, "retry"))
    assert (late.status, status(late)) == (409, "paid")
    assert "was sent by the portal on " in late.problems[0]


def test_a_payout_to_a_wallet_is_noted_as_paid_with_its_reference(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    page = ada.get("/payouts/preferences")
    changes = {"preferred_payout_type": "crypto", "wallet_address": "0x" + "12" * 20}
    assert ada.send(page, "/payouts/preferences", **changes).status == 303
    ada.earn(41_250)
    wallet = requested(ada)
    page = olga.get(at(wallet))
    assert not page.html.all("form", action=at(wallet, "mark-paid"))
    assert "Pay it by hand" in olga.get(olga.send(page, at(wallet, "approve")).location).said
    page = olga.get(at(wallet))
    empty = olga.send(page, at(wallet, "mark-paid"), reference=" ")
    assert (empty.status, empty.problems) == (422, ["Give what the payment is found by."])
    assert olga.send(page, at(wallet, "mark-paid"), reference="0xfeed").status == 303
    after = olga.get(at(wallet))
    assert status(after) == "paid"
    assert "0xfeed" in after.said
    again = olga.send(page, at(wallet, "mark-paid"), reference="0xdead")
    assert again.status == 409


def test_a_viewer_looks_and_decides_nothing(viewer: Visitor, waiting: str) -> None:
    page = viewer.get(at(waiting))
    assert page.status == 200
    assert not [form for form in page.html.all("form") if waiting in form.attributes["action"]]
    for move in ("approve", "reject", "cancel", "retry", "mark-paid"):
        assert viewer.post(at(waiting, move), {"reason": "No.", "reference": "0x"}).status == 403
    assert status(viewer.get(at(waiting))) == "requested"


def test_affiliates_and_strangers_decide_nothing(ada: Partner, portal_app: Flask, waiting: str) -> None:
    for move in ("approve", "reject", "cancel", "retry", "mark-paid"):
        assert ada.post(at(waiting, move), {"reason": "Yes.", "reference": "0x"}).status == 404
        assert portal_app.test_client().post(at(waiting, move)).location == "/login"


def test_a_payout_that_is_not_there_is_404(olga: Visitor) -> None:
    nobodys = "00000000-0000-7000-8000-000000000000"
    assert olga.get(at(nobodys)).status == 404
    assert olga.post(at(nobodys, "approve")).status == 404
    assert olga.get(at("not-an-id")).status == 404


def test_the_csv_holds_every_payout_of_the_filter_in_minor_units(
    olga: Visitor, ada: Partner, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = olga.get("/operator/payouts.csv")
    assert page.response.content_type == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(page.response.text))
    assert (row["id"], row["affiliate_code"], row["status"]) == (waiting, ada.row().code, "requested")
    assert (row["amount"], row["currency"], row["transfer_id"]) == ("41250", "usd", "")
    assert len(olga.get("/operator/payouts.csv?status=paid").response.text.splitlines()) == 1


def test_the_csv_goes_on_beyond_what_is_read_at_once(
    olga: Visitor, new_partner: NewPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = several(new_partner)
    monkeypatch.setattr("portal.web.csv_files.BATCH_ROWS", 2)
    monkeypatch.setattr("portal.web.operator.payouts.BATCH_ROWS", 2)
    rows = csv.DictReader(io.StringIO(olga.get("/operator/payouts.csv").response.text))
    assert [row["id"] for row in rows] == expected[::-1]
