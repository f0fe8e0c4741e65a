"""Connected accounts: https://docs.stripe.com/api/accounts"""

from __future__ import annotations

import re
from typing import Any

from portal.sandbox.account_changes import capability, change, end_access, meet_fate
from portal.sandbox.account_shape import CURRENCIES, collect, new_account, settings_of
from portal.sandbox.errors import InvalidParameter, StripeRefusal, account_not_accessible, no_such
from portal.sandbox.fates import Circumstances, approve
from portal.sandbox.lists import page
from portal.sandbox.parameters import merged_metadata
from portal.sandbox.state import Call, accessible
from portal.sandbox.store import Document, public

_CLOSED_AFTER_LINK = ("business_type", "company", "individual", "external_account", "tos_acceptance")
"""What a platform can't change where Stripe collects the requirements, once a link was made."""

_REJECTIONS = {
    "fraud": "rejected.fraud",
    "fraud_no_intent_to_fulfill": "rejected.platform_fraud",
    "fraud_other": "rejected.platform_fraud",
    "fraud_payment_method_casher": "rejected.platform_fraud",
    "fraud_payment_method_tester": "rejected.platform_fraud",
    "terms_of_service": "rejected.platform_terms_of_service",
    "credit": "rejected.platform_other",
    "other": "rejected.platform_other",
}

PLATFORM_ACCOUNT = "acct_1SandboxPlatform"


def reachable(call: Call, account_id: str) -> Document:
    """The account, or Stripe's refusal: 403 `account_invalid`."""
    account = accessible(call.sandbox, account_id)
    if account is None:
        raise account_not_accessible(call.sandbox.config.secret_key, account_id)
    return account


def create(call: Call) -> Document:
    """`POST /v1/accounts`"""
    return make(call, call.params, is_v2=False)


def make(call: Call, params: dict[str, Any], *, is_v2: bool) -> Document:
    """A new account, by either API; the parameters are in the words of v1."""
    _check_new(params)
    call.sandbox.rules.check(params, is_v2=is_v2)
    with call.store.transaction():
        account = new_account(params, now=call.sandbox.now())
        _verify_if_whole(account, call.sandbox.now())
        call.store.put("account", account["id"], account)
        call.store.put("balance", account["id"], {"available": {account["default_currency"]: 0}})
        call.sandbox.events.record("account.updated", account, account=account["id"])
    return public(account)


def _check_new(params: dict[str, Any]) -> None:
    if "type" in params and "controller" in params:
        raise InvalidParameter(
            "You may only specify one of these parameters: type, controller.", param="type"
        )
    country = params.get("country")
    if country is not None and country not in CURRENCIES:
        raise InvalidParameter(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, such as "
            "'US', 'EG', or 'GB'. A full list of country codes is available at "
            "https://dashboard.stripe.com/account/applications/settings/countries.",
            code="country_code_invalid" if not re.fullmatch(r"[A-Z]{2}", country) else "country_unsupported",
            param="country",
        )
    email = params.get("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise InvalidParameter(f"Invalid email address: {email}", code="email_invalid", param="email")
    if params.get("type") == "custom" and not params.get("capabilities"):
        raise InvalidParameter(
            "You must request at least one capability when creating a Custom account.", param="capabilities"
        )


def retrieve(call: Call) -> Document:
    """`GET /v1/accounts/{id}`"""
    if call.ids["account"] == PLATFORM_ACCOUNT:
        return platform_account(call)
    return public(reachable(call, call.ids["account"]))


def retrieve_current(call: Call) -> Document:
    """`GET /v1/account`: the platform's own, or the one that Stripe-Account names."""
    return platform_account(call) if call.account is None else public(reachable(call, call.account))


def platform_account(call: Call) -> Document:
    """The platform itself, as the key's own account."""
    return {
        "id": PLATFORM_ACCOUNT,
        "object": "account",
        "business_profile": {"name": "Sandbox platform"},
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "platform@example.com",
        "payouts_enabled": True,
        "settings": {
            **settings_of({}),
            "dashboard": {"display_name": "Sandbox platform", "timezone": "Etc/UTC"},
        },
        "type": "standard",
    }


def update(call: Call) -> Document:
    """`POST /v1/accounts/{id}`"""
    account = reachable(call, call.ids["account"])
    stripe_collects = account["controller"]["requirement_collection"] == "stripe"
    if stripe_collects and account.get("_link_made"):
        for name in _CLOSED_AFTER_LINK:
            if name in call.params:
                raise StripeRefusal(
                    f"This application does not have the required permissions for the parameter '{name}' on account "
                    f"'{account['id']}'.",
                    status=403,
                )
    params = call.params

    def alter(fresh: Document) -> None:
        _take(fresh, params)
        _verify_if_whole(fresh, call.sandbox.now())

    return public(change(call.sandbox, account["id"], alter))


def _take(fresh: Document, params: dict[str, Any]) -> None:
    fresh["metadata"] = merged_metadata(fresh["metadata"], params.get("metadata"))
    for name in ("email", "business_type", "default_currency"):
        if name in params:
            fresh[name] = params[name] or None
    for name in ("business_profile", "tos_acceptance", "settings"):
        if name in params:
            fresh[name] = _merged(fresh[name], params[name])
    for name, flag in params.get("capabilities", {}).items():
        _request(fresh, name, wanted=flag.get("requested", False))
    if not fresh["details_submitted"]:
        collect(fresh, params)


def _verify_if_whole(account: Document, now: int) -> None:
    """Where the platform collects the requirements itself (Custom), the last one makes the account work.

    https://docs.stripe.com/connect/custom-accounts
    """
    collects_itself = account["controller"]["requirement_collection"] == "application"
    if collects_itself and not account["details_submitted"] and not account["requirements"]["currently_due"]:
        approve(account, Circumstances(now))


def _merged(present: Document, given: Document) -> Document:
    merged = dict(present)
    for name, value in given.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _request(account: Document, name: str, *, wanted: bool) -> None:
    capabilities = account["capabilities"]
    if not wanted:
        capabilities.pop(name, None)
    elif name not in capabilities:
        capabilities[name] = "active" if "active" in capabilities.values() else "inactive"
    account["charges_enabled"] = capabilities.get("card_payments") == "active"


def list_accounts(call: Call) -> Document:
    """`GET /v1/accounts`: those the platform can still reach."""
    return page(call, "account", url="/v1/accounts", where={"_gone": None})


def delete(call: Call) -> Document:
    """`DELETE /v1/accounts/{id}`: https://docs.stripe.com/api/accounts/delete"""
    account = reachable(call, call.ids["account"])
    balance = call.store.get("balance", account["id"]) or {"available": {}}
    if any(balance["available"].values()):
        raise StripeRefusal(
            "This account cannot be deleted because it has a non-zero balance. Please make sure that the balance is "
            "zero and try again."
        )
    end_access(call.sandbox, account["id"])
    return {"id": account["id"], "object": "account", "deleted": True}


def reject(call: Call) -> Document:
    """`POST /v1/accounts/{id}/reject`: only where the platform bears the losses."""
    account = _liable(call, "rejected")
    reason = _REJECTIONS[call.params["reason"]]
    rejected = meet_fate(call.sandbox, account["id"], "reject", reason=reason)
    if call.params.get("payouts_action") == "none":
        rejected = change(call.sandbox, account["id"], lambda fresh: fresh.update(payouts_enabled=True))
    return public(rejected)


def unreject(call: Call) -> Document:
    """`POST /v1/accounts/{id}/unreject`: only a rejection by the platform."""
    account = _liable(call, "unrejected")
    if not (account["requirements"]["disabled_reason"] or "").startswith("rejected."):
        raise StripeRefusal(f"The account '{account['id']}' is not rejected.")
    return public(meet_fate(call.sandbox, account["id"], "unreject"))


def _liable(call: Call, verb: str) -> Document:
    account = reachable(call, call.ids["account"])
    if account["controller"]["losses"]["payments"] != "application":
        raise StripeRefusal(
            f"Only accounts where your platform is liable for negative account balances can be {verb}."
        )
    return account


def list_external_accounts(call: Call) -> Document:
    """`GET /v1/accounts/{id}/external_accounts`"""
    account = reachable(call, call.ids["account"])
    kind = call.params.get("object")
    banks = [bank for bank in account["external_accounts"]["data"] if kind in (None, bank["object"])]
    return {**account["external_accounts"], "data": banks}


def retrieve_external_account(call: Call) -> Document:
    """`GET /v1/accounts/{id}/external_accounts/{bank}`"""
    account = reachable(call, call.ids["account"])
    for bank in account["external_accounts"]["data"]:
        if bank["id"] == call.ids["id"]:
            found: Document = bank
            return found
    raise no_such("external account", call.ids["id"])


def list_capabilities(call: Call) -> Document:
    """`GET /v1/accounts/{id}/capabilities`"""
    account = reachable(call, call.ids["account"])
    return {
        "object": "list",
        "data": [capability(account, name, status) for name, status in account["capabilities"].items()],
        "has_more": False,
        "url": f"/v1/accounts/{account['id']}/capabilities",
    }


def retrieve_capability(call: Call) -> Document:
    """`GET /v1/accounts/{id}/capabilities/{name}`"""
    account = reachable(call, call.ids["account"])
    name = call.ids["id"]
    return capability(account, name, account["capabilities"].get(name, "unrequested"))


def update_capability(call: Call) -> Document:
    """`POST /v1/accounts/{id}/capabilities/{name}`"""
    account = reachable(call, call.ids["account"])
    name = call.ids["id"]
    wanted = call.params.get("requested", False)
    changed = change(call.sandbox, account["id"], lambda fresh: _request(fresh, name, wanted=wanted))
    return capability(changed, name, changed["capabilities"].get(name, "unrequested"))
