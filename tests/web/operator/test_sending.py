"""Stopping all sending and letting it go on; the books against Stripe, as operators see them."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.models import Installation
from portal.services.journal import Cause
from portal.wiring import services, session
from tests.services.stand_in import StandIn
from tests.web.operator.conftest import requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor

HALT, RESUME = "/operator/payouts/halt", "/operator/payouts/resume"


def is_halted(app: Flask) -> bool:
    with app.app_context():
        return services().overview.get().halted_at is not None


def test_sending_is_stopped_with_a_reason_that_the_overview_then_shows(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    page = olga.get("/operator/")
    refused = olga.send(page, HALT, reason=" ")
    assert (refused.status, refused.problems) == (422, ["Say why."])
    assert not is_halted(portal_app)
    assert olga.send(page, HALT, reason="The bank called.").status == 303
    assert "The bank called." in olga.get("/operator/").html.one("div", class_="banner tone--rejected").text
    ada.set_up()
    ada.earn(10_000)
    approved = olga.post(f"/operator/payouts/{requested(ada)}/approve")
    assert "is approved. Sending is stopped at the moment." in olga.get(approved.location).said
    ada.pays()
    assert "1 approved" in olga.get("/operator/").said


def test_sending_goes_on_once_books_and_stripe_agree(olga: Visitor, portal_app: Flask) -> None:
    olga.post(HALT, {"reason": "A look."})
    page = olga.get("/operator/")
    assert olga.send(page, RESUME, reason="All well.").status == 303
    assert not is_halted(portal_app)
    assert "The books hold and agree with Stripe." in olga.get("/operator/").said
    assert "Sending resumed" in olga.get("/operator/audit").said


def test_while_stripe_is_away_sending_stays_stopped_and_says_so(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    olga.post(HALT, {"reason": "A look."})
    ada.is_away("/v1/transfers", method="GET")
    refused = olga.post(RESUME, {"reason": "All well."})
    assert refused.status == 503
    assert "Sending stays stopped" in refused.problems[0]
    assert is_halted(portal_app)


def test_a_difference_keeps_sending_stopped_and_is_shown_with_what_to_do(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    assert "No pass yet" in olga.get("/operator/reconciliation").said
    ada.set_up()
    with portal_app.app_context():
        ours = {"installation": str(session.scalars(sa.select(Installation.id)).one())}
        StandIn(ada.stand_in).transfer_by_hand(
            ada.row().stripe_account_id or "", 500, group=f"payout-{UUID(int=7)}", metadata=ours
        )
        session.rollback()
        services().reconciliation.run(cause=Cause.system("a test"))
    assert is_halted(portal_app)
    page = olga.get("/operator/reconciliation")
    assert page.html.all("li", data_difference=None)
    assert "reconcile --accept ID" in page.said
    refused = olga.post(RESUME, {"reason": "Never mind."})
    assert refused.status == 409
    assert "reconcile finds 1 differences" in refused.problems[0]


@pytest.mark.parametrize("path", [HALT, RESUME])
def test_only_operators_who_may_change_something_stop_or_start_sending(
    viewer: Visitor, ada: Partner, portal_app: Flask, path: str
) -> None:
    assert viewer.post(path, {"reason": "No."}).status == 403
    assert ada.post(path, {"reason": "No."}).status == 404
    assert portal_app.test_client().post(path).location == "/login"
    assert not is_halted(portal_app)
