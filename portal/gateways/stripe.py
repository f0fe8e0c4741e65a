"""Stripe, in our own words: facts come back, and errors that say retry, refused or unknown.

The SDK is touched in the modules `stripe_…` of this room alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from portal.domain.accounts import AccountFacts
from portal.domain.attempts import StripeAnswer
from portal.domain.webhook_endpoints import EndpointFacts
from portal.gateways import bank_payout_facts as bank
from portal.gateways.stripe_accounts import AccountsPage, StripeAccountsApi
from portal.gateways.stripe_endpoints import StripeEndpointsApi
from portal.gateways.stripe_line import (
    MOST_UNHEARD,
    StripeBusyError,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
    StripeUnavailableError,
)
from portal.gateways.stripe_transfers import StripeTransfersApi
from portal.gateways.stripe_transport import Lane, StripePace, StripeTransport
from portal.gateways.transfer_facts import BalanceFacts, ReversalFacts, TransferFacts

__all__ = [
    "MOST_UNHEARD",
    "Lane",
    "StripeApi",
    "StripeBusyError",
    "StripeGateway",
    "StripeKeyRefusedError",
    "StripePace",
    "StripeProblemError",
    "StripeRefusedError",
    "StripeTransport",
    "StripeUnavailableError",
]


class StripeGateway(Protocol):
    """What the portal asks of Stripe."""

    def create_account(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer: ...
    def create_account_v2(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer: ...
    def create_account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str: ...
    def create_login_link(self, account_id: str) -> str: ...
    def retrieve_account(self, account_id: str) -> AccountFacts: ...
    def accounts_after(self, account_id: str | None) -> AccountsPage: ...
    def accounts_made_since(self, since: datetime) -> Iterator[AccountFacts]: ...
    def await_transfer(self) -> float: ...
    def create_transfer(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer: ...
    def transfers_in_group(self, group: str) -> list[TransferFacts]: ...
    def transfers_since(self, since: datetime) -> Iterator[TransferFacts]: ...
    def retrieve_transfer(self, transfer_id: str) -> TransferFacts: ...
    def reversals_of(self, transfer_id: str) -> list[ReversalFacts]: ...
    def platform_balance(self) -> BalanceFacts: ...
    def events_since(
        self,
        since: datetime,
        *,
        types: Sequence[str],
        account_id: str | None = None,
        until: datetime | None = None,
    ) -> Iterator[dict[str, Any]]: ...
    def retrieve_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutFacts: ...
    def bank_payouts_since(self, account_id: str, since: datetime) -> Iterator[bank.BankPayoutFacts]: ...
    def contents_of_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutContents: ...
    def platform(self) -> str: ...
    def webhook_endpoints(self) -> list[EndpointFacts]: ...


class StripeApi(StripeAccountsApi, StripeTransfersApi, StripeEndpointsApi):
    """The real one."""
