"""Sending one payout: a look at the account, the intent written down, the request, and what its answer proves.

Commit, call, commit: no transaction is open while Stripe is asked, and no outcome is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.attempts import AnswerClass, Outcome, StripeAnswer, classify
from portal.domain.payouts import PayoutMethod, PayoutStatus, WaitReason
from portal.domain.verdicts import Listing, Step
from portal.gateways.stripe import (
    MOST_UNHEARD,
    StripeGateway,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
)
from portal.models import Payout
from portal.models.base import Database, reading
from portal.services.accounts import Accounts
from portal.services.attempts import Attempts, Intent
from portal.services.claims import Claim
from portal.services.journal import Cause
from portal.services.transfer_requests import transfer_group

#: For so many seconds the account is what it was when it was looked at.
LOOK_LASTS_SECONDS = 30


@dataclass
class Run:
    """What a run knows from one payout to the next."""

    cause: Cause
    short: set[str] = field(default_factory=set)
    """Currencies that the platform's balance does not cover any more."""
    unheard: int = 0
    """How many times in a row Stripe gave no answer, or one that says nothing."""

    @property
    def is_stripe_away(self) -> bool:
        """Whether to leave the rest to the next run."""
        return self.unheard >= MOST_UNHEARD

    def heard(self, answer: StripeAnswer, *, is_again: bool) -> None:
        """A request for a transfer came back, or did not. A 5xx to one that is sent again may be the first answer,
        saved under its key: it says nothing of today, and must not keep those behind it waiting until the key is old.
        https://docs.stripe.com/api/idempotent_requests"""
        has_failed = answer.http_status is not None and answer.http_status >= 500
        if not (has_failed and is_again):
            self.unheard = self.unheard + 1 if has_failed or answer.http_status is None else 0

    def stumbled(self, problem: StripeProblemError) -> None:
        """A question about one payout came to nothing; a no about one account is an answer."""
        self.unheard = 0 if isinstance(problem, StripeRefusedError) else self.unheard + 1


class Sending:
    """Passes a claimed payout on."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        accounts: Accounts,
        attempts: Attempts,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._accounts = accounts
        self._attempts = attempts

    def pass_on(self, claim: Claim, run: Run) -> Outcome:
        """One payout, as far as it goes. Raises StripeKeyRefusedError."""
        if claim.status is PayoutStatus.held:
            status = self._look_at_held(claim, run)
            if status is not PayoutStatus.approved or claim.method is not PayoutMethod.fiat:
                return Outcome.held if status is PayoutStatus.held else Outcome.skipped
        if claim.status is PayoutStatus.processing:
            outcome = self._resume(claim, run)
        elif self._has_no_cover(claim, run):
            outcome = Outcome.waiting
        else:
            outcome = self._send(claim, run)
        if outcome is Outcome.waiting and self._waits_for_funds(claim.payout_id):
            run.short.add(claim.currency)  # oldest first: nobody younger is served before
        return outcome

    def _look_at_held(self, claim: Claim, run: Run) -> PayoutStatus:
        """Whether the reason is gone, by what Stripe says now; it stays held while Stripe can't be asked."""
        if claim.method is PayoutMethod.fiat:
            try:
                self._accounts.look(claim.affiliate_id, claim.destination, cause=run.cause)
            except StripeKeyRefusedError:
                raise
            except StripeProblemError as problem:
                run.stumbled(problem)
                return PayoutStatus.held
        return self._attempts.reconsider(claim.payout_id, cause=run.cause)

    def _has_no_cover(self, claim: Claim, run: Run) -> bool:
        if claim.currency in run.short or (claim.wait_reason is WaitReason.funds and self._is_short(claim)):
            self._attempts.note_wait(claim.payout_id, WaitReason.funds)
            return True
        return False

    def _send(self, claim: Claim, run: Run) -> Outcome:
        """Fresh look, the turn at Stripe, intent, post: what is written down leaves at once."""
        try:
            if claim.status is not PayoutStatus.held:  # whoever was held was looked at just now
                self._accounts.look(claim.affiliate_id, claim.destination, cause=run.cause)
            if claim.generations and (
                found := self._stripe.transfers_in_group(transfer_group(claim.payout_id))
            ):
                # every attempt had failed, unless somebody else has begun another by now
                return self._attempts.record_found(
                    claim.payout_id, Listing(found, asked_at=None), cause=run.cause
                )
            if self._stripe.await_transfer() > LOOK_LASTS_SECONDS:
                self._accounts.look(claim.affiliate_id, claim.destination, cause=run.cause)
        except StripeKeyRefusedError:
            raise
        except StripeProblemError as problem:
            run.stumbled(problem)
            self._attempts.note_wait(claim.payout_id, WaitReason.stripe_away)
            return Outcome.waiting
        intent = self._attempts.intend(claim.payout_id, cause=run.cause)
        return intent if isinstance(intent, Outcome) else self._post(intent, claim, run)

    def _post(self, intent: Intent, claim: Claim, run: Run) -> Outcome:
        answer = self._stripe.create_transfer(intent.parameters, key=intent.key)
        run.heard(answer, is_again=claim.status is PayoutStatus.processing)
        meaning = classify(answer, intent.parameters)
        is_fresh = meaning is AnswerClass.refused and self._look_again(claim, run)
        outcome = self._attempts.record(intent, answer, is_account_fresh=is_fresh, cause=run.cause)
        if meaning is AnswerClass.key_refused:
            raise StripeKeyRefusedError(f"Stripe refused the platform's key ({answer.http_status})")
        return outcome

    def _resume(self, claim: Claim, run: Run) -> Outcome:
        """Go on with an attempt whose outcome is not known: the same key while it is young, the list of its group
        when it is old, and in between first a look whether it is there."""
        if claim.step is Step.leave:
            return Outcome.unknown
        if claim.step is Step.wait:
            return Outcome.waiting
        if claim.step is Step.post and (outcome := self._send_again(claim, run)) is not None:
            return outcome
        asked_at = self._clock.now()
        try:
            found = self._stripe.transfers_in_group(transfer_group(claim.payout_id))
        except StripeKeyRefusedError:
            raise
        except StripeProblemError as problem:
            run.stumbled(problem)
            return Outcome.unknown
        is_still_to_post = claim.step is Step.look_first and not found
        if is_still_to_post and (outcome := self._send_again(claim, run)) is not None:
            return outcome
        return self._attempts.record_found(
            claim.payout_id, Listing(found, asked_at=asked_at), cause=run.cause
        )

    def _send_again(self, claim: Claim, run: Run) -> Outcome | None:
        """The same attempt once more; None where it may not be sent any more."""
        try:
            self._stripe.await_transfer()
        except StripeProblemError as problem:
            run.stumbled(problem)
            return Outcome.unknown
        intent = self._attempts.intend_again(claim.payout_id)
        return self._post(intent, claim, run) if isinstance(intent, Intent) else None

    def _look_again(self, claim: Claim, run: Run) -> bool:
        try:
            self._accounts.look(claim.affiliate_id, claim.destination, cause=run.cause)
        except StripeProblemError as problem:
            run.stumbled(problem)
            return False
        return True

    def _is_short(self, claim: Claim) -> bool:
        """Whether the platform's balance does not cover a payout that it did not cover before."""
        try:
            return self._stripe.platform_balance().available.get(claim.currency, 0) < claim.amount
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            return True

    @reading
    def _waits_for_funds(self, payout_id: UUID) -> bool:
        return (
            self._database.scalar(sa.select(Payout.wait_reason).where(Payout.id == payout_id))
            is WaitReason.funds
        )
