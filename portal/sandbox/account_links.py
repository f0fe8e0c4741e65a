"""Links to the hosted pages: https://docs.stripe.com/api/account_links and https://docs.stripe.com/api/accounts/login_link"""

from __future__ import annotations

from urllib.parse import urlsplit

from portal.sandbox.accounts import reachable
from portal.sandbox.errors import InvalidParameter, StripeRefusal
from portal.sandbox.identifiers import new_secret
from portal.sandbox.state import Call, Sandbox
from portal.sandbox.store import Document


def create(call: Call) -> Document:
    """`POST /v1/account_links`: single use and short-lived."""
    params = call.params
    account = reachable(call, params["account"])
    for name in ("refresh_url", "return_url"):
        parts = urlsplit(params[name])
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidParameter("Not a valid URL", code="url_invalid", param=name)
    collects_itself = account["controller"]["requirement_collection"] == "application"
    if params["type"] == "account_update" and not collects_itself:
        raise StripeRefusal(
            "You cannot create `account_update` type Account Links for this account. Valid types for this account "
            'are ["account_onboarding"]',
            param="type",
        )
    now = call.sandbox.now()
    token = new_secret()
    link: Document = {
        "account": account["id"],
        "refresh_url": params["refresh_url"],
        "return_url": params["return_url"],
        "expires_at": now + call.sandbox.config.link_lifetime_seconds,
        "created": now,
        "visit": None,
        "is_over": False,
    }
    with call.store.transaction():
        call.store.put("account_link", token, link)
        account["_link_made"] = True
        call.store.put("account", account["id"], account)
    return {
        "object": "account_link",
        "created": now,
        "expires_at": link["expires_at"],
        "url": f"{call.sandbox.config.base_url.rstrip('/')}/connect/onboarding/{token}",
    }


def create_login_link(call: Call) -> Document:
    """`POST /v1/accounts/{id}/login_links`: Express alone, and only after onboarding."""
    account = reachable(call, call.ids["account"])
    if account["controller"]["stripe_dashboard"]["type"] != "express":
        raise StripeRefusal(
            f"Cannot create a login link for the account {account['id']}, which is not an Express account."
        )
    if not account["details_submitted"]:
        raise StripeRefusal("Cannot create a login link for an account that has not completed onboarding.")
    now = call.sandbox.now()
    token = new_secret()
    call.store.put(
        "login_link",
        token,
        {
            "account": account["id"],
            "expires_at": now + call.sandbox.config.link_lifetime_seconds,
            "is_over": False,
        },
    )
    return {
        "object": "login_link",
        "created": now,
        "url": f"{call.sandbox.config.base_url.rstrip('/')}/connect/express/{token}",
    }


def open_link(sandbox: Sandbox, token: str) -> tuple[Document | None, str | None]:
    """Visit an account link: the link and the secret of this visit, which only the first visitor in time gets."""
    with sandbox.store.transaction():
        link = sandbox.store.get("account_link", token)
        if link is None or link["visit"] or sandbox.config.clock() >= link["expires_at"]:
            return link, None
        link["visit"] = new_secret()
        sandbox.store.put("account_link", token, link)
        return link, link["visit"]


def finish_link(sandbox: Sandbox, token: str, visit: str) -> Document | None:
    """End a visit; the link, or None when this is not the visit that opened it or it is over already."""
    with sandbox.store.transaction():
        link = sandbox.store.get("account_link", token)
        if link is None or not visit or link["visit"] != visit or link["is_over"]:
            return None
        link["is_over"] = True
        sandbox.store.put("account_link", token, link)
        return link


def open_login_link(sandbox: Sandbox, token: str) -> str | None:
    """The account that a login link opens, once."""
    with sandbox.store.transaction():
        link = sandbox.store.get("login_link", token)
        if link is None or link["is_over"] or sandbox.config.clock() >= link["expires_at"]:
            return None
        link["is_over"] = True
        sandbox.store.put("login_link", token, link)
        return str(link["account"])
