"""What Stripe is told of an account that is to be made, by either of its two ways.

The parameters are kept as they were first sent, and tell by themselves which way they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.accounts import AccountFacts, facts_from_stripe
from portal.domain.errors import PortalError
from portal.domain.sentences import Sentence


class EmailIsMissing(PortalError):
    """Accounts v2 takes no account without an e-mail address."""

    code = "email_missing"

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "Stripe needs your e-mail address, and we have none. Please contact support and have it added."
            )
        )


def new_account_v1(
    email: str, country: str, *, capabilities: Sequence[str], agreement: str, metadata: Mapping[str, str]
) -> dict[str, Any]:
    """An Express account. `country` is ISO 3166 in capitals, an empty `email` is left out.
    https://docs.stripe.com/connect/express-accounts"""
    parameters: dict[str, Any] = {
        "type": "express",
        "country": country,
        "business_type": "individual",
        "capabilities": {name: {"requested": True} for name in capabilities},
        "metadata": dict(metadata),
    }
    if email:
        parameters["email"] = email
    if agreement != "full":
        parameters["tos_acceptance"] = {"service_agreement": agreement}
    return parameters


def new_account_v2(
    email: str, country: str, *, capabilities: Sequence[str], metadata: Mapping[str, str]
) -> dict[str, Any]:
    """The same by Accounts v2, always under the full service agreement: a recipient of transfers, and a merchant too
    where card payments are asked for. Raises EmailIsMissing.
    https://docs.stripe.com/connect/accounts-v2/connected-account-configuration"""
    if not email:
        raise EmailIsMissing
    wanted = {"requested": True}
    configuration: dict[str, Any] = {
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": wanted}}}
    }
    if "card_payments" in capabilities:
        configuration["merchant"] = {"capabilities": {"card_payments": wanted}}
    return {
        "contact_email": email,
        "dashboard": "express",
        "identity": {"country": country.lower(), "entity_type": "individual"},
        "configuration": configuration,
        "defaults": {
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
        },
        "metadata": dict(metadata),
    }


def facts_of_new(made: Mapping[str, object], asked: Mapping[str, Any]) -> AccountFacts:
    """What is known of an account as it was made. The shape of v2 holds none of the facts that a status is derived
    from: a new account has given Stripe nothing yet, and the next look reads the rest by v1."""
    return AccountFacts(str(made["id"])) if is_for_v2(asked) else facts_from_stripe(made)


def is_for_v2(parameters: Mapping[str, Any]) -> bool:
    """By which way these are sent, now and whenever they are sent again, whatever the setting says by then."""
    return "type" not in parameters
