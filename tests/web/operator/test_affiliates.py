"""Finding affiliates, one of them with what they see, and blocking, unblocking, asking Stripe."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from portal.services.affiliates import AffiliateData
from portal.services.journal import Cause
from portal.wiring import services
from tests.web.operator.conftest import NewPartner
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

LIST = "/operator/affiliates"
HEADER = "code,email,name,country,currency,stripe_account_status,is_blocked"


def codes(page: Page) -> list[str]:
    return [row.attributes["data-affiliate-code"] for row in page.html.all("tr", data_affiliate_code=None)]


def enter(app: Flask, code: str, **data: str) -> None:
    """As the host business does."""
    with app.app_context():
        services().affiliates.put(code, AffiliateData(**data), cause=Cause.system("a test"))


def at(partner: Partner, move: str = "") -> str:
    return f"{LIST}/{partner.row().code}{move and '/'}{move}"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ana", ["ana-1"]),
        ("ANA-1", ["ana-1"]),
        ("Özil", ["ben_2"]),
        ("ben@example.com", ["ben_2"]),
        ("example.com", ["ana-1", "ben_2"]),
        ("%", []),
        ("_2", ["ben_2"]),
        ("' OR 1=1 --", []),
        ("acct_unknown", []),
    ],
)
def test_affiliates_are_found_by_code_name_and_e_mail_and_nothing_is_a_wildcard(
    olga: Visitor, portal_app: Flask, typed: str, expected: list[str]
) -> None:
    enter(portal_app, "ana-1", email="ana@example.com", name="Ana Lind")
    enter(portal_app, "ben_2", email="ben@example.com", name="Ben Özil")
    assert codes(olga.get(LIST, query_string={"q": typed})) == expected


def test_an_affiliate_is_found_by_the_whole_id_of_their_stripe_account(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    account_id = ada.row().stripe_account_id or ""
    assert codes(olga.get(f"{LIST}?q={account_id}")) == [ada.row().code]
    assert codes(olga.get(f"{LIST}?q={account_id[:-1]}")) == []


def test_long_lists_go_on_where_the_page_before_ended_and_keep_the_filter(
    olga: Visitor, portal_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        enter(portal_app, f"shop-{number}", name="Shop")
    enter(portal_app, "other", name="Other")
    monkeypatch.setattr("portal.web.operator.affiliates.PAGE_ROWS", 2)
    page, seen = olga.get(f"{LIST}?q=shop"), []
    for _ in range(3):
        seen += codes(page)
        link = page.html.one("nav", aria_label="Pages").all("a")[-1]
        page = olga.get(link.attributes["href"])
    assert seen == [f"shop-{number}" for number in range(5)]


def test_the_list_shows_badge_and_balances_as_of_now(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    ada.earn(5_000)
    ada.earn(7_000, days_ago=1, reference="order-2")
    row = olga.get(LIST).html.one("tr", data_affiliate_code=ada.row().code)
    assert row.one(data_stripe_account_status=None).text == "✓ Verified"
    assert [each.attributes["value"] for each in row.all("data")] == ["7000", "5000"]


@pytest.mark.parametrize("query", ["status=stolen", "flag=x", "past=a%20b", "q=%00", "q=" + "x" * 400])
def test_a_filter_that_is_none_is_refused(olga: Visitor, query: str) -> None:
    assert olga.get(f"{LIST}?{query}").status == 422


def test_the_csv_begins_with_its_promised_columns_and_holds_everybody(
    olga: Visitor, ada: Partner, portal_app: Flask
) -> None:
    ada.set_up("restrict")
    enter(portal_app, "zoe", name="Zoë, with a comma", email="zoe@example.com", country="FR", currency="eur")
    response = olga.get(f"{LIST}.csv").response
    assert response.content_type == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    text = response.data.decode("utf-8")
    assert text.startswith(HEADER)
    rows = {row["code"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows[ada.row().code]["stripe_account_status"] == "restricted"
    zoe = rows["zoe"]
    assert [zoe[name] for name in HEADER.split(",")] == [
        "zoe", "zoe@example.com", "Zoë, with a comma", "FR", "eur", "", "false",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1+1", "＝1+1", "=HYPERLINK(1)|cmd"])
def test_no_cell_of_the_csv_is_a_formula(olga: Visitor, portal_app: Flask, name: str) -> None:
    enter(portal_app, "mal", name=name)
    (row,) = csv.DictReader(io.StringIO(olga.get(f"{LIST}.csv").response.text))
    assert row["name"] == f"'{name}"


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (None, "Your Stripe account verification is pending."),
        ("restrict", "Your Stripe account is restricted. Please complete verification."),
        ("reject", "Your Stripe account was rejected. Please contact support."),
    ],
)
def test_what_they_see_is_word_for_word_what_they_see(
    olga: Visitor, ada: Partner, outcome: str | None, sentence: str
) -> None:
    if outcome:
        ada.set_up(outcome)
    page = olga.get(at(ada))
    assert page.html.one(data_gate=None).text == f"“{sentence}”"
    assert sentence in ada.get("/payouts/new").said
    assert page.badge.text == ada.get("/dashboard").badge.text


def test_the_page_of_an_affiliate_has_facts_balances_payouts_and_history(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    page = olga.get(at(ada))
    assert ada.row().stripe_account_id in {code.text for code in page.html.all("code")}
    assert page.html.one("dd", data_balance="reserved").one("data").attributes["value"] == "41250"
    assert page.html.one("tr", data_payout_id=waiting).attributes["data-payout-status"] == "requested"
    assert "Stripe account made" in page.said
    assert "pending → to verified" in page.said


def test_blocking_says_what_it_will_do_then_holds_what_is_approved_and_the_affiliate_reads_the_message(
    olga: Visitor, ada: Partner, waiting: str
) -> None:
    olga.post(f"/operator/payouts/{waiting}/approve")
    form = olga.get(at(ada, "block"))
    assert "$412.50, which is approved, is put on hold." in form.said
    words = {"reason": "Orders from one device.", "message": "We are checking your orders."}
    preview = olga.send(form, at(ada, "block"), preview="yes", **words)
    assert preview.status == 200
    assert words["message"] in preview.html.one("section", data_they_read=None).text
    assert "$412.50, which is approved, is put on hold." in preview.said
    assert not ada.row().is_blocked
    page = olga.send(preview, at(ada, "block"))
    assert (page.status, page.location) == (303, at(ada))
    after = olga.get(at(ada))
    assert after.html.one(data_gate=None).attributes["data-gate"] == "blocked"
    assert "Orders from one device." in after.said
    assert after.html.one("tr", data_payout_id=waiting).attributes["data-payout-status"] == "held"
    dashboard = ada.get("/dashboard").said
    assert words["message"] in dashboard
    assert words["reason"] not in dashboard


def test_unblocking_lets_the_next_run_send_what_was_held(olga: Visitor, ada: Partner, waiting: str) -> None:
    olga.post(f"/operator/payouts/{waiting}/approve")
    olga.post(at(ada, "block"), {"reason": "A look at the orders."})
    assert olga.send(olga.get(at(ada)), at(ada, "unblock"), reason="All fine.").status == 303
    assert not ada.row().is_blocked
    ada.pays()
    assert olga.get(at(ada)).html.one("tr", data_payout_id=waiting).attributes["data-payout-status"] == "paid"
    assert "All fine." in olga.get(at(ada)).said


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("reason", {"message": "Hello"}),
        ("reason", {"reason": "x" * 501}),
        ("message", {"reason": "Orders.", "message": "x" * 501}),
        ("message", {"reason": "Orders.", "message": "a\x00b"}),
    ],
)
def test_a_block_that_cannot_be_kept_is_said_at_the_field_and_blocks_nobody(
    olga: Visitor, ada: Partner, field: str, form: dict[str, str]
) -> None:
    page = olga.post(at(ada, "block"), form)
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == f"#{field}"
    assert page.html.one("input", name=field).attributes["aria-invalid"] == "true"
    assert not ada.row().is_blocked


def test_asking_stripe_now_writes_down_what_it_says(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    ada.meet("restrict")
    page = olga.send(olga.get(at(ada)), at(ada, "sync"))
    assert (page.status, page.location) == (303, at(ada))
    after = olga.get(at(ada))
    assert after.badge.attributes["data-stripe-account-status"] == "restricted"
    assert "Operator olga" in after.said


def test_while_stripe_is_away_asking_changes_nothing_and_says_so(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    ada.is_away("/v1/accounts", method="GET")
    assert olga.post(at(ada, "sync")).status == 303
    page = olga.get(at(ada))
    assert "We could not reach Stripe just now." in page.html.one(class_="banner tone--pending").text
    assert page.badge.attributes["data-stripe-account-status"] == "verified"
    asked = olga.client.post(at(ada, "sync"), headers={"Accept": "application/json"}, data={})
    assert asked.status_code == 400  # without its form token, as anybody


def test_without_a_stripe_account_there_is_nothing_to_ask(olga: Visitor, ada: Partner) -> None:
    assert not olga.get(at(ada)).html.all("form", action=at(ada, "sync"))
    assert olga.post(at(ada, "sync")).status == 303
    assert "There is no Stripe account" in olga.get(at(ada)).said


@pytest.mark.parametrize("move", ["block", "unblock", "sync"])
def test_only_operators_who_may_change_things_do(
    viewer: Visitor, ada: Partner, portal_app: Flask, move: str
) -> None:
    form = {"reason": "Because."}
    assert viewer.post(at(ada, move), form).status == 403
    assert ada.post(at(ada, move), form).status == 404
    assert portal_app.test_client().post(at(ada, move), data=form).location == "/login"
    assert not ada.row().is_blocked


@pytest.mark.parametrize("code", ["nobody", "a b", "%00", "x" * 65, "é"])
def test_an_affiliate_who_is_not_there_is_404(olga: Visitor, code: str) -> None:
    assert olga.get(f"{LIST}/{code}").status == 404
    assert olga.post(f"{LIST}/{code}/block", {"reason": "Because."}).status == 404


def test_what_affiliates_call_themselves_is_never_markup(olga: Visitor, new_partner: NewPartner) -> None:
    mal = new_partner("<script>alert(1)</script>")
    for path in (LIST, at(mal)):
        page = olga.get(path)
        assert "<script>alert(1)</script>" in page.said
        assert "<script>alert" not in page.response.text
