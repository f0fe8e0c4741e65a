"""The account object: what a new one looks like. https://docs.stripe.com/api/accounts/object"""

from __future__ import annotations

from typing import Any

from portal.sandbox.identifiers import new_id, new_secret
from portal.sandbox.store import Document

CURRENCIES = {
    "US": "usd", "CA": "cad", "GB": "gbp", "CH": "chf", "AU": "aud", "NZ": "nzd", "JP": "jpy", "SG": "sgd",
    "HK": "hkd", "MX": "mxn", "BR": "brl", "IN": "inr", "DK": "dkk", "NO": "nok", "SE": "sek", "PL": "pln",
    "CZ": "czk", "HU": "huf", "RO": "ron", "IS": "eur", "LI": "chf", "TH": "thb", "MY": "myr", "AE": "aed",
    "BG": "eur", "AT": "eur", "BE": "eur", "CY": "eur", "DE": "eur", "EE": "eur", "ES": "eur", "FI": "eur",
    "FR": "eur", "GI": "gbp", "GR": "eur", "HR": "eur", "IE": "eur", "IT": "eur", "LT": "eur", "LU": "eur",
    "LV": "eur", "MT": "eur", "NL": "eur", "PT": "eur", "SI": "eur", "SK": "eur",
}  # fmt: skip
"""Countries an account can be made in, with their default currency."""

_INDIVIDUAL_NEEDS = (
    "individual.address.city",
    "individual.address.line1",
    "individual.address.postal_code",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.email",
    "individual.first_name",
    "individual.last_name",
    "individual.phone",
)
_COMPANY_NEEDS = ("company.name", "company.tax_id")
_ALWAYS_NEEDED = (
    "business_profile.url",
    "business_type",
    "external_account",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)

_CONTROLLERS: dict[str, Document] = {
    "express": {
        "fees": {"payer": "application_express"},
        "is_controller": True,
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
        "type": "application",
    },
    "custom": {
        "fees": {"payer": "application_custom"},
        "is_controller": True,
        "losses": {"payments": "application"},
        "requirement_collection": "application",
        "stripe_dashboard": {"type": "none"},
        "type": "application",
    },
    "standard": {
        "fees": {"payer": "account"},
        "is_controller": True,
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
        "type": "application",
    },
}


def no_requirements() -> Document:
    """Requirements with nothing in them."""
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [],
        "disabled_reason": None,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }


def new_account(params: dict[str, Any], *, now: int) -> Document:
    """An account nobody has filled in yet; `params` have been checked. `now` is epoch seconds, UTC."""
    identifier = new_id("acct")
    kind, controller = _kind_and_controller(params)
    country = params.get("country") or "US"
    currency = params.get("default_currency") or CURRENCIES[country]
    account: Document = {
        "id": identifier,
        "object": "account",
        "business_profile": {**_empty_profile(), **params.get("business_profile", {})},
        "business_type": params.get("business_type"),
        "capabilities": _requested(params),
        "charges_enabled": False,
        "controller": controller,
        "country": country,
        "created": now,
        "default_currency": currency,
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": _empty_list(f"/v1/accounts/{identifier}/external_accounts"),
        "future_requirements": no_requirements(),
        "metadata": {key: value for key, value in params.get("metadata", {}).items() if value != ""},
        "payouts_enabled": False,
        "requirements": no_requirements(),
        "settings": settings_of(params),
        "tos_acceptance": {"date": None, **params.get("tos_acceptance", {})},
        "type": kind,
    }
    collect(account, params)
    return account


def new_bank_account(account: Document, *, last4: str = "6789") -> Document:
    """A bank account at Stripe's test bank, the default for the account's currency."""
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "fingerprint": new_secret(16),
        "last4": last4,
        "metadata": {},
        "routing_number": "110000000",
        "status": "new",
    }


def _empty_list(url: str) -> Document:
    return {"object": "list", "data": [], "has_more": False, "url": url}


def _kind_and_controller(params: dict[str, Any]) -> tuple[str, Document]:
    chosen = params.get("controller")
    if chosen is None:
        kind = params.get("type") or "standard"
        return kind, _CONTROLLERS[kind]
    dashboard = chosen.get("stripe_dashboard", {}).get("type", "full")
    kind = {"express": "express", "full": "standard", "none": "custom"}[dashboard]
    controller = {**_CONTROLLERS[kind], **{name: chosen[name] for name in chosen}}
    # An account made by `controller` has no type of its own, whatever its dashboard.
    return "none", controller


def _requested(params: dict[str, Any]) -> Document:
    wanted = params.get("capabilities")
    if wanted is None:
        # Without a word from the platform, its dashboard settings decide; these are Stripe's own.
        return {"card_payments": "inactive", "transfers": "inactive"}
    return {name: "inactive" for name, flag in wanted.items() if flag.get("requested")}


def collect(account: Document, params: dict[str, Any]) -> None:
    """Take what the platform itself hands in for an account nobody has submitted, and say what is still due.

    Only the names of what was given are kept: nobody's personal data stays in the sandbox.
    """
    given = set(account.get("_given", ()))
    for name in ("individual", "company", "business_profile", "tos_acceptance"):
        part = params.get(name)
        given.update(_named(name, part if isinstance(part, dict) else {}))
    if params.get("business_type"):
        given.add("business_type")
    if params.get("external_account"):
        given.add("external_account")
        attach(account, [new_bank_account(account)])
    account["_given"] = sorted(given)
    due = [need for need in _needs(account) if need not in given]
    account["requirements"].update(
        currently_due=due,
        eventually_due=due,
        past_due=due,
        disabled_reason="requirements.past_due" if due else "requirements.pending_verification",
    )


def attach(account: Document, banks: list[Document]) -> None:
    """Let these be the account's bank accounts."""
    account["external_accounts"] = {**account["external_accounts"], "data": banks}


def _named(prefix: str, part: dict[str, Any]) -> list[str]:
    names = []
    for name, value in part.items():
        if isinstance(value, dict):
            names += _named(f"{prefix}.{name}", value)
        elif value not in ("", None):
            names.append(f"{prefix}.{name}")
    return names


def _needs(account: Document) -> list[str]:
    kind = account["business_type"]
    own = _INDIVIDUAL_NEEDS if kind in (None, "individual") else _COMPANY_NEEDS
    return sorted((*_ALWAYS_NEEDED, *own))


def _empty_profile() -> Document:
    return dict.fromkeys(
        ("annual_revenue", "estimated_worker_count", "mcc", "name", "product_description", "support_address",
         "support_email", "support_phone", "support_url", "url")
    )  # fmt: skip


def settings_of(params: dict[str, Any]) -> Document:
    """An account's settings: Stripe's usual ones and what was asked for."""
    given = params.get("settings", {})
    schedule = {"delay_days": 2, "interval": "daily", **given.get("payouts", {}).get("schedule", {})}
    return {
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_payments": {"statement_descriptor_prefix": None},
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": None, **given.get("payments", {})},
        "payouts": {
            "debit_negative_balances": True,
            "statement_descriptor": None,
            **given.get("payouts", {}),
            "schedule": schedule,
        },
    }
