"""Stripe as its documentation describes it, as far as transfers go, and the line that leads there.

https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/error-low-level
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from random import Random
from typing import Protocol, cast

from portal.domain.attempts import StripeAnswer

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

#: How long Stripe keeps a key at least: it promises a day, and what is tried here survives an hour less, with clocks
#: that jump by hours besides. https://docs.stripe.com/api/idempotent_requests
KEPT_FOR = DAY - HOUR

#: After this the client gives up.
TIMEOUT_SECONDS = 25.0

#: How long after the client gave up a request may still land.
LONGEST_ON_THE_WAY = 70 * MINUTE

STRIPES = "invalid_request_error"
NOTHING = StripeAnswer(None)


class Fate(StrEnum):
    """What becomes of one request."""

    fine = "fine"
    lost = "lost"
    """It never arrives."""
    unheard = "unheard"
    """It is carried out; timeout, reset or a torn body instead of the answer."""
    late = "late"
    """The client has given up when it lands."""
    proxy_no = "proxy_no"
    """Somebody in between says 400 or 502; it may land all the same."""
    failed_early = "failed_early"
    """500 before anything began; not saved."""
    failed_before = "failed_before"
    """500 while it was carried out, nothing made; saved."""
    failed_after = "failed_after"
    """500 although the transfer was made; saved."""
    refused_early = "refused_early"
    """400 before anything began; not saved."""
    refused = "refused"
    """400, saved."""
    too_many = "too_many"
    in_use = "in_use"
    key_refused = "key_refused"


FAILED = StripeAnswer(500, error_type="api_error", request_id="req_1")
REFUSED = StripeAnswer(400, error_type=STRIPES, error_code="account_invalid", request_id="req_1")
NO_FUNDS = StripeAnswer(400, error_type=STRIPES, error_code="balance_insufficient", request_id="req_1")
MISUSED = StripeAnswer(400, error_type="idempotency_error", request_id="req_1")

#: What is answered before anything is carried out, and so not saved.
NOT_BEGUN = {
    Fate.failed_early: FAILED,
    Fate.refused_early: REFUSED,
    Fate.too_many: StripeAnswer(429, request_id="req_1"),
    Fate.in_use: StripeAnswer(
        409, error_type=STRIPES, error_code="idempotency_key_in_use", request_id="req_1"
    ),
    Fate.key_refused: StripeAnswer(401, error_type=STRIPES),
}

Reply = Callable[[StripeAnswer], None]


class Timeline(Protocol):
    """Simulated time."""

    now: float
    """In seconds."""

    def after(self, seconds: float, do: Callable[[], None]) -> None: ...
    def note(self, line: str) -> None: ...


def _nobody(answer: StripeAnswer) -> None:
    """Whoever asked has given up."""


@dataclass(frozen=True)
class Transfer:
    """One that was made."""

    id: str
    amount: int
    currency: str
    destination: str
    group: str


@dataclass(frozen=True)
class Post:
    """A request to make a transfer."""

    key: str
    parameters: dict[str, object]


@dataclass(frozen=True)
class _Saved:
    parameters: dict[str, object]
    answer: StripeAnswer
    pruned_at: float


class Stripe:
    """Its keys, its transfers, the platform's balance and the affiliate's account there."""

    def __init__(self, timeline: Timeline, rng: Random) -> None:
        self._timeline = timeline
        self._rng = rng
        self._saved: dict[str, _Saved] = {}
        self._running: set[str] = set()
        self.on_the_way: Counter[str] = Counter()
        """Requests by key that have not been dealt with and will be."""
        self.transfers: list[Transfer] = []
        self.has_funds = True
        self.is_account_fine = True

    def send(self, post: Post, fate: Fate, reply: Reply) -> None:
        """Let a request leave; `reply` is called when the client hears something, or gives up."""
        rng, after = self._rng, self._timeline.after
        if fate in NOT_BEGUN:
            answer = NOT_BEGUN[fate]
            if fate is Fate.too_many:
                answer = replace(answer, retry_after_seconds=rng.choice((None, 1, 120, 7_200)))
            after(rng.uniform(0.1, 2), lambda: reply(answer))
        elif fate is Fate.lost:
            after(rng.choice((0.0, TIMEOUT_SECONDS)), lambda: reply(NOTHING))
        elif fate is Fate.proxy_no:
            answer = StripeAnswer(rng.choice((400, 408, 502)))
            if rng.random() < 0.5:
                self._land_in(rng.choice((0.5, rng.uniform(0, LONGEST_ON_THE_WAY))), post, fate)
            after(1, lambda: reply(answer))
        elif fate is Fate.late:
            self._land_in(
                TIMEOUT_SECONDS + rng.uniform(rng.choice((0, 0.8)), 1) * LONGEST_ON_THE_WAY, post, fate
            )
            after(TIMEOUT_SECONDS, lambda: reply(NOTHING))
        elif fate is Fate.unheard:
            self._land_in(rng.uniform(0.05, 1), post, fate)
            after(rng.choice((2.0, TIMEOUT_SECONDS)), lambda: reply(NOTHING))
        else:
            self._land_in(rng.uniform(0.05, 1), post, fate, reply)

    def found(self, group: str) -> list[Transfer]:
        """The list of a group: all there is at this moment."""
        return [transfer for transfer in self.transfers if transfer.group == group]

    def _land_in(self, seconds: float, post: Post, fate: Fate, reply: Reply = _nobody) -> None:
        self.on_the_way[post.key] += 1
        self._timeline.after(seconds, lambda: self._land(post, fate, reply))

    def _land(self, post: Post, fate: Fate, reply: Reply) -> None:
        saved = self._saved.get(post.key)
        if saved is not None and saved.pruned_at > self._timeline.now:
            self.on_the_way[post.key] -= 1
            reply(saved.answer if saved.parameters == post.parameters else MISUSED)
        elif post.key in self._running:
            self.on_the_way[post.key] -= 1
            reply(NOT_BEGUN[Fate.in_use])
        else:
            self._running.add(post.key)
            seconds = self._rng.choice((0.2, 2.0, 20.0))
            self._timeline.after(seconds, lambda: self._carry_out(post, fate, reply))

    def _carry_out(self, post: Post, fate: Fate, reply: Reply) -> None:
        self._running.discard(post.key)
        self.on_the_way[post.key] -= 1
        answer = self._result(post, fate)
        is_checked_first = answer in (REFUSED, NO_FUNDS) and self._rng.random() < 0.3
        if not is_checked_first:
            kept = KEPT_FOR + self._rng.choice((0, self._rng.uniform(0, 6 * HOUR), 20 * DAY))
            self._saved[post.key] = _Saved(post.parameters, answer, self._timeline.now + kept)
        reply(answer)

    def _result(self, post: Post, fate: Fate) -> StripeAnswer:
        if fate is Fate.failed_before:
            return FAILED
        if fate is Fate.refused or not self.is_account_fine:
            return REFUSED
        if not self.has_funds:
            return NO_FUNDS
        asked = post.parameters
        transfer = Transfer(
            id=f"tr_{len(self.transfers) + 1}",
            amount=cast(int, asked["amount"]),
            currency=cast(str, asked["currency"]),
            destination=cast(str, asked["destination"]),
            group=cast(str, asked["transfer_group"]),
        )
        self.transfers.append(transfer)
        self._timeline.note(f"Stripe makes {transfer.id} under {post.key}")
        return FAILED if fate is Fate.failed_after else StripeAnswer(200, made=asdict(transfer))
