"""Making accounts by the Accounts v2 API; the v1 API reads them. https://docs.stripe.com/api/v2/core/accounts"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.sandbox import accounts
from portal.sandbox.errors import InvalidParameter, StripeRefusal
from portal.sandbox.state import Call, accessible
from portal.sandbox.store import Document

#: Who collects the fees of an account, in the words of v2, and who pays them to Stripe, in those of v1.
_FEES_PAYERS = {
    "application": "application",
    "application_custom": "application_custom",
    "application_express": "application_express",
    "stripe": "account",
}
_FEES_COLLECTORS = {payer: collector for collector, payer in _FEES_PAYERS.items()}

_BUSINESS_TYPES = {"company", "government_entity", "individual", "non_profit"}


def create(call: Call) -> Document:
    """`POST /v2/core/accounts`"""
    params = call.params
    _check(params)
    made = accounts.make(call, _as_v1(params), is_v2=True)
    return _as_v2(made, params.get("include", []))


def retrieve(call: Call) -> Document:
    """`GET /v2/core/accounts/{id}`"""
    account = accessible(call.sandbox, call.ids["account"])
    if account is None:
        raise StripeRefusal(f"No such account: {call.ids['account']}", status=404, code="not_found")
    return _as_v2(account, call.params.get("include", []))


def _check(params: dict[str, Any]) -> None:
    """What Stripe asks for together. https://docs.stripe.com/connect/accounts-v2/connected-account-configuration"""
    roles = {"merchant", "recipient"} & params.get("configuration", {}).keys()
    shared = params.get("defaults", {}).get("responsibilities", {})
    if roles and not params.get("contact_email"):
        raise _missing("contact_email", "when configuring an account as a merchant or recipient")
    if roles and not params.get("identity", {}).get("country"):
        raise _missing("identity.country", "when configuring an account as a merchant or recipient")
    if ("dashboard" in params or roles) and len(shared) < 2:
        raise _missing("defaults.responsibilities", "when dashboard or a merchant or recipient is set")
    if params.get("dashboard") == "express" and set(shared.values()) != {"application"}:
        raise InvalidParameter(
            "An account with the express dashboard needs the application as its fees_collector and losses_collector.",
            code="account_controller_express_dash_without_application_losses_or_fees",
            param="defaults.responsibilities",
        )


def _missing(name: str, when: str) -> InvalidParameter:
    code = "identity_country_required" if name == "identity.country" else "account_creation_invalid"
    return InvalidParameter(f"{name} is required {when}.", code=code, param=name)


def _as_v1(params: dict[str, Any]) -> dict[str, Any]:
    identity, defaults = params.get("identity", {}), params.get("defaults", {})
    configuration = params.get("configuration", {})
    recipient = configuration.get("recipient", {}).get("capabilities", {})
    merchant = configuration.get("merchant", {}).get("capabilities", {})
    wanted = {
        "transfers": recipient.get("stripe_balance", {}).get("stripe_transfers", {}),
        "card_payments": merchant.get("card_payments", {}),
    }
    responsibilities = defaults.get("responsibilities", {})
    country = identity.get("country")
    given: dict[str, Any] = {
        "email": params.get("contact_email"),
        "country": country.upper() if country else None,
        "default_currency": defaults.get("currency"),
        "metadata": params.get("metadata"),
        "business_type": identity["entity_type"] if identity.get("entity_type") in _BUSINESS_TYPES else None,
        "capabilities": {name: flag for name, flag in wanted.items() if flag.get("requested")},
        "controller": {
            "fees": {"payer": _FEES_PAYERS[responsibilities.get("fees_collector", "stripe")]},
            "losses": {"payments": responsibilities.get("losses_collector", "stripe")},
            "stripe_dashboard": {"type": params.get("dashboard", "full")},
        },
    }
    return {name: value for name, value in given.items() if value is not None}


def _as_v2(account: Document, include: list[str]) -> Document:
    capabilities = account["capabilities"]
    answer: Document = {
        "id": account["id"],
        "object": "v2.core.account",
        "applied_configurations": [
            name
            for name, capability in (("merchant", "card_payments"), ("recipient", "transfers"))
            if capability in capabilities
        ],
        "closed": False,
        "contact_email": account["email"],
        "created": datetime.fromtimestamp(account["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "dashboard": account["controller"]["stripe_dashboard"]["type"],
        "display_name": None,
        "livemode": False,
        "metadata": account["metadata"],
        "configuration": None,
        "defaults": None,
        "identity": None,
        "requirements": None,
    }
    if "identity" in include:
        answer["identity"] = {"country": account["country"].lower(), "entity_type": account["business_type"]}
    if "defaults" in include:
        controller = account["controller"]
        answer["defaults"] = {
            "currency": account["default_currency"],
            "responsibilities": {
                "fees_collector": _FEES_COLLECTORS[controller["fees"]["payer"]],
                "losses_collector": controller["losses"]["payments"],
                "requirements_collector": controller["requirement_collection"],
            },
        }
    return answer
