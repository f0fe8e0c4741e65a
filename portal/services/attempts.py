"""Attempts at sending a payout: written before the request leaves, and again when its answer is in.

Each method is one unit of work; none of them asks Stripe anything. `transfers` strings them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import AnswerClass, AttemptState, Outcome, StripeAnswer, classify, pause_seconds
from portal.domain.payouts import PayoutStatus, WaitReason
from portal.domain.verdicts import (
    Heard,
    Listing,
    Verdict,
    after_answer,
    after_listing,
    idempotency_key,
    next_step,
    reconsidered,
)
from portal.models import Affiliate, Installation, Payout, PayoutAttempt
from portal.models.base import Database, writing
from portal.services.holds import Holds
from portal.services.journal import Cause
from portal.services.payout_moves import PayoutMoves
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_requests import transfer_parameters

log = structlog.get_logger(__name__)


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
            payout_id=payout.id,
            generation=generation,
            idempotency_key=idempotency_key(payout.id, generation),
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
        """One more try of an open attempt, counted before it leaves; not while the gate is closed, nor under a key
        that has become too old since the run took the payout."""
        affiliate, payout = self._moves.lock(payout_id)
        attempt, now = self._live(payout_id), self._clock.now()
        step = next_step(attempt, now, next_try_at=payout.next_try_at)
        if attempt is None or not step.may_post or self._switch.is_halted_within():
            return Outcome.skipped
        if self._holds.reason(affiliate, payout) is not None:
            return Outcome.unknown
        attempt.tries += 1
        attempt.unresolved_tries += 1
        attempt.last_sent_at, attempt.request_id = now, None  # until it is answered
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
        heard = Heard(
            meaning,
            transfer_id=str(answer.made["id"]) if answer.made and meaning is AnswerClass.success else None,
            hold_reason=self._holds.reason(affiliate, payout),
            is_account_fresh=is_account_fresh,
        )
        verdict = after_answer(attempt, heard)
        if meaning is not AnswerClass.success and not attempt.state.is_proven:
            attempt.last_answer = meaning
            attempt.error_code, attempt.error_message = answer.error_code, answer.message or None
            attempt.request_id = answer.request_id
        if verdict.is_tried_again:
            self._next_try(payout, attempt, answer.retry_after_seconds)
        if verdict.state is AttemptState.parked:
            log.error("transfer.parked", payout=payout.reference, problem=answer.message)
        if verdict.status is PayoutStatus.failed:
            payout.reason = answer.message
        return self._write(verdict, affiliate, payout, attempt, cause=cause)

    @writing
    def record_found(self, payout_id: UUID, listing: Listing, *, cause: Cause) -> Outcome:
        """What listing the payout's group at Stripe proves: one matching transfer settles it, none is proof only when
        no request could land any more, anything else stops all sending."""
        affiliate, payout = self._moves.lock(payout_id)
        attempt = self._live(payout_id)
        reason = self._holds.reason(affiliate, payout)
        verdict = after_listing(attempt, listing, paid_by=payout.transfer_id, hold_reason=reason)
        return self._write(verdict, affiliate, payout, attempt, cause=cause)

    @writing
    def reconsider(self, payout_id: UUID, *, cause: Cause) -> PayoutStatus:
        """Look at a held payout again: approved once the reason is gone, canceled if its account is another now."""
        affiliate, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.held:
            reason = self._holds.reason(affiliate, payout)
            status = reconsidered(reason)
            if status is PayoutStatus.held:
                payout.hold_reason = reason
                return status
            if status is PayoutStatus.canceled:
                payout.reason = "The Stripe account changed after the payout was approved."
            self._moves.move(payout, status, affiliate=affiliate, cause=cause)
        return payout.status

    @writing
    def note_wait(self, payout_id: UUID, reason: WaitReason) -> None:
        """Why an approved payout was not tried in this run."""
        _, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.approved:
            payout.wait_reason = reason

    def _write(
        self,
        verdict: Verdict,
        affiliate: Affiliate,
        payout: Payout,
        attempt: PayoutAttempt | None,
        *,
        cause: Cause,
    ) -> Outcome:
        """Write down what follows, the attempt first: what the payout becomes leans on it."""
        if verdict.alarm is not None:
            self._switch.halt_within(f"{payout.reference}: {verdict.alarm}")
        if attempt is not None:
            self._write_attempt(verdict, attempt)
        if verdict.state is AttemptState.parked:
            payout.next_try_at = None  # nothing is tried again before a person has looked
        if verdict.status is not None:
            payout.transfer_id = verdict.transfer_id
            payout.next_try_at = None
            payout.hold_reason, payout.wait_reason = verdict.hold_reason, verdict.wait_reason
            self._moves.move(payout, verdict.status, affiliate=affiliate, cause=cause)
        return verdict.outcome

    def _write_attempt(self, verdict: Verdict, attempt: PayoutAttempt) -> None:
        if verdict.unresolved_tries is not None:
            attempt.unresolved_tries = verdict.unresolved_tries
        if verdict.state is not None:
            attempt.state, attempt.transfer_id = verdict.state, verdict.transfer_id
            attempt.ended_at = self._clock.now() if verdict.state.is_proven else None
        self._database.flush()

    def _next_try(
        self, payout: Payout, attempt: PayoutAttempt, retry_after_seconds: int | None = None
    ) -> None:
        """Set before the request leaves, so that a worker that dies is followed by another."""
        pause = timedelta(seconds=pause_seconds(attempt.tries, retry_after_seconds, spread=payout.id.int))
        payout.next_try_at = self._clock.now() + pause

    def _generations(self, payout_id: UUID) -> int:
        newest = sa.select(sa.func.max(PayoutAttempt.generation)).where(PayoutAttempt.payout_id == payout_id)
        return self._database.scalar(newest) or 0

    def _live(self, payout_id: UUID) -> PayoutAttempt | None:
        return self._database.scalar(
            sa.select(PayoutAttempt).where(
                PayoutAttempt.payout_id == payout_id, PayoutAttempt.state != AttemptState.failed
            )
        )
