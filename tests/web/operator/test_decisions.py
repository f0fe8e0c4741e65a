"""Several payouts of the queue decided at once: what is selected, the preview, and the result that stays."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.operator.conftest import NewOperator, NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

QUEUE = "/operator/payouts?status=requested"
BULK = "/operator/payouts/bulk"
NOBODYS = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def partners(new_partner: NewPartner) -> list[Partner]:
    made = [new_partner(f"partner-{number}") for number in range(3)]
    for number, partner in enumerate(made):
        partner.set_up()
        partner.earn(41_250 + number, reference=f"order-{number}")
    return made


@pytest.fixture
def ids(partners: list[Partner]) -> list[str]:
    """Requests of three affiliates, oldest first: $412.50, $412.51, $412.52."""
    return [requested(partner) for partner in partners]


def block(app: Flask, partner: Partner) -> None:
    with app.app_context():
        services().affiliates.block(partner.row().code, message="", cause=Cause.system("a test"))


def preview(visitor: Visitor, action: str, ids: list[str]) -> Page:
    return visitor.get(BULK, query_string={"action": action, "payout": ids})


def listed(page: Page, which: str) -> list[str]:
    return [
        row.attributes["data-payout-id"]
        for section in page.html.all("section", data_list=which)
        for row in section.all("tr", data_payout_id=None)
    ]


def confirm(visitor: Visitor, page: Page, **changes: str) -> Page:
    """Press the preview's button; a form of several payouts has one field for each."""
    form = page.html.one("form", action=BULK)
    fields = {each.attributes["name"]: each.attributes["value"] for each in form.all("input", name=None)}
    ids = [each.attributes["value"] for each in form.all("input", name="payout")]
    return visitor.post(BULK, {**fields, "payout": ids, **changes})


def now(visitor: Visitor, ids: list[str]) -> list[str]:
    pages = [visitor.get(f"/operator/payouts/{each}") for each in ids]
    return [page.html.one("div", data_payout_id=None).attributes["data-payout-status"] for page in pages]


def test_every_row_has_a_box_that_says_whose_and_how_much(olga: Visitor, ids: list[str]) -> None:
    page = olga.get(QUEUE)
    boxes = page.html.all("input", name="payout")
    assert [box.attributes["value"] for box in boxes] == ids
    label = page.html.one("label", for_=boxes[0].attributes["id"]).text
    assert re.fullmatch(r"Select P-\d+, partner-0, \$412\.50", label)
    assert not page.html.all("input", name="payout", checked=None)


def test_all_that_can_be_approved_is_selected_by_a_link(
    olga: Visitor, portal_app: Flask, partners: list[Partner], ids: list[str]
) -> None:
    block(portal_app, partners[1])
    (link,) = [each for each in olga.get(QUEUE).html.all("a") if each.text.startswith("Select all")]
    assert link.text == "Select all eligible on this page (2)"
    page = olga.get(link.attributes["href"])
    checked = page.html.all("input", name="payout", checked=None)
    assert [box.attributes["value"] for box in checked] == [ids[0], ids[2]]


def test_the_bar_says_how_many_and_how_much(olga: Visitor, ids: list[str]) -> None:
    query = "&".join(f"payout={each}" for each in ids)
    assert olga.ask(f"/operator/payouts/selection?{query}").said == "3 selected, $1,237.53"
    nothing = "Select payouts to decide about several at once."
    assert olga.ask("/operator/payouts/selection").said == nothing
    assert olga.get("/operator/payouts/selection").location == QUEUE


def test_a_preview_names_the_eligible_and_the_skipped_and_changes_nothing(
    olga: Visitor, portal_app: Flask, partners: list[Partner], ids: list[str]
) -> None:
    block(portal_app, partners[1])
    page = preview(olga, "approve", ids)
    assert (page.status, page.heading) == (200, "Approve 2 payouts")
    assert listed(page, "eligible") == [ids[0], ids[2]]
    assert listed(page, "skipped") == [ids[1]]
    assert "Your account is on hold." in page.html.one("section", data_list="skipped").text
    assert "$825.02" in page.said
    sent = page.html.one("form", action=BULK).all("input", name="payout")
    assert [each.attributes["value"] for each in sent] == [ids[0], ids[2]]
    assert now(olga, ids) == ["requested"] * 3


def test_one_became_ineligible_after_the_preview_and_the_result_names_it(
    olga: Visitor, portal_app: Flask, partners: list[Partner], ids: list[str]
) -> None:
    form = preview(olga, "approve", ids)
    block(portal_app, partners[1])
    answer = confirm(olga, form)
    assert answer.status == 303
    assert answer.location.startswith(BULK + "/")
    result = olga.get(answer.location)
    assert result.heading == "2 approved, 1 skipped"
    assert listed(result, "skipped") == [ids[1]]
    assert "can't be paid at the moment" in result.html.one("section", data_list="skipped").text
    assert listed(result, "done") == [ids[0], ids[2]]
    assert "By olga" in result.said
    assert now(olga, ids) == ["approved", "requested", "approved"]


def test_a_stale_selection_is_skipped_with_who_did_it(
    olga: Visitor, new_operator: NewOperator, ids: list[str]
) -> None:
    stale = preview(olga, "approve", ids)
    sam = new_operator("sam")
    confirm(sam, preview(sam, "reject", ids[:1]), reason="The order was refunded.")
    result = olga.get(confirm(olga, stale).location)
    assert result.heading == "2 approved, 1 skipped"
    assert "was declined by sam on " in result.said
    again = preview(olga, "approve", ids)
    assert not again.html.all("form", action=BULK)
    assert "was approved by olga on " in again.said
    assert "; nothing is left to approve." in again.said
    assert "None of these can be approved." in again.said


def test_the_form_sent_twice_is_one_decision_and_its_page_stays(
    olga: Visitor, new_operator: NewOperator, ids: list[str]
) -> None:
    form = preview(olga, "approve", ids[:2])
    first, second = confirm(olga, form), confirm(olga, form)
    assert first.location == second.location
    for visitor in (olga, olga, new_operator("sam")):
        assert visitor.get(first.location).heading == "2 approved"
    assert now(olga, ids) == ["approved", "approved", "requested"]


def test_declining_many_needs_words_which_everyone_of_them_reads(
    olga: Visitor, partners: list[Partner], ids: list[str]
) -> None:
    form = preview(olga, "reject", ids)
    refused = confirm(olga, form, reason="  ")
    assert (refused.status, refused.problems) == (422, ["Say why; the affiliates read it."])
    assert listed(refused, "eligible") == ids
    assert now(olga, ids) == ["requested"] * 3
    result = olga.get(confirm(olga, refused, reason="The orders were refunded.").location)
    assert result.heading == "3 declined"
    for partner, each in zip(partners, ids, strict=True):
        assert "Declined: The orders were refunded." in partner.get(f"/payouts/{each}").said


def test_canceling_many_takes_back_what_is_approved_too(olga: Visitor, ids: list[str]) -> None:
    confirm(olga, preview(olga, "approve", ids[:1]))
    page = olga.get("/operator/payouts?status=approved")
    assert [box.attributes["value"] for box in page.html.all("input", name="payout")] == ids[:1]
    assert "Select all" not in page.said
    result = olga.get(confirm(olga, preview(olga, "cancel", ids[:2])).location)
    assert result.heading == "2 canceled"
    assert now(olga, ids) == ["canceled", "canceled", "requested"]


@pytest.mark.settings(PORTAL_SECOND_APPROVAL_LIMIT="usd:41251")
def test_a_large_one_among_them_waits_for_another_operator(
    olga: Visitor, new_operator: NewOperator, ids: list[str]
) -> None:
    form = preview(olga, "approve", ids)
    assert "First of two approvals" in form.said
    result = olga.get(confirm(olga, form).location)
    assert result.heading == "2 approved, 1 given the first of two approvals"
    sam = new_operator("sam")
    assert sam.get(confirm(sam, preview(sam, "approve", ids[2:])).location).heading == "1 approved"


def test_with_nothing_selected_the_queue_says_so(olga: Visitor) -> None:
    answer = olga.get(f"{BULK}?action=approve")
    assert (answer.status, answer.location) == (303, QUEUE)
    assert "Select at least one payout first." in olga.get(QUEUE).said


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (f"action=steal&payout={NOBODYS}", "Choose one of: approve, mark_paid, retry, reject, cancel."),
        ("action=approve&payout=me", "That is no payout's id."),
        (f"action=approve&payout={NOBODYS}", "One of these payouts does not exist."),
        (
            "action=approve" + "".join(f"&payout={NOBODYS[:-2]}{n}" for n in range(10, 61)),
            "at most 50 payouts",
        ),
    ],
)
def test_what_is_no_selection_is_refused(olga: Visitor, query: str, words: str) -> None:
    page = olga.get(f"{BULK}?{query}")
    assert page.status == 422
    assert words in page.said


@pytest.mark.parametrize("key", ["", "again", "1" * 500])
def test_a_form_without_a_key_of_ours_does_nothing(olga: Visitor, ids: list[str], key: str) -> None:
    page = confirm(olga, preview(olga, "approve", ids), request_key=key)
    assert page.status == 422
    assert page.problems == ["This form is out of date. Open it again and send it once more."]
    assert now(olga, ids) == ["requested"] * 3


def test_a_form_without_its_token_does_nothing(olga: Visitor, ids: list[str]) -> None:
    form = {"action": "approve", "payout": ids, "request_key": NOBODYS}
    assert olga.client.post(BULK, data=form).status_code == 400
    assert now(olga, ids) == ["requested"] * 3


def test_a_viewer_looks_and_decides_nothing(viewer: Visitor, ids: list[str]) -> None:
    page = viewer.get(QUEUE)
    assert not page.html.all("input", name="payout")
    assert "Select all" not in page.said
    assert not preview(viewer, "approve", ids).html.all("form", action=BULK)
    form: dict[str, str | list[str]] = {"action": "approve", "payout": ids, "request_key": NOBODYS}
    assert viewer.post(BULK, form).status == 403
    assert now(viewer, ids) == ["requested"] * 3


def test_for_affiliates_and_strangers_there_is_nothing(ada: Partner, portal_app: Flask) -> None:
    for path in (BULK, f"{BULK}/{NOBODYS}", "/operator/payouts/selection"):
        assert ada.get(path).status == 404
        assert portal_app.test_client().get(path).location.startswith("/login")
    assert ada.post(BULK).status == 404


def test_a_decision_that_is_not_there_is_404(olga: Visitor) -> None:
    assert olga.get(f"{BULK}/{NOBODYS}").status == 404
