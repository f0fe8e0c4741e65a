"""What an answer or a listing means for an attempt and its payout, and what is done next about one that is open.

Each rule is asked inside the unit of work that writes down what follows, of the attempt as it stands there: between
the question and the answer somebody else may have been at work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from portal.domain.attempts import (
    IN_FLIGHT,
    KEY_LIFETIME,
    LONGEST_PAUSE_SECONDS,
    PROOF_AFTER,
    AnswerClass,
    AttemptState,
    Outcome,
    may_post,
)
from portal.domain.payouts import HoldReason, PayoutStatus, WaitReason

#: What proves that a try was not executed and need not be tried under the same key.
_NOT_DONE = frozenset({AnswerClass.refused, AnswerClass.waiting_for_funds, AnswerClass.key_refused})

#: Why it goes back to approved; after a refused key it stands there as if no run had come by.
_WAIT_REASONS = {AnswerClass.waiting_for_funds: WaitReason.funds}


class Tried(Protocol):
    """What is written down of an attempt (times in UTC)."""

    @property
    def state(self) -> AttemptState: ...
    @property
    def parameters(self) -> Mapping[str, object]: ...
    @property
    def unresolved_tries(self) -> int: ...
    @property
    def transfer_id(self) -> str | None: ...
    @property
    def last_answer(self) -> str | None: ...
    @property
    def request_id(self) -> str | None:
        """Stripe's name for the last try, once that was answered."""

    @property
    def first_sent_at(self) -> datetime: ...
    @property
    def last_sent_at(self) -> datetime: ...


class Made(Protocol):
    """A transfer at Stripe."""

    @property
    def id(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def destination(self) -> str: ...


@dataclass(frozen=True)
class Heard:
    """An answer as it was read, and what else counts by the time it is written down."""

    meaning: AnswerClass
    transfer_id: str | None
    """What a success says that it made."""
    hold_reason: HoldReason | None
    """What the gate says now."""
    is_account_fresh: bool
    """Whether the account was looked at again since the answer."""


@dataclass(frozen=True)
class Listing:
    """All transfers of a payout's group; without `asked_at` (UTC) it is only good for finding."""

    found: Sequence[Made]
    asked_at: datetime | None


class Step(StrEnum):
    """What a run does about an attempt that may be open."""

    leave = "leave"
    """Nothing: it waits for a person."""
    wait = "wait"
    """Stripe asked for a pause."""
    post = "post"
    """The same key and bytes once more."""
    look_first = "look_first"
    """The same key once more, if Stripe's list of the group is empty: nothing was sent for so long that nothing can be
    on its way, but the key may be older than our clock says."""
    look = "look"
    """The key is too old: only Stripe's list of the group tells."""

    @property
    def may_post(self) -> bool:
        """Whether a request may leave under the same key."""
        return self in {Step.post, Step.look_first}


@dataclass(frozen=True)
class Verdict:
    """What is written down in one unit of work, for the attempt and its payout; None leaves it as it is."""

    outcome: Outcome
    state: AttemptState | None = None
    unresolved_tries: int | None = None
    transfer_id: str | None = None
    status: PayoutStatus | None = None
    hold_reason: HoldReason | None = None
    wait_reason: WaitReason | None = None
    is_tried_again: bool = False
    """Under the same key, after a pause."""
    alarm: str | None = None
    """Why all sending stops."""


def idempotency_key(payout_id: UUID, generation: int) -> str:
    """One for each generation of a payout, for ever."""
    return f"payout-{payout_id}-g{generation}"


def next_step(attempt: Tried | None, now: datetime, *, next_try_at: datetime | None) -> Step:
    """What to do now about a payout's newest attempt."""
    if attempt is None or attempt.state is not AttemptState.open:
        return Step.leave
    if attempt.last_answer == AnswerClass.not_executed and _is_soon(next_try_at, now):
        return Step.wait
    if may_post(attempt.first_sent_at, now):
        return Step.post
    is_quiet = now - attempt.last_sent_at >= IN_FLIGHT
    return Step.look_first if is_quiet and now - attempt.first_sent_at < KEY_LIFETIME else Step.look


def _is_soon(next_try_at: datetime | None, now: datetime) -> bool:
    """Whether it lies ahead, by no more than a pause can last: else it was set by a clock that was ahead."""
    longest = timedelta(seconds=LONGEST_PAUSE_SECONDS)
    return next_try_at is not None and now < next_try_at <= now + longest


def absence_proven_at(attempt: Tried) -> datetime:
    """From when on a listing without a transfer proves that the attempt made none: at once if every try is answered,
    by none having been carried out. Of a parked one it is not known what was sent under its key first, so that its
    last time counts."""
    if attempt.state is AttemptState.parked:
        return attempt.last_sent_at + PROOF_AFTER
    if not attempt.unresolved_tries:
        return attempt.first_sent_at
    landed_at = attempt.last_sent_at + (IN_FLIGHT if attempt.request_id is None else timedelta(0))
    return max(attempt.first_sent_at + PROOF_AFTER, landed_at)


def after_answer(attempt: Tried, heard: Heard) -> Verdict:
    """What follows from an answer. After a refusal the account must have been looked at again before the payout fails
    for good."""
    meaning = heard.meaning
    if meaning is AnswerClass.success:
        return _after_success(attempt, heard.transfer_id)
    if meaning is AnswerClass.alarm:
        return Verdict(Outcome.unknown, alarm="Stripe made another transfer than was asked for.")
    if attempt.state.is_proven:
        return Verdict(Outcome.paid if attempt.state is AttemptState.succeeded else Outcome.unknown)
    if meaning is AnswerClass.our_bug:
        return Verdict(Outcome.unknown, state=AttemptState.parked)
    # this try is answered; a no is definite only if no other of this generation may yet land
    unresolved = max(attempt.unresolved_tries - (meaning is not AnswerClass.ambiguous), 0)
    if meaning not in _NOT_DONE or unresolved:
        outcome = Outcome.unknown if unresolved else Outcome.waiting
        return Verdict(outcome, unresolved_tries=unresolved, is_tried_again=True)
    if meaning is AnswerClass.refused:
        return _after_refusal(heard)
    return _not_sent(heard.hold_reason, wait_reason=_WAIT_REASONS.get(meaning), unresolved_tries=0)


def _after_success(attempt: Tried, transfer_id: str | None) -> Verdict:
    """Stripe says that it made what was asked for; nothing else may have been known of it before."""
    if attempt.state in {AttemptState.open, AttemptState.parked}:
        return _settled(transfer_id)
    if attempt.transfer_id == transfer_id:
        return Verdict(Outcome.paid)
    return Verdict(Outcome.unknown, alarm="Stripe made a transfer that was proven not to exist.")


def _after_refusal(heard: Heard) -> Verdict:
    if heard.hold_reason is not None or not heard.is_account_fresh:
        return _not_sent(heard.hold_reason, wait_reason=WaitReason.stripe_away, unresolved_tries=0)
    return Verdict(Outcome.failed, state=AttemptState.failed, unresolved_tries=0, status=PayoutStatus.failed)


def _not_sent(
    hold_reason: HoldReason | None, *, wait_reason: WaitReason | None, unresolved_tries: int | None
) -> Verdict:
    """Proven: the payout goes back to where the next run finds it, and is held if its affiliate lost their standing
    while it was under way."""
    is_held = hold_reason is not None
    return Verdict(
        Outcome.held if is_held else Outcome.waiting,
        state=AttemptState.failed,
        unresolved_tries=unresolved_tries,
        status=PayoutStatus.held if is_held else PayoutStatus.approved,
        hold_reason=hold_reason,
        wait_reason=None if is_held else wait_reason,
    )


def after_listing(
    attempt: Tried | None, listing: Listing, *, paid_by: str | None, hold_reason: HoldReason | None = None
) -> Verdict:
    """What a listing proves of the payout's attempt that is not proven failed; `paid_by` is the transfer that the
    payout has already, `hold_reason` what the gate says now. Absence is concluded only from a list that Stripe was
    asked for when no request of this very attempt could land any more."""
    found = listing.found
    if paid_by is not None:
        is_other = any(transfer.id != paid_by for transfer in found)
        return Verdict(
            Outcome.paid, alarm="Stripe has another transfer for it than ours." if is_other else None
        )
    if attempt is None:
        return Verdict(
            Outcome.skipped,
            alarm="Stripe has a transfer for it that no attempt of ours made." if found else None,
        )
    if len(found) == 1 and is_as_asked(found[0], attempt.parameters):
        return _settled(found[0].id)
    if found:
        count = len(found)
        return Verdict(
            Outcome.unknown, alarm=f"Stripe has {count} transfers for it, or another than was asked for."
        )
    if listing.asked_at is None or listing.asked_at < absence_proven_at(attempt):
        return Verdict(Outcome.unknown)
    return _not_sent(hold_reason, wait_reason=None, unresolved_tries=None)


def is_as_asked(transfer: Made, asked: Mapping[str, object]) -> bool:
    """Whether a transfer is the one that was asked for."""
    return (transfer.amount, transfer.currency, transfer.destination) == (
        asked["amount"],
        asked["currency"],
        asked["destination"],
    )


def reconsidered(hold_reason: HoldReason | None) -> PayoutStatus:
    """Where a held payout stands once it has been looked at again: its destination never changes."""
    if hold_reason is None:
        return PayoutStatus.approved
    return PayoutStatus.canceled if hold_reason is HoldReason.account_changed else PayoutStatus.held


def _settled(transfer_id: str | None) -> Verdict:
    return Verdict(
        Outcome.paid,
        state=AttemptState.succeeded,
        unresolved_tries=0,
        transfer_id=transfer_id,
        status=PayoutStatus.paid,
    )
