"""The line to Stripe: one client, every error said in our own words, lists read to their end.

Only the address changes between production, a stand-in and a test; the SDK, its error mapping and its encoding are
always the real ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

import stripe

from portal.domain.attempts import StripeAnswer

#: Longer than Stripe usually takes for its slowest call, short enough that a worker notices that it is away.
TIMEOUT_SECONDS = 25

#: Reading again does no harm. What makes something is never retried inside the SDK: a hidden second try would report
#: its own answer and hide that the first one's outcome is unknown.
READ_RETRIES = 2

#: How many an answer of Stripe's list holds at most. https://docs.stripe.com/api/pagination
PAGE = 100

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


class StripeLine:
    """How each part of the gateway asks. `before_call` is told of every request before it leaves."""

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

    def _pages(
        self, listed: Callable[[Any, Any], Any], wanted: Mapping[str, Any], *, account_id: str | None = None
    ) -> Iterator[Any]:
        """Everything of a list, page by page; the platform's or an account's. https://docs.stripe.com/api/pagination"""
        asked: dict[str, Any] = {**wanted, "limit": PAGE}
        options = of_account(account_id) if account_id else {}
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


def made_since(since: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}}


def of_account(account_id: str) -> Any:
    """Speak as a connected account. https://docs.stripe.com/connect/authentication"""
    return {"stripe_account": account_id}


def once(key: str) -> Any:
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
