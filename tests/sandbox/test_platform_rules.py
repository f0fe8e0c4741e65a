"""What Stripe lets the platform make: told to the stand-in, refused in the words of the API that was asked."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Stand

V2: dict[str, Any] = {
    "contact_email": "ada@example.com",
    "dashboard": "express",
    "identity": {"country": "us", "entity_type": "individual"},
    "defaults": {
        "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
    },
    "configuration": {
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
    },
}  # fmt: skip
BOTH = {"transfers": {"requested": True}, "card_payments": {"requested": True}}


def refusal(stand: Stand, asked: dict[str, Any]) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as refused:
        stand.stripe.v2.core.accounts.create(asked)  # type: ignore[arg-type]  # as a program without types sends it
    assert refused.value.http_status == 400
    return refused.value


@pytest.mark.parametrize(
    ("rules", "words", "code"),
    [
        ({"connect": False}, "signed up for Connect", "platform_registration_required"),
        ({"profile": False}, "responsibilities of managing", "account_creation_liability_unacknowledged"),
        (
            {"transfers_alone": False},
            "card_payments",
            "capability_not_available_without_other_capability",
        ),
        (
            {"closed_countries": ["US"]},
            "cannot be created by platforms in US",
            "cross_border_connected_account_creation_not_allowed",
        ),
    ],
)
def test_what_is_not_allowed_is_refused_by_both_apis_each_in_its_form(
    stand: Stand, rules: dict[str, Any], words: str, code: str
) -> None:
    stand.control("platform", rules)
    with pytest.raises(stripe.InvalidRequestError, match=words) as by_v1:
        stand.express_account()
    assert by_v1.value.code is None
    by_v2 = refusal(stand, V2)
    assert words in str(by_v2)
    assert by_v2.error is not None
    assert (by_v2.error.code, getattr(by_v2.error, "type", None)) == (code, None)
    stand.control("platform", {})
    assert stand.express_account().id != stand.stripe.v2.core.accounts.create(V2).id  # type: ignore[arg-type]  # so


def test_each_api_can_be_off_by_itself(stand: Stand) -> None:
    stand.control("platform", {"accounts_v1": False})
    with pytest.raises(stripe.InvalidRequestError, match="Accounts v1"):
        stand.express_account()
    assert stand.stripe.v2.core.accounts.create(V2).id  # type: ignore[arg-type]  # so
    stand.control("platform", {"accounts_v2": False})
    assert "Accounts v2 is not enabled" in str(refusal(stand, V2))
    assert stand.express_account().id


def test_transfers_together_with_card_payments_need_no_approval(stand: Stand) -> None:
    stand.control("platform", {"transfers_alone": False})
    assert stand.express_account(capabilities=BOTH).id


def test_the_recipient_agreement_is_for_other_countries(stand: Stand) -> None:
    agreement = {"service_agreement": "recipient"}
    with pytest.raises(stripe.InvalidRequestError, match="recipient ToS agreement is not supported"):
        stand.express_account(tos_acceptance=agreement)
    assert stand.express_account(tos_acceptance=agreement, country="TH").id


@pytest.mark.parametrize("left_out", ["contact_email", "identity", "defaults"])
def test_v2_misses_what_a_recipient_must_have(stand: Stand, left_out: str) -> None:
    said = refusal(stand, {name: value for name, value in V2.items() if name != left_out})
    assert f"{left_out}" in str(said)
    assert "is required" in str(said)


def test_v2_gives_the_express_dashboard_only_where_the_platform_bears_fees_and_losses(stand: Stand) -> None:
    shared = {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}}
    assert "express dashboard" in str(refusal(stand, V2 | {"defaults": shared}))
