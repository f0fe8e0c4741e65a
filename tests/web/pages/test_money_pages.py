"""Balances on the dashboard, and every movement of money in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.web.rendering import day_text
from tests.web.pages.conftest import Partner


def test_the_dashboard_names_the_partner_and_every_balance(ada: Partner) -> None:
    ada.set_up()
    ada.earn(41_250)
    ada.earn(6_000, days_ago=24, reference="order-2")
    page = ada.get("/dashboard")
    assert page.html.one(data_affiliate_code=None).attributes["data-affiliate-code"] == ada.row().code
    balances = {
        each.attributes["data-balance"]: each.one("data").attributes["value"]
        for each in page.html.all("dd", data_balance=None)
    }
    assert balances == {"on_hold": "6000", "available": "41250", "reserved": "0", "paid_out": "0"}
    words = page.html.one(id="balances").one("p").text
    assert words == (
        "$60.00 on hold until refunds can no longer happen. All of it releases on"
        f" {day_text(ada.clock.now() + timedelta(days=6))}."
    )


def test_what_is_on_hold_has_its_first_day_and_its_last(ada: Partner) -> None:
    for number, (amount, days_ago) in enumerate([(2_000, 24), (4_000, 24), (5_000, 20), (7_000, 10)]):
        ada.earn(amount, days_ago=days_ago, reference=f"order-{number}")
    first, last = (day_text(ada.clock.now() + timedelta(days=days)) for days in (6, 20))
    assert ada.get("/dashboard").html.one(id="balances").one("p").text == (
        "$180.00 on hold until refunds can no longer happen."
        f" $60.00 releases on {first}. All released by {last}."
    )


def test_a_verified_partner_with_enough_has_one_primary_action(verified: Partner) -> None:
    primary = [
        each.text
        for each in verified.get("/dashboard").html
        if "button--primary" in each.attributes.get("class", "")
    ]
    assert primary == ["Request payout"]


def test_recent_payouts_are_on_the_dashboard(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    page = verified.get("/dashboard")
    assert len(page.html.all("tr", data_payout_id=None)) == 1
    assert "is not finished yet. You can request the next one after it." in page.said


def test_each_movement_is_explained_and_leads_to_its_payout(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    verified.pays()
    page = verified.get("/earnings")
    lines = [row.one("th", scope="row").text for row in page.html.one("tbody").all("tr")]
    assert lines == [
        "Sent to you. See the payout",
        "Set aside for a payout you requested. See the payout",
        "The hold of a commission ended. You can have it paid out. order-1",
        "You earned a commission. It is on hold until refunds can no longer happen. order-1",
    ]
    assert "On hold → to Available" in page.said


def test_older_movements_are_a_link_away(ada: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.web.earnings.PAGE_ROWS", 2)
    for number in range(3):
        ada.earn(100, reference=f"order-{number}")
    first = ada.get("/earnings")
    assert "order-2" in first.said
    assert "order-0" not in first.said
    older = ada.get(first.html.one("nav", aria_label="Pages").one("a").attributes["href"])
    assert "order-0" in older.said
    assert ada.get("/earnings?before=1").said.endswith("There is nothing older. Show the newest")


def test_without_earnings_the_page_says_what_will_be_there(ada: Partner) -> None:
    assert "You have not earned anything yet." in ada.get("/earnings").said


def test_what_an_affiliate_typed_or_was_sent_is_never_markup(ada: Partner) -> None:
    ada.earn(5_000, reference="<script>alert(1)</script>")
    page = ada.get("/earnings")
    assert "<script>alert(1)</script>" in page.said
    assert all(script.attributes["src"].startswith("/static/") for script in page.html.all("script"))
