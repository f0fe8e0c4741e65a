"""Every endpoint of Stripe's API that the stand-in answers, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from portal.sandbox import (
    account_links,
    accounts,
    accounts_v2,
    balances,
    bank_payouts,
    event_list,
    transfers,
    webhook_endpoints,
)
from portal.sandbox.state import Call
from portal.sandbox.store import Document

Handler = Callable[[Call], Document]


@dataclass(frozen=True)
class Endpoint:
    """One method on one path; `operation` names its row in the table of parameters."""

    method: str
    template: str
    operation: str
    handler: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The ids in the path, or None when this is another endpoint."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


_ACCOUNT = "/v1/accounts/{account}"
_TRANSFER = "/v1/transfers/{transfer}"
_PAYOUT = "/v1/payouts/{payout}"

ENDPOINTS = (
    Endpoint("GET", "/v1/account", "accounts.retrieve_current", accounts.retrieve_current),
    Endpoint("GET", "/v1/accounts", "accounts.list", accounts.list_accounts),
    Endpoint("POST", "/v1/accounts", "accounts.create", accounts.create),
    Endpoint("GET", _ACCOUNT, "accounts.retrieve", accounts.retrieve),
    Endpoint("POST", _ACCOUNT, "accounts.update", accounts.update),
    Endpoint("DELETE", _ACCOUNT, "accounts.delete", accounts.delete),
    Endpoint("POST", f"{_ACCOUNT}/reject", "accounts.reject", accounts.reject),
    Endpoint("POST", f"{_ACCOUNT}/unreject", "accounts.unreject", accounts.unreject),
    Endpoint(
        "POST", f"{_ACCOUNT}/login_links", "accounts.create_login_link", account_links.create_login_link
    ),
    Endpoint(
        "GET",
        f"{_ACCOUNT}/external_accounts",
        "accounts.list_external_accounts",
        accounts.list_external_accounts,
    ),
    Endpoint(
        "GET",
        _ACCOUNT + "/external_accounts/{id}",
        "accounts.retrieve_external_account",
        accounts.retrieve_external_account,
    ),
    Endpoint("GET", f"{_ACCOUNT}/capabilities", "accounts.list_capabilities", accounts.list_capabilities),
    Endpoint(
        "GET", _ACCOUNT + "/capabilities/{id}", "accounts.retrieve_capability", accounts.retrieve_capability
    ),
    Endpoint(
        "POST", _ACCOUNT + "/capabilities/{id}", "accounts.update_capability", accounts.update_capability
    ),
    Endpoint("POST", "/v1/account_links", "account_links.create", account_links.create),
    Endpoint("GET", "/v1/balance", "balance.retrieve", balances.retrieve),
    Endpoint("GET", "/v1/balance_transactions", "balance_transactions.list", balances.list_transactions),
    Endpoint(
        "GET",
        "/v1/balance_transactions/{id}",
        "balance_transactions.retrieve",
        balances.retrieve_transaction,
    ),
    Endpoint("GET", "/v1/transfers", "transfers.list", transfers.list_transfers),
    Endpoint("POST", "/v1/transfers", "transfers.create", transfers.create),
    Endpoint("GET", _TRANSFER, "transfers.retrieve", transfers.retrieve),
    Endpoint("POST", _TRANSFER, "transfers.update", transfers.update),
    Endpoint("GET", f"{_TRANSFER}/reversals", "transfers.list_reversals", transfers.list_reversals),
    Endpoint("POST", f"{_TRANSFER}/reversals", "transfers.create_reversal", transfers.create_reversal),
    Endpoint(
        "GET", _TRANSFER + "/reversals/{id}", "transfers.retrieve_reversal", transfers.retrieve_reversal
    ),
    Endpoint("GET", "/v1/payouts", "payouts.list", bank_payouts.list_payouts),
    Endpoint("POST", "/v1/payouts", "payouts.create", bank_payouts.create),
    Endpoint("GET", _PAYOUT, "payouts.retrieve", bank_payouts.retrieve),
    Endpoint("POST", _PAYOUT, "payouts.update", bank_payouts.update),
    Endpoint("POST", f"{_PAYOUT}/cancel", "payouts.cancel", bank_payouts.cancel),
    Endpoint("GET", "/v1/events", "events.list", event_list.list_events),
    Endpoint("GET", "/v1/events/{id}", "events.retrieve", event_list.retrieve),
    Endpoint("GET", "/v1/webhook_endpoints", "webhook_endpoints.list", webhook_endpoints.list_endpoints),
    Endpoint("POST", "/v2/core/accounts", "v2.accounts.create", accounts_v2.create),
    Endpoint("GET", "/v2/core/accounts/{account}", "v2.accounts.retrieve", accounts_v2.retrieve),
)


def find(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint for a request with the ids of its path, or None."""
    for endpoint in ENDPOINTS:
        ids = endpoint.match(method, path)
        if ids is not None:
            return endpoint, ids
    return None
