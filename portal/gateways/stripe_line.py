"""The line to Stripe: one client, every error said in our own words, lists read to their end.

Only the address changes between production, a stand-in and a test; the SDK, its error mapping and its encoding are
always the real ones.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

import stripe

from portal.domain.attempts import StripeAnswer
from portal.gateways.stripe_transport import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    PacedTransport,
    StripePace,
    StripeTransport,
    seconds_of,
)

#: Reading again does no harm. What makes something is tried once: a hidden second try would report its own answer and
#: hide that the first one's outcome is unknown. The SDK itself never retries, and never would after a 429.
READ_RETRIES = 2

#: Whoever hears nothing so many times in a row leaves the rest for later. A timeout each takes hours.
MOST_UNHEARD = 3

#: The first pause before a read is tried again; the next one is twice as long.
RETRY_PAUSE_SECONDS = 0.5

_CONFLICT, _TOO_MANY, _FIRST_FAULT = 409, 429, 500

#: How many an answer of Stripe's list holds at most. https://docs.stripe.com/api/pagination
PAGE = 100

# it would write a file into the home directory
stripe.enable_telemetry = False

# it would write whole answers at DEBUG: account links, which are bearer secrets, and what people told Stripe
logging.getLogger("stripe").setLevel(logging.WARNING)

T = TypeVar("T")


class StripeProblemError(Exception):
    """What every other error of this room is."""


class StripeUnavailableError(StripeProblemError):
    """No usable answer: nothing is known, and asking again later makes sense."""


class StripeBusyError(StripeUnavailableError):
    """The portal asks more of Stripe than it may: nothing was sent."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("too much is being asked of Stripe just now")
        self.retry_after_seconds = retry_after_seconds


class StripeKeyRefusedError(StripeProblemError):
    """Stripe does not accept the platform's key; nothing may be concluded about any account or payout."""


class StripeRefusedError(StripeProblemError):
    """Stripe understood and said no; `code` is Stripe's word for why, if it has one."""

    def __init__(self, problem: stripe.StripeError) -> None:
        super().__init__(_message(problem))
        self.code = _code(problem)
        self.http_status = problem.http_status


class StripeLine:
    """How each part of the gateway asks. `before_call` is told of every question before it leaves; `pace` lets each of
    its tries leave when its turn has come."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str | None,
        transport: StripeTransport | None,
        before_call: Callable[[], None],
        pace: StripePace,
    ) -> None:
        self._before_call = before_call
        self._pace = pace
        self._is_live = secret_key.startswith(("sk_live_", "rk_live_"))
        self._transport = PacedTransport(transport or new_transport(), pace)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses=cast(Any, {"api": api_base} if api_base else {}),
            http_client=self._transport,
            max_network_retries=0,
        )

    def _pages(
        self, listed: Callable[[Any, Any], Any], wanted: Mapping[str, Any], *, account_id: str | None = None
    ) -> Iterator[Any]:
        """Everything of a list, page by page; the platform's or an account's. https://docs.stripe.com/api/pagination"""
        after: str | None = None
        while True:
            data, after = self._page(listed, wanted, after=after, account_id=account_id)
            yield from data
            if after is None:
                return

    def _page(
        self,
        listed: Callable[[Any, Any], Any],
        wanted: Mapping[str, Any],
        *,
        after: str | None,
        account_id: str | None = None,
    ) -> tuple[list[Any], str | None]:
        """One page, and after what the next one begins; None if it is the last."""
        asked = {**wanted, "limit": PAGE} | ({"starting_after": after} if after else {})
        options = of_account(account_id) if account_id else {}
        # a 403 speaks of the account, where one is named
        page = self._ask(lambda: listed(asked, options), is_key_at_stake=account_id is None)
        return page.data, page.data[-1].id if page.has_more and page.data else None

    def _ask(self, call: Callable[[], T], *, is_key_at_stake: bool = True) -> T:
        """Read, or make what may be made twice; raises one of this module's errors."""
        self._before_call()
        for retries in range(READ_RETRIES + 1):
            try:
                return call()
            except stripe.StripeError as problem:
                if retries == READ_RETRIES or not _may_pass(problem):
                    raise _in_our_words(problem, is_key_at_stake=is_key_at_stake) from problem
            pause = RETRY_PAUSE_SECONDS * 2**retries
            self._pace.pause(random.uniform(pause / 2, pause))  # noqa: S311 - no secret
        raise AssertionError("unreachable")

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
                retry_after_seconds=seconds_of(headers.get("retry-after", "")),
                request_id=problem.request_id,
            )
        except StripeBusyError as problem:  # what Stripe itself would have said
            return StripeAnswer(
                http_status=_TOO_MANY,
                error_code="rate_limit",
                message=str(problem),
                retry_after_seconds=math.ceil(problem.retry_after_seconds),
            )
        return StripeAnswer(
            http_status=200, made=made.to_dict(), request_id=getattr(made.last_response, "request_id", None)
        )


def new_transport() -> StripeTransport:
    """The SDK's own way to Stripe."""
    return stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))


def made_since(since: datetime, until: datetime | None = None) -> dict[str, Any]:
    latest = {"lte": int(until.timestamp())} if until else {}
    return {"created": {"gte": int(since.timestamp())} | latest}


def of_account(account_id: str) -> Any:
    """Speak as a connected account. https://docs.stripe.com/connect/authentication"""
    return {"stripe_account": account_id}


def once(key: str) -> Any:
    return {"idempotency_key": key}


def _may_pass(problem: stripe.StripeError) -> bool:
    """Whether the same question may be answered in a moment; where Stripe says, it knows best.
    https://docs.stripe.com/error-low-level"""
    headers = {name.lower(): value for name, value in (problem.headers or {}).items()}
    if isinstance(problem, stripe.APIConnectionError):
        return problem.should_retry
    status = problem.http_status or 0
    is_passing = status in {_CONFLICT, _TOO_MANY} or status >= _FIRST_FAULT
    return {"true": True, "false": False}.get(headers.get("stripe-should-retry", ""), is_passing)


def _in_our_words(problem: stripe.StripeError, *, is_key_at_stake: bool) -> StripeProblemError:
    match problem:
        case stripe.AuthenticationError():
            return StripeKeyRefusedError("Stripe refused the platform's key")
        case stripe.PermissionError() if is_key_at_stake:
            return StripeKeyRefusedError("Stripe refused the platform's key")
        case stripe.RateLimitError():
            return StripeUnavailableError("Stripe asked us to slow down")
        case stripe.PermissionError() | stripe.InvalidRequestError():
            return StripeRefusedError(problem)
        case _:
            return StripeUnavailableError(f"Stripe gave no usable answer ({type(problem).__name__})")


def _code(problem: stripe.StripeError) -> str | None:
    # the exception's own `code` is empty for 401, 403, 409, 429 and 5xx
    code = getattr(problem.error, "code", None) or problem.code
    return str(code)[:255] if code else None


def _message(problem: stripe.StripeError) -> str:
    message = getattr(problem.error, "message", None) or problem.user_message or type(problem).__name__
    return str(message)[:500]
