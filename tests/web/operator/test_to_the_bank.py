"""What operators see of a sent payout's way to the bank."""

from __future__ import annotations

from portal.wiring import services
from tests.services.stand_in import StandIn
from tests.web.pages.conftest import TEST, Partner
from tests.web.pages.visitor import Visitor


def test_operators_see_every_bank_payout_that_carried_a_payout_and_how_it_ended(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    path, stripe = f"/operator/payouts/{waiting}", StandIn(ada.stand_in)
    olga.send(olga.get(path), f"{path}/approve")
    ada.pays()
    assert "Stripe has not said which of its payouts to the bank carries it." in olga.get(path).said
    account_id = ada.row().stripe_account_id or ""
    banks = [
        stripe.pay_to_bank(account_id, status="failed", failure_code="account_closed"),
        stripe.pay_to_bank(account_id, status="paid"),
    ]
    with ada.app.app_context():
        services().bank_payouts.look_for_all(cause=TEST)
    page = olga.get(path)
    assert page.html.one("div", data_payout_id=None).attributes["data-payout-status"] == "paid"
    rows = page.html.all("tr", data_bank_payout_status=None)
    assert [row.one("th").one("code").text for row in rows] == banks
    assert "account_closed" in rows[0].text
    assert "Back in the Stripe balance" in rows[0].text
    assert stripe.bank_payouts()[1]["trace_id"]["value"] in rows[1].text
    trail = " ".join(row.text for row in page.html.all("tr") if "Bank payout moved" in row.text)
    assert f"{banks[0]} failed" in trail
    assert f"{banks[1]} paid" in trail
    for lists in ("/operator/payouts", f"/operator/affiliates/{ada.row().code}"):
        (row,) = olga.get(lists).html.all("tr", data_payout_id=None)
        assert row.one("strong", class_="tag tag--arrived").text == "Arrived"
        assert row.attributes["data-payout-status"] == "paid"
