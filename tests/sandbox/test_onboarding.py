"""The hosted pages: links work once, and every button ends as it says."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import REFRESH_URL, RETURN_URL, MakeStand, Stand, visit_in


def test_a_link_says_when_it_expires(stand: Stand) -> None:
    account = stand.express_account()
    link = stand.stripe.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": REFRESH_URL,
            "return_url": RETURN_URL,
        }
    )
    assert (link.created, link.expires_at) == (int(stand.hands()), int(stand.hands()) + 300)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"type": "account_update"}, "account_onboarding"),
        ({"refresh_url": "nowhere"}, "Not a valid URL"),
        ({"return_url": None}, "Missing required param: return_url"),
        ({"refresh_url": ""}, "empty string for 'refresh_url'"),
        ({"colour": "red"}, "Received unknown parameter: colour"),
    ],
)
def test_a_link_that_makes_no_sense_is_refused(stand: Stand, changed: dict[str, Any], words: str) -> None:
    params: Any = {
        "account": stand.express_account().id,
        "type": "account_onboarding",
        "refresh_url": REFRESH_URL,
        "return_url": RETURN_URL,
        **changed,
    }
    given: Any = {name: value for name, value in params.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError, match=words):
        stand.stripe.v1.account_links.create(given)


def test_a_link_for_an_account_that_is_not_ours_is_403(stand: Stand) -> None:
    with pytest.raises(stripe.PermissionError):
        stand.onboarding_link("acct_of_somebody_else")


def test_the_page_says_that_it_is_a_stand_in(stand: Stand) -> None:
    page = stand.browser.get(stand.onboarding_link(stand.express_account().id))
    assert "Stripe stand-in — no real money, nothing you type leaves this machine" in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    style = stand.browser.get("/sandbox/static/sandbox.css")
    assert "color-scheme" in style.text
    style.close()


def test_a_second_visit_to_a_link_goes_to_refresh_url(stand: Stand) -> None:
    url = stand.onboarding_link(stand.express_account().id)
    assert stand.browser.get(url).status_code == 200
    again = stand.browser.get(url)
    assert (again.status_code, again.location) == (302, REFRESH_URL)


def test_a_link_that_is_too_old_goes_to_refresh_url(stand: Stand) -> None:
    url = stand.onboarding_link(stand.express_account().id)
    stand.hands.pass_by(300)
    assert stand.browser.get(url).location == REFRESH_URL


def test_only_the_visit_that_opened_the_link_can_finish_it_and_only_once(stand: Stand) -> None:
    account = stand.express_account()
    url = stand.onboarding_link(account.id)
    visit = visit_in(stand.browser.get(url).text)
    assert stand.browser.post(url, data={"outcome": "approve"}).location == REFRESH_URL
    assert stand.browser.post(url, data={"outcome": "approve", "visit": "guess"}).location == REFRESH_URL
    assert not stand.stripe.v1.accounts.retrieve(account.id).details_submitted
    assert stand.browser.post(url, data={"outcome": "leave", "visit": visit}).location == RETURN_URL
    assert stand.browser.post(url, data={"outcome": "approve", "visit": visit}).location == REFRESH_URL
    assert not stand.stripe.v1.accounts.retrieve(account.id).details_submitted


def test_an_unknown_link_is_404_and_an_unknown_outcome_400(stand: Stand) -> None:
    assert stand.browser.get("/connect/onboarding/nothing").status_code == 404
    url = stand.onboarding_link(stand.express_account().id)
    assert stand.browser.post(url, data={"outcome": "win"}).status_code == 400


def test_finishing_approved_makes_the_account_payable(stand: Stand) -> None:
    account_id = stand.express_account().id
    assert stand.onboard(account_id, "approve") == RETURN_URL
    account = stand.stripe.v1.accounts.retrieve(account_id).to_dict()
    assert account["details_submitted"]
    assert account["payouts_enabled"]
    assert not account["charges_enabled"], "nobody asked for card_payments"
    assert account["capabilities"] == {"transfers": "active"}
    assert account["requirements"]["disabled_reason"] is None
    assert account["external_accounts"]["data"][0]["last4"] == "6789"
    assert set(stand.mailbox.types()) == {
        "account.updated",
        "capability.updated",
        "account.external_account.created",
    }


def test_charges_are_enabled_where_card_payments_were_asked_for(stand: Stand) -> None:
    wanted = {"card_payments": {"requested": True}, "transfers": {"requested": True}}
    account_id = stand.express_account(capabilities=wanted).id
    stand.onboard(account_id, "approve")
    assert stand.stripe.v1.accounts.retrieve(account_id).charges_enabled


@pytest.mark.parametrize(
    ("outcome", "target", "submitted", "reason"),
    [
        ("review", RETURN_URL, True, "requirements.pending_verification"),
        ("restrict", RETURN_URL, True, "requirements.past_due"),
        ("reject", RETURN_URL, True, "rejected.fraud"),
        ("leave", RETURN_URL, False, "requirements.past_due"),
        ("expire", REFRESH_URL, False, "requirements.past_due"),
    ],
)
def test_every_other_button_ends_as_it_says(
    stand: Stand, outcome: str, target: str, submitted: bool, reason: str
) -> None:
    account_id = stand.express_account().id
    assert stand.onboard(account_id, outcome) == target
    account = stand.stripe.v1.accounts.retrieve(account_id)
    assert account.requirements is not None
    assert (account.details_submitted, account.requirements.disabled_reason) == (submitted, reason)
    assert not account.payouts_enabled


def test_missing_documents_are_named_with_the_error(stand: Stand) -> None:
    account_id = stand.express_account().id
    stand.onboard(account_id, "restrict")
    requirements = stand.stripe.v1.accounts.retrieve(account_id).requirements
    assert requirements is not None
    assert requirements.past_due == ["individual.verification.document"]
    assert requirements.errors is not None
    assert requirements.errors[0].requirement == "individual.verification.document"


def test_an_approval_can_take_a_moment_and_is_then_announced(make_stand: MakeStand) -> None:
    stand = make_stand(approve_after_seconds=3)
    account_id = stand.express_account().id
    stand.onboard(account_id, "approve")
    under_way = stand.stripe.v1.accounts.retrieve(account_id)
    assert under_way.requirements is not None
    assert under_way.requirements.disabled_reason == "requirements.pending_verification"
    stand.beat()
    assert not stand.stripe.v1.accounts.retrieve(account_id).payouts_enabled
    stand.hands.pass_by(3)
    stand.mailbox.received.clear()
    stand.beat()
    assert stand.stripe.v1.accounts.retrieve(account_id).payouts_enabled
    assert "account.updated" in stand.mailbox.types()


def test_a_fate_chosen_meanwhile_is_not_undone_by_the_approval_to_come(make_stand: MakeStand) -> None:
    stand = make_stand(approve_after_seconds=3)
    account_id = stand.express_account().id
    stand.onboard(account_id, "approve")
    stand.control(f"accounts/{account_id}/fate", {"fate": "reject"})
    stand.hands.pass_by(10)
    stand.beat()
    assert not stand.stripe.v1.accounts.retrieve(account_id).payouts_enabled


def test_a_login_link_works_once_and_only_after_onboarding(stand: Stand) -> None:
    account_id = stand.express_account().id
    with pytest.raises(stripe.InvalidRequestError, match="has not completed onboarding"):
        stand.stripe.v1.accounts.login_links.create(account_id)
    stand.onboard(account_id, "approve")
    url = stand.stripe.v1.accounts.login_links.create(account_id).url
    page = stand.browser.get(url)
    assert "Express dashboard (stand-in)" in page.text
    assert "STRIPE TEST BANK ••••6789" in page.text
    assert stand.browser.get(url).status_code == 404


def test_a_login_link_is_for_express_accounts_alone(stand: Stand) -> None:
    account = stand.stripe.v1.accounts.create({"type": "standard"})
    with pytest.raises(stripe.InvalidRequestError, match="not an Express account"):
        stand.stripe.v1.accounts.login_links.create(account.id)
