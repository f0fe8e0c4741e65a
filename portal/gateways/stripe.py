"""Stripe, in our own words: facts come back, and errors that say retry, refused or unknown.

The SDK is touched here and in `stripe_signatures` alone. Only the address changes between production, a stand-in and a
test; the SDK, its error mapping and its encoding are always the real ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

import stripe

from portal.domain.accounts import AccountFacts, facts_from_stripe
from portal.domain.attempts import StripeAnswer
from portal.gateways import bank_payout_facts as bank
from portal.gateways.transfer_facts import ReversalFacts, TransferFacts, transfer_facts

#: Longer than Stripe usually takes for its slowest call, short enough that a worker notices that it is away.
TIMEOUT_SECONDS = 25

#: Reading again does no harm. What makes something is never retried inside the SDK: a hidden second try would report
#: its own answer and hide that the first one's outcome is unknown.
READ_RETRIES = 2

#: How many an answer of Stripe's list holds at most. https://docs.stripe.com/api/pagination
PAGE = 100

#: How Stripe answers when an account is deleted, or the platform has lost access to it.
_GONE = frozenset({403, 404})

# it would write a file into the home directory
stripe.enable_telemetry = False

# it would write whole answers at DEBUG: account links, which are bearer secrets, and what people told Stripe
logging.getLogger("stripe").setLevel(logging.WARNING)

T = TypeVar("T")

#: How requests travel; the SDK's own by default.
StripeTransport = stripe.HTTPClient


class StripeProblemError(Exception):
    """What every other error of this room is."""


class StripeUnavailableError(StripeProblemError):
    """No usable answer: nothing is known, and asking again later makes sense."""


class StripeKeyRefusedError(StripeProblemError):
    """Stripe does not accept the platform's key; nothing may be concluded about any account or payout."""


class StripeRefusedError(StripeProblemError):
    """Stripe understood and said no; `code` is Stripe's word for why, if it has one."""

    def __init__(self, problem: stripe.StripeError) -> None:
        super().__init__(_message(problem))
        self.code = _code(problem)
        self.http_status = problem.http_status


class StripeGateway(Protocol):
    """What the portal asks of Stripe."""

    def create_account(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer: ...
    def create_account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str: ...
    def create_login_link(self, account_id: str) -> str: ...
    def retrieve_account(self, account_id: str) -> AccountFacts: ...
    def accounts_made_since(self, since: datetime) -> Iterator[AccountFacts]: ...
    def create_transfer(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer: ...
    def transfers_in_group(self, group: str) -> list[TransferFacts]: ...
    def transfers_since(self, since: datetime) -> Iterator[TransferFacts]: ...
    def retrieve_transfer(self, transfer_id: str) -> TransferFacts: ...
    def reversals_of(self, transfer_id: str) -> list[ReversalFacts]: ...
    def available_balance(self) -> Mapping[str, int]: ...
    def events_since(
        self, since: datetime, *, types: Sequence[str], account_id: str | None = None
    ) -> Iterator[dict[str, Any]]: ...
    def retrieve_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutFacts: ...
    def bank_payouts_since(self, account_id: str, since: datetime) -> Iterator[bank.BankPayoutFacts]: ...
    def contents_of_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutContents: ...
    def platform(self) -> str: ...


class StripeApi:
    """The real one. `before_call` is told of every request before it leaves."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str | None,
        transport: StripeTransport | None,
        before_call: Callable[[], None],
    ) -> None:
        self._before_call = before_call
        self._is_live = secret_key.startswith(("sk_live_", "rk_live_"))
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses=cast(Any, {"api": api_base} if api_base else {}),
            http_client=transport or stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=READ_RETRIES,
        )

    def create_account(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer:
        """Make a connected account. https://docs.stripe.com/api/accounts/create"""
        return self._answer(lambda: self._client.v1.accounts.create(cast(Any, parameters), _once(key)))

    def create_transfer(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer:
        """Move money to a connected account. https://docs.stripe.com/api/transfers/create"""
        return self._answer(lambda: self._client.v1.transfers.create(cast(Any, parameters), _once(key)))

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
        for account in self._pages(self._client.v1.accounts.list, _made_since(since)):
            yield facts_from_stripe(account.to_dict())

    def transfers_in_group(self, group: str) -> list[TransferFacts]:
        """Every transfer of a group: the only question about the past that Stripe answers for ever.
        https://docs.stripe.com/api/transfers/list"""
        found = self._pages(self._client.v1.transfers.list, {"transfer_group": group})
        return [transfer_facts(transfer) for transfer in found]

    def transfers_since(self, since: datetime) -> Iterator[TransferFacts]:
        """Every transfer made since then, whoever made it, newest first; Stripe is asked as they are taken.
        https://docs.stripe.com/api/transfers/list"""
        for transfer in self._pages(self._client.v1.transfers.list, _made_since(since)):
            yield transfer_facts(transfer)

    def events_since(
        self, since: datetime, *, types: Sequence[str], account_id: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The platform's own events of up to 20 types, or a connected account's, newest first; Stripe keeps them for
        30 days. https://docs.stripe.com/api/events/list"""
        asked = _made_since(since) | {"types": list(types)}
        for event in self._pages(self._client.v1.events.list, asked, account_id=account_id):
            yield event.to_dict()

    def retrieve_transfer(self, transfer_id: str) -> TransferFacts:
        """One transfer. https://docs.stripe.com/api/transfers/retrieve"""
        return transfer_facts(self._ask(lambda: self._client.v1.transfers.retrieve(transfer_id)))

    def reversals_of(self, transfer_id: str) -> list[ReversalFacts]:
        """Every reversal of a transfer. https://docs.stripe.com/api/transfer_reversals/list"""
        listed = self._client.v1.transfers.reversals.list
        found = self._pages(lambda asked, options: listed(transfer_id, asked, options), {})
        return [ReversalFacts(reversal.id, reversal.amount) for reversal in found]

    def available_balance(self) -> Mapping[str, int]:
        """What the platform can send now, by currency, in minor units. https://docs.stripe.com/api/balance"""
        balance = self._ask(self._client.v1.balance.retrieve)
        return {fund.currency: fund.amount for fund in balance.available}

    def retrieve_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutFacts:
        """One payout of a connected account to its bank. https://docs.stripe.com/api/payouts/retrieve"""
        retrieve, asked = self._client.v1.payouts.retrieve, {"expand": ["failure_balance_transaction"]}
        payout = self._ask(
            lambda: retrieve(payout_id, cast(Any, asked), _of_account(account_id)), is_key_at_stake=False
        )
        return bank.bank_payout_facts(account_id, payout)

    def bank_payouts_since(self, account_id: str, since: datetime) -> Iterator[bank.BankPayoutFacts]:
        """Every payout of an account to its bank since then, newest first. https://docs.stripe.com/api/payouts/list"""
        asked = _made_since(since) | {"expand": ["data.failure_balance_transaction"]}
        for payout in self._pages(self._client.v1.payouts.list, asked, account_id=account_id):
            yield bank.bank_payout_facts(account_id, payout)

    def contents_of_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutContents:
        """What is in an itemised bank payout; of any other Stripe refuses to tell.
        https://docs.stripe.com/api/balance_transactions/list"""
        asked = {"payout": payout_id, "expand": ["data.source"]}
        found = self._pages(self._client.v1.balance_transactions.list, asked, account_id=account_id)
        return bank.bank_payout_contents(payout_id, found)

    def platform(self) -> str:
        """Whose key ours is, and of which mode: the platform's own account. https://docs.stripe.com/api/accounts"""
        account = self._ask(self._client.v1.accounts.retrieve_current)
        return f"{account.id} {'live' if self._is_live else 'test'}"

    def _pages(
        self, listed: Callable[[Any, Any], Any], wanted: Mapping[str, Any], *, account_id: str | None = None
    ) -> Iterator[Any]:
        """Everything of a list, page by page; the platform's or an account's. https://docs.stripe.com/api/pagination"""
        asked: dict[str, Any] = {**wanted, "limit": PAGE}
        options = _of_account(account_id) if account_id else {}
        while True:
            # a 403 speaks of the account, where one is named
            page = self._ask(lambda: listed(asked, options), is_key_at_stake=account_id is None)
            yield from page.data
            if not page.has_more or not page.data:
                return
            asked["starting_after"] = page.data[-1].id

    def _ask(self, call: Callable[[], T], *, is_key_at_stake: bool = True) -> T:
        """Read, or make what may be made twice; raises one of this module's errors."""
        self._before_call()
        try:
            return call()
        except stripe.AuthenticationError as problem:
            raise StripeKeyRefusedError("Stripe refused the platform's key") from problem
        except stripe.PermissionError as problem:
            if is_key_at_stake:
                raise StripeKeyRefusedError("Stripe refused the platform's key") from problem
            raise StripeRefusedError(problem) from problem
        except stripe.RateLimitError as problem:
            raise StripeUnavailableError("Stripe asked us to slow down") from problem
        except stripe.InvalidRequestError as problem:
            raise StripeRefusedError(problem) from problem
        except stripe.StripeError as problem:
            raise StripeUnavailableError(
                f"Stripe gave no usable answer ({type(problem).__name__})"
            ) from problem

    def _answer(self, call: Callable[[], Any]) -> StripeAnswer:
        """Make something once, and say what came back without judging it."""
        self._before_call()
        try:
            made = call()
        except stripe.StripeError as problem:
            headers = {name.lower(): value for name, value in (problem.headers or {}).items()}
            return StripeAnswer(
                http_status=problem.http_status,
                error_type=getattr(problem.error, "type", None),
                error_code=_code(problem),
                message=_message(problem),
                retry_after_seconds=_seconds(headers.get("retry-after", "")),
                request_id=problem.request_id,
            )
        return StripeAnswer(
            http_status=200, made=made.to_dict(), request_id=getattr(made.last_response, "request_id", None)
        )


def _made_since(since: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}}


def _of_account(account_id: str) -> Any:
    """Speak as a connected account. https://docs.stripe.com/connect/authentication"""
    return {"stripe_account": account_id}


def _once(key: str) -> Any:
    return {"idempotency_key": key, "max_network_retries": 0}


def _seconds(retry_after: str) -> int | None:
    is_number = retry_after.isascii() and retry_after.isdigit()
    return int(retry_after[:9]) if is_number else None


def _code(problem: stripe.StripeError) -> str | None:
    # the exception's own `code` is empty for 401, 403, 409, 429 and 5xx
    code = getattr(problem.error, "code", None) or problem.code
    return str(code)[:255] if code else None


def _message(problem: stripe.StripeError) -> str:
    message = getattr(problem.error, "message", None) or problem.user_message or type(problem).__name__
    return str(message)[:500]
