"""Accounts answer as Stripe's do."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Stand


def test_a_new_express_account_is_past_due_and_not_submitted(stand: Stand) -> None:
    account = stand.express_account()
    assert account.id.startswith("acct_1")
    assert account.requirements is not None
    assert account.requirements.disabled_reason == "requirements.past_due"
    assert not account.details_submitted
    assert not account.payouts_enabled
    assert not account.charges_enabled
    assert account.controller is not None
    assert account.controller.stripe_dashboard is not None
    assert account.controller.stripe_dashboard.type == "express"
    assert account.to_dict()["capabilities"] == {"transfers": "inactive"}
    assert account.to_dict()["metadata"] == {"affiliate_code": "ada"}


def test_an_account_made_by_controller_is_an_express_account_too(stand: Stand) -> None:
    account = stand.stripe.v1.accounts.create(
        {
            "country": "DE",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        }
    )
    assert account.type == "none"
    assert account.default_currency == "eur"
    assert stand.stripe.v1.accounts.retrieve(account.id).id == account.id


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"type": "express", "colour": "red"}, "parameter_unknown", "colour"),
        (
            {"type": "express", "capabilities": {"flying": {"requested": True}}},
            "parameter_unknown",
            "capabilities[flying]",
        ),
        ({"type": "express", "country": "ZZ"}, "country_unsupported", "country"),
        ({"type": "express", "country": "Germany"}, "country_code_invalid", "country"),
        ({"type": "express", "email": "nobody"}, "email_invalid", "email"),
        ({"type": "deluxe"}, None, "type"),
        ({"type": "express", "controller": {"fees": {"payer": "application"}}}, None, "type"),
        ({"type": "express", "metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"type": "express", "metadata": {"k": "v" * 501}}, None, "metadata[k]"),
    ],
)
def test_what_stripe_does_not_know_is_refused_by_name(
    stand: Stand, params: Any, code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.accounts.create(params)
    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, code, param)


def test_an_account_that_is_not_ours_is_403_account_invalid(stand: Stand) -> None:
    with pytest.raises(stripe.PermissionError) as refusal:
        stand.stripe.v1.accounts.retrieve("acct_of_somebody_else")
    assert refusal.value.http_status == 403
    assert refusal.value.json_body["error"]["code"] == "account_invalid"  # type: ignore[index]
    assert "does not have access to account 'acct_of_somebody_else'" in str(refusal.value)


def test_a_deleted_account_can_no_longer_be_reached(stand: Stand) -> None:
    account = stand.express_account()
    assert stand.stripe.v1.accounts.delete(account.id).deleted
    with pytest.raises(stripe.PermissionError):
        stand.stripe.v1.accounts.retrieve(account.id)
    assert stand.stripe.v1.accounts.list().data == []
    assert stand.mailbox.types()[-1] == "account.application.deauthorized"
    assert stand.mailbox.events()[-1]["account"] == account.id


def test_an_account_with_money_can_not_be_deleted(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id)
    with pytest.raises(stripe.InvalidRequestError, match="non-zero balance"):
        stand.stripe.v1.accounts.delete(account.id)


def test_metadata_is_merged_and_an_empty_value_removes_its_key(stand: Stand) -> None:
    account = stand.express_account()
    stand.stripe.v1.accounts.update(account.id, {"metadata": {"second": "2", "affiliate_code": ""}})
    assert stand.stripe.v1.accounts.retrieve(account.id).to_dict()["metadata"] == {"second": "2"}


def test_who_the_person_is_can_not_be_changed_after_the_first_link(stand: Stand) -> None:
    account = stand.express_account()
    stand.stripe.v1.accounts.update(account.id, {"business_type": "individual"})
    stand.onboarding_link(account.id)
    with pytest.raises(stripe.PermissionError, match="'business_type'"):
        stand.stripe.v1.accounts.update(account.id, {"business_type": "company"})
    stand.stripe.v1.accounts.update(account.id, {"metadata": {"still": "allowed"}})


def test_a_rejection_can_be_undone(stand: Stand) -> None:
    account = stand.approved_account()
    rejected = stand.stripe.v1.accounts.reject(account.id, {"reason": "fraud_other"})
    assert rejected.requirements is not None
    assert rejected.requirements.disabled_reason == "rejected.platform_fraud"
    assert not rejected.payouts_enabled
    restored = stand.stripe.v1.accounts.unreject(account.id)
    assert restored.payouts_enabled
    assert restored.requirements is not None
    assert restored.requirements.disabled_reason is None


def test_a_rejected_account_can_keep_its_payouts(stand: Stand) -> None:
    account = stand.approved_account()
    rejected = stand.stripe.v1.accounts.reject(account.id, {"reason": "other", "payouts_action": "none"})
    assert rejected.payouts_enabled


def test_a_standard_account_can_not_be_rejected_by_the_platform(stand: Stand) -> None:
    account = stand.stripe.v1.accounts.create({"type": "standard"})
    with pytest.raises(stripe.InvalidRequestError, match="liable"):
        stand.stripe.v1.accounts.reject(account.id, {"reason": "other"})


def test_lists_are_paged_by_cursor_newest_first(stand: Stand) -> None:
    made = [stand.express_account().id for _ in range(5)]
    first = stand.stripe.v1.accounts.list({"limit": 2})
    assert [account.id for account in first.data] == made[:2:-1]
    assert first.has_more
    second = stand.stripe.v1.accounts.list({"limit": 2, "starting_after": first.data[-1].id})
    assert [account.id for account in second.data] == [made[2], made[1]]
    back = stand.stripe.v1.accounts.list({"limit": 2, "ending_before": second.data[0].id})
    assert [account.id for account in back.data] == [account.id for account in first.data]
    assert [account.id for account in stand.stripe.v1.accounts.list().auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"starting_after": "acct_nowhere"}])
def test_a_page_outside_the_bounds_is_refused(stand: Stand, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.accounts.list(params)
    assert refusal.value.param in params


def test_the_platform_can_read_its_own_account(stand: Stand) -> None:
    assert stand.stripe.v1.accounts.retrieve_current().payouts_enabled


def test_a_wrong_key_is_401_for_everything(stand: Stand) -> None:
    for key in ("sk_test_wrong", "nonsense"):
        answer = stand.browser.get("/v1/account", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 401
        assert answer.get_json()["error"]["message"].startswith("Invalid API Key provided")
    assert stand.browser.get("/v1/account").status_code == 401
    assert stand.browser.get("/v1/nothing-here").status_code == 401


def test_a_key_is_taken_by_basic_authentication_as_well(stand: Stand) -> None:
    assert stand.browser.get("/v1/account", auth=("sk_test_sandbox", "")).status_code == 200


def test_an_unknown_path_is_404_in_stripes_words(stand: Stand) -> None:
    answer = stand.browser.get("/v1/florins", headers={"Authorization": "Bearer sk_test_sandbox"})
    assert answer.status_code == 404
    assert answer.get_json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/florins)")
    assert answer.headers["Request-Id"].startswith("req_")


def test_a_custom_account_works_once_the_platform_has_given_everything(stand: Stand) -> None:
    account = stand.stripe.v1.accounts.create(
        {
            "type": "custom",
            "country": "US",
            "business_type": "company",
            "capabilities": {"transfers": {"requested": True}},
            "company": {"name": "Ada Ltd", "tax_id": "000000000"},
            "business_profile": {"url": "https://example.com"},
            "external_account": "btok_us_verified",
        }
    )
    assert account.requirements is not None
    assert account.requirements.currently_due == ["tos_acceptance.date", "tos_acceptance.ip"]
    whole = stand.stripe.v1.accounts.update(
        account.id, {"tos_acceptance": {"date": 1_790_000_000, "ip": "127.0.0.1"}}
    )
    assert whole.payouts_enabled
    assert whole.to_dict()["capabilities"] == {"transfers": "active"}


def test_a_capability_asked_for_later_becomes_active_on_an_approved_account(stand: Stand) -> None:
    account = stand.approved_account()
    stand.stripe.v1.accounts.capabilities.update(account.id, "card_payments", {"requested": True})
    assert stand.stripe.v1.accounts.retrieve(account.id).charges_enabled
    listed = stand.stripe.v1.accounts.capabilities.list(account.id)
    assert {capability.id: capability.status for capability in listed.data} == {
        "transfers": "active",
        "card_payments": "active",
    }


def test_the_banks_of_an_account_are_listed(stand: Stand) -> None:
    account = stand.approved_account()
    (bank,) = stand.stripe.v1.accounts.external_accounts.list(account.id).data
    assert isinstance(bank, stripe.BankAccount)
    assert (bank.bank_name, bank.last4) == ("STRIPE TEST BANK", "6789")
    assert bank.fingerprint


def test_an_account_made_by_v2_is_read_by_v1(stand: Stand) -> None:
    made = stand.stripe.v2.core.accounts.create(
        {
            "contact_email": "ada@example.com",
            "dashboard": "express",
            "identity": {"country": "de", "entity_type": "individual"},
            "defaults": {
                "currency": "eur",
                "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
            },
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "metadata": {"affiliate_code": "ada"},
            "include": ["identity", "defaults"],
        },
        {"idempotency_key": "account-ada"},
    )
    assert made.object == "v2.core.account"
    assert made.applied_configurations == ["recipient"]
    read = stand.stripe.v1.accounts.retrieve(made.id).to_dict()
    assert (read["country"], read["email"], read["business_type"]) == ("DE", "ada@example.com", "individual")
    assert read["capabilities"] == {"transfers": "inactive"}
    assert read["controller"]["stripe_dashboard"]["type"] == "express"
    assert stand.onboarding_link(made.id)
    assert stand.stripe.v2.core.accounts.retrieve(made.id).contact_email == "ada@example.com"


def test_v2_is_as_strict_as_v1(stand: Stand) -> None:
    params: Any = {"contact_email": "ada@example.com", "colour": "red"}
    with pytest.raises(stripe.StripeError, match="unknown parameter: colour") as refusal:
        stand.stripe.v2.core.accounts.create(params)
    assert refusal.value.http_status == 400
    for body in (b"[]", b"{", b"\xff", b"[" * 100_000):
        answer = stand.browser.post(
            "/v2/core/accounts", data=body, headers={"Authorization": "Bearer sk_test_sandbox"}
        )
        assert answer.status_code == 400
    with pytest.raises(stripe.StripeError) as missing:
        stand.stripe.v2.core.accounts.retrieve("acct_nowhere")
    assert missing.value.http_status == 404
