"""The portal's rules, and wrong ones to try in their place: each is one idea that sounds reasonable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from portal.domain.attempts import (
    POST_WINDOW,
    AnswerClass,
    AttemptState,
    Outcome,
    StripeAnswer,
    classify,
    pause_seconds,
)
from portal.domain.payouts import PayoutStatus
from portal.domain.verdicts import (
    Heard,
    Listing,
    Step,
    Verdict,
    absence_proven_at,
    after_answer,
    after_listing,
    idempotency_key,
    next_step,
)


@dataclass
class Attempt:
    """A row of the book of attempts."""

    generation: int
    parameters: dict[str, object]
    state: AttemptState
    tries: int
    unresolved_tries: int
    first_sent_at: datetime
    last_sent_at: datetime
    transfer_id: str | None = None
    last_answer: str | None = None
    request_id: str | None = None


class Policy:
    """The portal's own: nothing is decided here, all is asked of the domain."""

    name = "the portal's"
    counts_before_the_call = True
    looks_before_a_new_generation = True
    pauses = staticmethod(pause_seconds)

    def key(self, payout_id: UUID, attempt: Attempt) -> str:
        return idempotency_key(payout_id, attempt.generation)

    def classify(self, answer: StripeAnswer, asked: dict[str, object]) -> AnswerClass:
        return classify(answer, asked)

    def next_step(self, attempt: Attempt | None, now: datetime, *, next_try_at: datetime | None) -> Step:
        return next_step(attempt, now, next_try_at=next_try_at)

    def after_answer(self, attempt: Attempt, heard: Heard) -> Verdict:
        return after_answer(attempt, heard)

    def after_listing(
        self, attempt: Attempt | None, listing: Listing, *, paid_by: str | None, taken: Attempt | None
    ) -> Verdict:
        """`taken` is the attempt for which the list was asked; another one may be open by now."""
        return after_listing(attempt, listing, paid_by=paid_by)


class _PostsForEver(Policy):
    looks_before_a_new_generation = False

    def next_step(self, attempt: Attempt | None, now: datetime, *, next_try_at: datetime | None) -> Step:
        return Step.post if attempt is not None and attempt.state is AttemptState.open else Step.leave


class SameKeyForEver(_PostsForEver):
    name = "the same key for ever"


class NewKeyPerRetry(_PostsForEver):
    name = "a new key per retry"

    def key(self, payout_id: UUID, attempt: Attempt) -> str:
        return f"payout-{payout_id}-{attempt.generation}-{attempt.tries}"


class DateInKey(_PostsForEver):
    name = "a key with the date in it"

    def key(self, payout_id: UUID, attempt: Attempt) -> str:
        return f"payout-{payout_id}-{attempt.last_sent_at.date()}"


class GiveBackOnTimeout(Policy):
    name = "give the money back on a timeout"

    def after_answer(self, attempt: Attempt, heard: Heard) -> Verdict:
        if heard.meaning is AnswerClass.ambiguous and attempt.state is AttemptState.open:
            return Verdict(Outcome.failed, state=AttemptState.failed, status=PayoutStatus.failed)
        return super().after_answer(attempt, heard)


class _ProvesEarly(Policy):
    """Concludes from an empty list after this long."""

    proof_after: timedelta

    def after_listing(
        self, attempt: Attempt | None, listing: Listing, *, paid_by: str | None, taken: Attempt | None
    ) -> Verdict:
        if attempt is not None and listing.asked_at is not None:
            is_proof = listing.asked_at - attempt.first_sent_at >= self.proof_after
            listing = replace(listing, asked_at=absence_proven_at(attempt) if is_proof else None)
        return after_listing(attempt, listing, paid_by=paid_by)


class ListAfterFiveMinutes(_ProvesEarly):
    name = "list after 5 minutes, then a new key"
    proof_after = timedelta(minutes=5)

    def next_step(self, attempt: Attempt | None, now: datetime, *, next_try_at: datetime | None) -> Step:
        step = super().next_step(attempt, now, next_try_at=next_try_at)
        is_old = attempt is not None and now - attempt.first_sent_at >= self.proof_after
        return Step.look if step is Step.post and is_old else step


class NoPause(_ProvesEarly):
    name = "no pause before a new key"
    proof_after = POST_WINDOW


class Every400IsDefinite(Policy):
    name = "take every 400 as definite"

    def classify(self, answer: StripeAnswer, asked: dict[str, object]) -> AnswerClass:
        meaning = classify(answer, asked)
        is_plain = answer.http_status == 400 and meaning is not AnswerClass.waiting_for_funds
        return AnswerClass.refused if is_plain else meaning

    def after_answer(self, attempt: Attempt, heard: Heard) -> Verdict:
        is_400 = heard.meaning in {AnswerClass.refused, AnswerClass.waiting_for_funds}
        return super().after_answer(replace(attempt, unresolved_tries=1) if is_400 else attempt, heard)


class AmbiguousAfterTheCall(Policy):
    name = "write “ambiguous” after the call"
    counts_before_the_call = False

    def after_answer(self, attempt: Attempt, heard: Heard) -> Verdict:
        return super().after_answer(replace(attempt, unresolved_tries=attempt.unresolved_tries + 1), heard)


class AnyListIsProof(Policy):
    name = "a list proves absence for whatever is open by now"

    def after_listing(
        self, attempt: Attempt | None, listing: Listing, *, paid_by: str | None, taken: Attempt | None
    ) -> Verdict:
        is_proof = (
            taken is not None
            and listing.asked_at is not None
            and listing.asked_at >= absence_proven_at(taken)
        )
        if attempt is not None:
            listing = replace(listing, asked_at=absence_proven_at(attempt) if is_proof else None)
        return after_listing(attempt, listing, paid_by=paid_by)


class NarrowPause(_ProvesEarly):
    """Right as long as our clock is."""

    name = "post for 23 hours, conclude after 25, whatever our clock did"
    proof_after = timedelta(hours=25)

    def next_step(self, attempt: Attempt | None, now: datetime, *, next_try_at: datetime | None) -> Step:
        step = super().next_step(attempt, now, next_try_at=next_try_at)
        is_young = attempt is not None and now - attempt.first_sent_at < timedelta(hours=23)
        return Step.post if step in {Step.look_first, Step.look} and is_young else step


THE_PORTALS = Policy()
WRONG: tuple[Policy, ...] = (
    SameKeyForEver(),
    NewKeyPerRetry(),
    DateInKey(),
    GiveBackOnTimeout(),
    ListAfterFiveMinutes(),
    Every400IsDefinite(),
    AmbiguousAfterTheCall(),
    NoPause(),
    AnyListIsProof(),
    NarrowPause(),
)

POLICIES: dict[str, Policy] = {policy.name: policy for policy in (THE_PORTALS, *WRONG)}
