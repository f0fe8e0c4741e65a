"""Attempts at sending a payout: written before the request leaves, and again when its answer is in.

Each method is one unit of work; none of them asks Stripe anything. `transfers` strings them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import AnswerClass, AttemptState, Outcome, StripeAnswer, classify, pause_seconds
from portal.domain.payouts import HoldReason, PayoutStatus, WaitReason
from portal.gateways.transfer_facts import TransferFacts
from portal.models import Affiliate, Installation, Payout, PayoutAttempt
from portal.models.base import Database, new_id, writing
from portal.services.holds import Holds
from portal.services.journal import Cause
from portal.services.payout_moves import PayoutMoves
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_requests import is_as_asked, transfer_parameters

log = structlog.get_logger(__name__)


#: What proves that a try was not executed and need not be tried under the same key.
_NOT_DONE = frozenset({AnswerClass.refused, AnswerClass.waiting_for_funds, AnswerClass.key_refused})

#: Why it goes back to approved; after a refused key it stands there as if no run had come by.
_WAIT_REASONS = {AnswerClass.waiting_for_funds: WaitReason.funds}


@dataclass(frozen=True)
class Intent:
    """An attempt that is written down and may be sent: the key and the parameters never change."""

    attempt_id: UUID
    payout_id: UUID
    key: str
    parameters: dict[str, Any]


class Attempts:
    """The book of attempts."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        moves: PayoutMoves,
        switch: SendingSwitch,
        holds: Holds,
    ) -> None:
        self._database = database
        self._switch = switch
        self._clock = clock
        self._moves = moves
        self._holds = holds

    @writing
    def intend(self, payout_id: UUID, *, cause: Cause) -> Intent | Outcome:
        """The gate once more and the attempt, in one commit, as of unknown outcome already. Whoever may not be paid
        is held instead."""
        affiliate, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.held:  # by the look just now
            return Outcome.held
        if payout.status is not PayoutStatus.approved or self._switch.is_halted_within():
            return Outcome.skipped
        reason = self._holds.reason(affiliate, payout)
        if reason is not None:
            self._moves.hold(payout, reason, affiliate=affiliate, cause=cause)
            return Outcome.held
        now = self._clock.now()
        generation = self._generations(payout_id) + 1
        attempt = PayoutAttempt(
            id=new_id(),
            payout_id=payout.id,
            generation=generation,
            idempotency_key=f"payout-{payout.id}-g{generation}",
            parameters=transfer_parameters(
                payout, affiliate, installation=self._database.scalars(sa.select(Installation.id)).one()
            ),
            state=AttemptState.open,
            tries=1,
            unresolved_tries=1,
            first_sent_at=now,
            last_sent_at=now,
        )
        self._database.add(attempt)
        self._database.flush()
        self._next_try(payout, attempt)
        self._moves.move(payout, PayoutStatus.processing, affiliate=affiliate, cause=cause)
        return Intent(attempt.id, payout.id, attempt.idempotency_key, attempt.parameters)

    @writing
    def intend_again(self, payout_id: UUID) -> Intent | Outcome:
        """One more try of an open attempt, counted before it leaves; not while the gate is closed."""
        affiliate, payout = self._moves.lock(payout_id)
        attempt = self._live(payout_id)
        if attempt is None or attempt.state is not AttemptState.open or self._switch.is_halted_within():
            return Outcome.skipped
        if self._holds.reason(affiliate, payout) is not None:
            return Outcome.unknown
        attempt.tries += 1
        attempt.unresolved_tries += 1
        attempt.last_sent_at = self._clock.now()
        self._next_try(payout, attempt)
        return Intent(attempt.id, payout.id, attempt.idempotency_key, attempt.parameters)

    @writing
    def record(
        self, intent: Intent, answer: StripeAnswer, *, is_account_fresh: bool, cause: Cause
    ) -> Outcome:
        """What the answer proves, written down with its effect on the payout. After a refusal the account must have
        been looked at again (`is_account_fresh`) before the payout fails for good."""
        affiliate, payout = self._moves.lock(intent.payout_id)
        attempt = self._database.get_one(PayoutAttempt, intent.attempt_id)
        meaning = classify(answer, attempt.parameters)
        log.info(
            "transfer.answered",
            payout=payout.reference,
            key=intent.key,
            meaning=meaning,
            code=answer.error_code,
        )
        if answer.made is not None and meaning is AnswerClass.success:
            return self._made(affiliate, payout, attempt, str(answer.made["id"]), cause)
        if attempt.state.is_proven and meaning is not AnswerClass.alarm:
            return Outcome.paid if attempt.state is AttemptState.succeeded else Outcome.unknown
        attempt.last_answer = meaning
        attempt.error_code, attempt.error_message = answer.error_code, answer.message[:500] or None
        attempt.request_id = answer.request_id
        if meaning is AnswerClass.alarm:
            self._switch.halt_within(f"{payout.reference}: Stripe made another transfer than was asked for.")
            return Outcome.unknown
        if meaning is AnswerClass.our_bug:
            attempt.state = AttemptState.parked
            log.error("transfer.parked", payout=payout.reference, problem=answer.message)
            return Outcome.unknown
        if not self._is_proven_failed(attempt, meaning):
            self._next_try(payout, attempt, answer.retry_after_seconds)
            return Outcome.unknown if attempt.unresolved_tries else Outcome.waiting
        self._end(attempt, AttemptState.failed)
        payout.next_try_at = None
        if meaning is not AnswerClass.refused:
            return self._wait(affiliate, payout, _WAIT_REASONS.get(meaning), cause)
        return self._refused(affiliate, payout, answer, is_account_fresh=is_account_fresh, cause=cause)

    def _is_proven_failed(self, attempt: PayoutAttempt, meaning: AnswerClass) -> bool:
        """A no is definite only if no try of this generation is of unknown outcome: an earlier one may yet land."""
        if meaning is not AnswerClass.ambiguous and attempt.unresolved_tries:
            attempt.unresolved_tries -= 1  # this try is answered
        return meaning in _NOT_DONE and attempt.unresolved_tries == 0

    def _refused(
        self,
        affiliate: Affiliate,
        payout: Payout,
        answer: StripeAnswer,
        *,
        is_account_fresh: bool,
        cause: Cause,
    ) -> Outcome:
        reason = self._holds.reason(affiliate, payout)
        if reason is not None:
            self._moves.hold(payout, reason, affiliate=affiliate, cause=cause)
            return Outcome.held
        if not is_account_fresh:
            return self._wait(affiliate, payout, WaitReason.stripe_away, cause)
        payout.reason = answer.message[:500]
        self._moves.move(payout, PayoutStatus.failed, affiliate=affiliate, cause=cause)
        return Outcome.failed

    def _wait(self, affiliate: Affiliate, payout: Payout, reason: WaitReason | None, cause: Cause) -> Outcome:
        payout.wait_reason = reason
        self._moves.move(payout, PayoutStatus.approved, affiliate=affiliate, cause=cause)
        return Outcome.waiting

    @writing
    def record_found(
        self, payout_id: UUID, found: Sequence[TransferFacts], *, is_absence_proof: bool, cause: Cause
    ) -> Outcome:
        """What listing the payout's group at Stripe proves: one matching transfer settles it, none is proof only when
        no request can land any more, anything else stops all sending."""
        affiliate, payout = self._moves.lock(payout_id)
        attempt = self._live(payout_id)
        if payout.transfer_id is not None:
            if any(transfer.id != payout.transfer_id for transfer in found):
                self._switch.halt_within(f"{payout.reference}: Stripe has another transfer for it than ours.")
            return Outcome.paid
        if attempt is None:
            if found:
                self._switch.halt_within(
                    f"{payout.reference}: Stripe has a transfer for it that no attempt of ours made."
                )
            return Outcome.skipped
        if len(found) == 1 and is_as_asked(found[0], attempt.parameters):
            return self._succeeded(affiliate, payout, attempt, found[0].id, cause)
        if found:
            self._switch.halt_within(
                f"{payout.reference}: Stripe has {len(found)} transfers for it, or another than was asked for."
            )
            return Outcome.unknown
        if not is_absence_proof:
            return Outcome.unknown
        self._end(attempt, AttemptState.failed)
        payout.next_try_at = None
        self._moves.move(payout, PayoutStatus.approved, affiliate=affiliate, cause=cause)
        return Outcome.waiting

    @writing
    def reconsider(self, payout_id: UUID, *, cause: Cause) -> PayoutStatus:
        """Look at a held payout again: approved once the reason is gone, canceled if its account is another now."""
        affiliate, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.held:
            reason = self._holds.reason(affiliate, payout)
            if reason is None:
                self._moves.move(payout, PayoutStatus.approved, affiliate=affiliate, cause=cause)
            elif reason is HoldReason.account_changed:
                payout.reason = "The Stripe account changed after the payout was approved."
                self._moves.move(payout, PayoutStatus.canceled, affiliate=affiliate, cause=cause)
            else:
                payout.hold_reason = reason
        return payout.status

    @writing
    def note_wait(self, payout_id: UUID, reason: WaitReason) -> None:
        """Why an approved payout was not tried in this run."""
        _, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.approved:
            payout.wait_reason = reason

    def _made(
        self, affiliate: Affiliate, payout: Payout, attempt: PayoutAttempt, transfer_id: str, cause: Cause
    ) -> Outcome:
        """Stripe says that it made what was asked for; nothing else may have been known of it before."""
        if attempt.state in {AttemptState.open, AttemptState.parked}:
            return self._succeeded(affiliate, payout, attempt, transfer_id, cause)
        if attempt.transfer_id == transfer_id:
            return Outcome.paid
        self._switch.halt_within(f"{payout.reference}: Stripe made a transfer that was proven not to exist.")
        return Outcome.unknown

    def _succeeded(
        self, affiliate: Affiliate, payout: Payout, attempt: PayoutAttempt, transfer_id: str, cause: Cause
    ) -> Outcome:
        attempt.transfer_id = transfer_id
        attempt.unresolved_tries = 0
        self._end(attempt, AttemptState.succeeded)
        payout.transfer_id = transfer_id
        self._moves.move(payout, PayoutStatus.paid, affiliate=affiliate, cause=cause)
        return Outcome.paid

    def _next_try(
        self, payout: Payout, attempt: PayoutAttempt, retry_after_seconds: int | None = None
    ) -> None:
        """Set before the request leaves, so that a worker that dies is followed by another."""
        pause = timedelta(seconds=pause_seconds(attempt.tries, retry_after_seconds))
        payout.next_try_at = self._clock.now() + pause

    def _end(self, attempt: PayoutAttempt, state: AttemptState) -> None:
        attempt.state = state
        attempt.ended_at = self._clock.now()
        self._database.flush()

    def _generations(self, payout_id: UUID) -> int:
        newest = sa.select(sa.func.max(PayoutAttempt.generation)).where(PayoutAttempt.payout_id == payout_id)
        return self._database.scalar(newest) or 0

    def _live(self, payout_id: UUID) -> PayoutAttempt | None:
        return self._database.scalar(
            sa.select(PayoutAttempt).where(
                PayoutAttempt.payout_id == payout_id, PayoutAttempt.state != AttemptState.failed
            )
        )
