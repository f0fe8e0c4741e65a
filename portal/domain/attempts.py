"""One attempt to make something at Stripe: what an answer proves, and when it is safe to ask again.

An attempt is written down, as of unknown outcome, before the request leaves. Only a definite answer changes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

#: From here on a request of this attempt can no longer land, so that a listing without it proves it never ran.
PROOF_AFTER = timedelta(hours=25)

#: The longest that a request which was written down takes to reach Stripe, a worker that stalls included.
LANDS_WITHIN = timedelta(hours=2)

#: By so much our clock may be set forward or back while an attempt is open.
CLOCK_SHIFT = timedelta(hours=6)

#: As long as that, whatever our clock was set to meanwhile, a request may be on its way.
IN_FLIGHT = LANDS_WITHIN + CLOCK_SHIFT

#: How long a key is posted without a look at what Stripe has: its last request has landed before absence is concluded.
POST_WINDOW = PROOF_AFTER - IN_FLIGHT

#: A key is never posted again this long after its first time: Stripe may prune it after 24 hours, and then the same
#: key runs again. https://docs.stripe.com/api/idempotent_requests
KEY_LIFETIME = timedelta(hours=23)

#: Pauses between tries of one attempt double from the first to the last.
FIRST_PAUSE_SECONDS = 20
LONGEST_PAUSE_SECONDS = 3_600

#: 400s under an idempotency key that is still running or saved for other parameters.
_KEY_MISUSED = "idempotency_error"
_KEY_IN_USE = 409
_TOO_MANY = 429
_KEY_REFUSED = frozenset({401, 403})


class AttemptState(StrEnum):
    """What is known of an attempt."""

    open = "open"
    """It may or may not have happened, or may still be tried under its key."""
    succeeded = "succeeded"
    failed = "failed"
    """Proven not to have happened; another generation may begin."""
    parked = "parked"
    """Our own mistake; a person must look, and nothing is tried again."""

    @property
    def is_proven(self) -> bool:
        """Whether it is known for good what became of it."""
        return self in {AttemptState.succeeded, AttemptState.failed}


class AnswerClass(StrEnum):
    """What one answer of Stripe's means for an attempt."""

    success = "success"
    alarm = "alarm"
    """Stripe did something other than what was asked: stop all sending."""
    ambiguous = "ambiguous"
    """It may have happened: same key, same bytes, later."""
    not_executed = "not_executed"
    """This try did not run; that says nothing of earlier ones."""
    our_bug = "our_bug"
    waiting_for_funds = "waiting_for_funds"
    refused = "refused"
    """Definitely not done, if no earlier try of the generation is of unknown outcome."""
    key_refused = "key_refused"
    """Our own key is not accepted: nothing is known about the payout, and nothing may be changed."""


class Outcome(StrEnum):
    """What a run did about one payout; also the names of the run's counts."""

    paid = "paid"
    held = "held"
    waiting = "waiting"
    failed = "failed"
    unknown = "unknown"
    skipped = "skipped"


@dataclass(frozen=True)
class StripeAnswer:
    """What came back: no `http_status` when nothing readable did; `made` is the object of a 200, a plain dict."""

    http_status: int | None
    made: Mapping[str, object] | None = None
    error_type: str | None = None
    error_code: str | None = None
    message: str = ""
    retry_after_seconds: int | None = None
    request_id: str | None = field(default=None, compare=False)


def classify(answer: StripeAnswer, asked: Mapping[str, object]) -> AnswerClass:
    """What an answer to a request with these parameters proves. Stripe saves and replays 4xx and 5xx under a key, may
    answer 409 while the first request still runs, and executes nothing on 401, 403 or 429. A 4xx without Stripe's
    word for the error (its type, or in v2 its code) comes from somebody in between, such as a proxy's 408, and proves
    nothing.
    https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/error-low-level
    """
    status = answer.http_status
    if status is None or status >= 500 or status == _KEY_IN_USE:
        return AnswerClass.ambiguous
    if status == 200:
        return _classify_success(answer.made, asked)
    if status == _TOO_MANY:
        return AnswerClass.not_executed
    if status in _KEY_REFUSED:
        return AnswerClass.key_refused
    if _KEY_MISUSED in (answer.error_type, answer.error_code):
        return AnswerClass.our_bug
    if answer.error_code == "balance_insufficient":
        return AnswerClass.waiting_for_funds
    if status >= 400 and (answer.error_type or answer.error_code):
        return AnswerClass.refused
    return AnswerClass.ambiguous


def _classify_success(made: Mapping[str, object] | None, asked: Mapping[str, object]) -> AnswerClass:
    if not made or not isinstance(made.get("id"), str):
        return AnswerClass.ambiguous
    same = all(
        made.get(name) == asked[name] for name in ("amount", "currency", "destination") if name in asked
    )
    return AnswerClass.success if same else AnswerClass.alarm


def may_post(first_sent_at: datetime, now: datetime) -> bool:
    """Whether the attempt's key may be sent once more."""
    return now - first_sent_at < POST_WINDOW


def may_conclude_absence(first_sent_at: datetime, now: datetime) -> bool:
    """Whether finding nothing at Stripe proves that nothing happened."""
    return now - first_sent_at >= PROOF_AFTER


def pause_seconds(tries: int, retry_after_seconds: int | None = None, *, spread: int = 0) -> int:
    """Seconds to wait after so many tries, doubling; as long as Stripe asked for, but never past the longest pause.
    `spread` (any number, the same for one payout) shortens it by up to a quarter, so that what failed together does
    not come back together."""
    doubled = FIRST_PAUSE_SECONDS << min(max(tries - 1, 0), 16)
    pause = min(max(doubled, retry_after_seconds or 0), LONGEST_PAUSE_SECONDS)
    earlier = pause - spread % (pause // 4 + 1)
    return max(earlier, min(retry_after_seconds or 0, LONGEST_PAUSE_SECONDS))
