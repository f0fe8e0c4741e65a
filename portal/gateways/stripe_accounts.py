"""Connected accounts at Stripe, the links into its pages, and the platform's own account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from portal.domain.accounts import AccountFacts, facts_from_stripe
from portal.domain.attempts import StripeAnswer
from portal.gateways.stripe_line import StripeLine, StripeRefusedError, made_since, once

#: How Stripe answers when an account is deleted, or the platform has lost access to it.
_GONE = frozenset({403, 404})


@dataclass(frozen=True)
class AccountsPage:
    """A page of the list of accounts, newest first."""

    accounts: Sequence[AccountFacts]
    next_after: str | None
    """The account after which the next page begins; None if there is none."""


class StripeAccountsApi(StripeLine):
    """What is asked about accounts."""

    def create_account(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer:
        """Make a connected account. https://docs.stripe.com/api/accounts/create"""
        return self._answer(lambda: self._client.v1.accounts.create(cast(Any, parameters), once(key)))

    def create_account_v2(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer:
        """The same by Accounts v2; what is made is shown in the shape of v2, and v1 reads it under the same id.
        https://docs.stripe.com/api/v2/core/accounts/create"""
        return self._answer(lambda: self._client.v2.core.accounts.create(cast(Any, parameters), once(key)))

    def create_account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        """A single-use address of Stripe's hosted onboarding: a bearer secret, never stored or logged.
        https://docs.stripe.com/api/account_links/create"""
        link = self._ask(
            lambda: self._client.v1.account_links.create(
                {
                    "account": account_id,
                    "type": "account_onboarding",
                    "refresh_url": refresh_url,
                    "return_url": return_url,
                }
            )
        )
        return link.url

    def create_login_link(self, account_id: str) -> str:
        """A single-use address of the Express dashboard; refused until onboarding is done.
        https://docs.stripe.com/api/accounts/login_link/create"""
        return self._ask(lambda: self._client.v1.accounts.login_links.create(account_id)).url

    def retrieve_account(self, account_id: str) -> AccountFacts:
        """The account as it is now; one that is gone, or not ours any more, comes back as such.
        https://docs.stripe.com/api/accounts/retrieve"""
        try:
            account = self._ask(lambda: self._client.v1.accounts.retrieve(account_id), is_key_at_stake=False)
        except StripeRefusedError as problem:
            if problem.http_status not in _GONE:
                raise
            # a wrong platform key gives the same 403: only if ours is good does it speak of the account
            self._ask(self._client.v1.accounts.retrieve_current)
            return AccountFacts.gone(account_id)
        return facts_from_stripe(account.to_dict())

    def accounts_made_since(self, since: datetime) -> Iterator[AccountFacts]:
        """Every connected account made since then, newest first. https://docs.stripe.com/api/accounts/list"""
        for account in self._pages(self._client.v1.accounts.list, made_since(since)):
            yield facts_from_stripe(account.to_dict())

    def accounts_after(self, account_id: str | None) -> AccountsPage:
        """A page of the platform's connected accounts, from the newest, or those made before this one. Nobody says that
        the list holds all that a retrieve would find. https://docs.stripe.com/api/accounts/list"""
        shown, next_after = self._page(self._client.v1.accounts.list, {}, after=account_id)
        return AccountsPage([facts_from_stripe(account.to_dict()) for account in shown], next_after)

    def platform(self) -> str:
        """Whose key ours is, and of which mode: the platform's own account. https://docs.stripe.com/api/accounts"""
        account = self._ask(self._client.v1.accounts.retrieve_current)
        return f"{account.id} {'live' if self._is_live else 'test'}"
