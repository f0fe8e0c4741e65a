"""The portal's tables and units of work, of one affiliate and the payouts of one and the same money.

Each method is one commit. What follows from what is asked of the policy; here it is only written down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from portal.domain.accounts import AccountStatus
from portal.domain.attempts import AnswerClass, AttemptState, StripeAnswer
from portal.domain.gate import Payee, Timing, run_hold
from portal.domain.payouts import (
    LEASE,
    HoldReason,
    MoveIsNotLegal,
    PayoutMethod,
    PayoutStatus,
    WaitReason,
    advance,
    is_leased,
)
from portal.domain.verdicts import Heard, Listing, Step, Verdict, reconsidered
from tests.simulation.policies import Attempt, Policy
from tests.simulation.stripe import Post, Transfer

ACCOUNT = "acct_1"


@dataclass
class Payout:
    """A row. Those of one chain are for the same money: one begins when the one before gave it back."""

    id: UUID
    status: PayoutStatus = PayoutStatus.requested
    hold_reason: HoldReason | None = None
    wait_reason: WaitReason | None = None
    transfer_id: str | None = None
    next_try_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def live(self) -> Attempt | None:
        """The attempt that is not proven failed; there is at most one."""
        newest = self.attempts[-1] if self.attempts else None
        return newest if newest is not None and newest.state is not AttemptState.failed else None

    @property
    def group(self) -> str:
        return f"payout-{self.id}"


@dataclass(frozen=True)
class Claim:
    """A payout taken by a worker, as it stood then."""

    payout: Payout
    status: PayoutStatus
    wait_reason: WaitReason | None
    generations: int
    taken: Attempt | None
    step: Step


@dataclass(frozen=True)
class Intent:
    """What may be sent now."""

    payout: Payout
    attempt: Attempt
    post: Post


class Witness(Protocol):
    """Sees what is written down, and says what is against the rules."""

    def clock(self) -> datetime: ...
    def is_gone(self, owner: str) -> bool: ...
    def began(self, payout: Payout) -> None: ...
    def moved(self, payout: Payout, before: PayoutStatus) -> None: ...
    def halted(self, why: str) -> None: ...


class Book:
    """The tables."""

    def __init__(self, witness: Witness, policy: Policy) -> None:
        self._witness = witness
        self._policy = policy
        self.is_halted = False
        self.is_blocked = False
        self.account_status = AccountStatus.verified
        self.payouts: list[Payout] = []

    @property
    def payout(self) -> Payout:
        """The newest."""
        return self.payouts[-1]

    def request(self) -> None:
        """The same money again."""
        self.payouts.append(Payout(UUID(int=len(self.payouts) + 1)))

    def decide(self, wanted: PayoutStatus) -> bool:
        """What people may do to a payout: approve, reject, cancel; whether it was possible."""
        payout = self.payout
        is_allowed = payout.live is None and (
            payout.status is PayoutStatus.requested or wanted is not PayoutStatus.approved
        )
        return is_allowed and self._try(lambda: self._move(payout, wanted))

    def hurry(self) -> None:
        """An operator wants it taken up now."""
        self.payout.next_try_at = self._witness.clock()

    def claim(self, owner: str) -> Claim | None:
        payout, now = self.payout, self._witness.clock()
        if self.is_halted or payout.status not in {
            PayoutStatus.approved,
            PayoutStatus.held,
            PayoutStatus.processing,
        }:
            return None
        if is_leased(payout.lease_until, now) and not self._witness.is_gone(payout.lease_owner or ""):
            return None
        payout.lease_owner, payout.lease_until = owner, now + LEASE
        newest = payout.attempts[-1] if payout.attempts else None
        step = self._policy.next_step(newest, now, next_try_at=payout.next_try_at)
        return Claim(payout, payout.status, payout.wait_reason, len(payout.attempts), newest, step)

    def let_go(self, payout: Payout, owner: str) -> None:
        if payout.lease_owner == owner:
            payout.lease_owner = payout.lease_until = None

    def intend(self, payout: Payout) -> Intent | None:
        if payout.status is not PayoutStatus.approved or self.is_halted:
            return None
        reason = self._hold_reason()
        if reason is not None:
            payout.hold_reason = reason
            self._move(payout, PayoutStatus.held)
            return None
        now = self._witness.clock()
        counted = int(self._policy.counts_before_the_call)
        attempt = Attempt(
            generation=len(payout.attempts) + 1,
            parameters={
                "amount": 1_000,
                "currency": "usd",
                "destination": ACCOUNT,
                "transfer_group": payout.group,
            },
            state=AttemptState.open,
            tries=1,
            unresolved_tries=counted,
            first_sent_at=now,
            last_sent_at=now,
        )
        if payout.live is not None:
            raise MoveIsNotLegal("Another attempt is not proven failed.")  # a unique index
        payout.attempts.append(attempt)
        self._next_try(payout, attempt)
        self._move(payout, PayoutStatus.processing)
        self._witness.began(payout)
        return self._intent(payout, attempt)

    def intend_again(self, payout: Payout) -> Intent | None:
        attempt, now = payout.live, self._witness.clock()
        step = self._policy.next_step(attempt, now, next_try_at=payout.next_try_at)
        if attempt is None or not step.may_post or self.is_halted or self._hold_reason() is not None:
            return None
        attempt.tries += 1
        attempt.unresolved_tries += int(self._policy.counts_before_the_call)
        attempt.last_sent_at, attempt.request_id = now, None
        self._next_try(payout, attempt)
        return self._intent(payout, attempt)

    def record(self, intent: Intent, answer: StripeAnswer, *, is_account_fresh: bool) -> None:
        payout, attempt = intent.payout, intent.attempt
        meaning = self._policy.classify(answer, attempt.parameters)
        made = answer.made["id"] if answer.made and meaning is AnswerClass.success else None
        heard = Heard(
            meaning,
            transfer_id=None if made is None else str(made),
            hold_reason=self._hold_reason(),
            is_account_fresh=is_account_fresh,
        )
        verdict = self._policy.after_answer(attempt, heard)
        is_news = meaning is not AnswerClass.success and not attempt.state.is_proven
        self._write(verdict, payout, attempt)
        if is_news:
            attempt.last_answer, attempt.request_id = meaning, answer.request_id
        if verdict.is_tried_again:
            self._next_try(payout, attempt, answer.retry_after_seconds)

    def record_found(
        self, payout: Payout, found: list[Transfer], *, asked_at: datetime | None, taken: Attempt | None
    ) -> None:
        verdict = self._policy.after_listing(
            payout.live, Listing(found, asked_at), paid_by=payout.transfer_id, taken=taken
        )
        self._write(verdict, payout, payout.live)

    def write_look(self, status: AccountStatus) -> None:
        """What the account is by now; what was approved is held if it can't be paid any more."""
        self.account_status = status
        reason = self._hold_reason()
        if reason is not None and self.payout.status is PayoutStatus.approved:
            self.payout.hold_reason = reason
            self._move(self.payout, PayoutStatus.held)

    def reconsider(self, payout: Payout) -> PayoutStatus:
        if payout.status is PayoutStatus.held:
            payout.hold_reason = self._hold_reason()
            status = reconsidered(payout.hold_reason)
            if status is not PayoutStatus.held:
                self._move(payout, status)
        return payout.status

    def note_wait(self, payout: Payout, reason: WaitReason) -> None:
        if payout.status is PayoutStatus.approved:
            payout.wait_reason = reason

    def halt(self, why: str) -> None:
        self.is_halted = True
        self._witness.halted(why)

    def _write(self, verdict: Verdict, payout: Payout, attempt: Attempt | None) -> None:
        if verdict.status is not None:
            advance(payout.status, verdict.status)  # all or nothing
        if verdict.alarm is not None:
            self.halt(verdict.alarm)
        if attempt is not None and verdict.unresolved_tries is not None:
            attempt.unresolved_tries = verdict.unresolved_tries
        if attempt is not None and verdict.state is not None:
            attempt.state, attempt.transfer_id = verdict.state, verdict.transfer_id
        if verdict.status is not None:
            payout.transfer_id, payout.next_try_at = verdict.transfer_id, None
            payout.hold_reason, payout.wait_reason = verdict.hold_reason, verdict.wait_reason
            self._move(payout, verdict.status)

    def _move(self, payout: Payout, wanted: PayoutStatus) -> None:
        before, payout.status = payout.status, advance(payout.status, wanted)
        self._witness.moved(payout, before)

    def _try(self, move: Callable[[], None]) -> bool:
        try:
            move()
        except MoveIsNotLegal:
            return False
        return True

    def _intent(self, payout: Payout, attempt: Attempt) -> Intent:
        return Intent(payout, attempt, Post(self._policy.key(payout.id, attempt), attempt.parameters))

    def _next_try(self, payout: Payout, attempt: Attempt, retry_after_seconds: int | None = None) -> None:
        pause = timedelta(seconds=self._policy.pauses(attempt.tries, retry_after_seconds))
        payout.next_try_at = self._witness.clock() + pause

    def _hold_reason(self) -> HoldReason | None:
        payee = Payee(self.is_blocked, PayoutMethod.fiat, self.account_status, ACCOUNT)
        timing = Timing(PayoutMethod.fiat, ACCOUNT, None, timedelta(hours=24))
        return run_hold(payee, timing, self._witness.clock())
