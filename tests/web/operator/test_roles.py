"""What operators of each role see: buttons for what they may do, and otherwise who may."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.operator.conftest import NewOperator
from tests.web.pages.conftest import Partner

MONEY = "Approving payouts and declining payouts take the role approver or admin."


@pytest.mark.parametrize(
    ("role", "acts", "words"),
    [
        ("viewer", set(), f"Canceling a payout takes the role operator, approver or admin. {MONEY} Yours is viewer."),
        ("operator", {"cancel"}, f"{MONEY} Yours is operator."),
        ("approver", {"cancel", "approve", "reject"}, ""),
        ("admin", {"cancel", "approve", "reject"}, ""),
    ],
)  # fmt: skip
def test_a_payout_has_the_forms_that_the_role_may_send(
    new_operator: NewOperator, waiting: str, role: str, acts: set[str], words: str
) -> None:
    page = new_operator("olga", role=role).get(f"/operator/payouts/{waiting}")
    actions = {form.attributes["action"] for form in page.html.one("main").all("form")}
    assert actions == {f"/operator/payouts/{waiting}/{act}" for act in acts}
    assert ("take the role" in page.said) == bool(words)
    assert words in page.said


def test_an_operator_may_cancel_from_the_queue_and_reads_who_may_approve(
    new_operator: NewOperator, waiting: str
) -> None:
    page = new_operator("olga", role="operator").get("/operator/payouts?status=requested")
    assert [each.text for each in page.html.all("button", name="action")] == ["Cancel…"]
    assert page.html.all("input", name="payout")
    assert f"{MONEY} Yours is operator." in page.said


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/operator/", "Stopping all sending takes the role operator, approver or admin."),
        ("/operator/payouts/run", "Confirming a payout run takes the role approver or admin."),
        ("/operator/verification", "Starting a verification takes the role operator, approver or admin."),
        ("/operator/webhooks", "Testing webhooks takes the role operator, approver or admin."),
        ("/operator/tokens", "Making and revoking tokens takes the role admin."),
    ],
)
def test_where_somebody_would_look_for_a_button_a_viewer_reads_who_may(
    new_operator: NewOperator, waiting: str, portal_app: Flask, path: str, words: str
) -> None:
    olga = new_operator("olga")
    olga.send(olga.get(f"/operator/payouts/{waiting}"), f"/operator/payouts/{waiting}/approve")
    page = new_operator("victor", role="viewer").get(path)
    assert f"{words} Yours is viewer." in page.said
    assert not [form for form in page.html.one("main").all("form") if form.attributes["method"] == "post"]


def test_an_operator_stops_sending_and_an_approver_lets_it_go_on(
    new_operator: NewOperator, portal_app: Flask
) -> None:
    otto, ann = new_operator("otto", role="operator"), new_operator("ann", role="approver")
    assert otto.send(otto.get("/operator/"), "/operator/payouts/halt", reason="A look.").status == 303
    page = otto.get("/operator/")
    assert "Letting sending go on takes the role approver or admin." in page.said
    assert otto.post("/operator/payouts/resume", {"reason": "All well."}).status == 403
    assert ann.send(ann.get("/operator/"), "/operator/payouts/resume", reason="All well.").status == 303


def test_a_role_that_is_changed_counts_in_open_sessions(
    new_operator: NewOperator, ada: Partner, waiting: str, portal_app: Flask
) -> None:
    olga = new_operator("olga")
    form = olga.get(f"/operator/payouts/{waiting}")
    with portal_app.app_context():
        services().access.add_operator("sandbox", "olga", role="viewer", cause=Cause.system("a test"))
    assert olga.send(form, f"/operator/payouts/{waiting}/approve").status == 403
    assert ada.get(f"/payouts/{waiting}").html.all(data_payout_status="requested")
