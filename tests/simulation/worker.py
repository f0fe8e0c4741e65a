"""A worker: runs, retries, and passes a payout on, step by step. Between any two steps it may stall or be killed.

The order of the steps is that of `portal.services.transfers`; the rules between them are the domain's. A step is a
yield: `None` where only time passes, a question where somebody outside is asked; its answer comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from portal.domain.accounts import AccountStatus
from portal.domain.attempts import AnswerClass, StripeAnswer
from portal.domain.payouts import MoveIsNotLegal, PayoutStatus, WaitReason
from portal.domain.verdicts import Step
from tests.simulation.book import Book, Claim, Intent
from tests.simulation.policies import Policy
from tests.simulation.stripe import Transfer


@dataclass(frozen=True)
class Read:
    """A question that changes nothing: account, funds, or a group by its name."""

    what: str


class Away:
    """No usable answer."""


class KeyRefusedError(Exception):
    """The run ends."""


Question = Intent | Read | None
Steps = Generator[Question, object, None]


class Passage:
    """Passes the payout on once, as a run does."""

    def __init__(self, book: Book, policy: Policy, *, owner: str, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._policy = policy
        self._clock = clock
        self._owner = owner

    def steps(self) -> Steps:
        claim = self._book.claim(self._owner)
        if claim is None:
            return
        yield None
        with suppress(KeyRefusedError, MoveIsNotLegal):
            yield from self._pass_on(claim)
        yield None
        self._book.let_go(claim.payout, self._owner)

    def _pass_on(self, claim: Claim) -> Steps:
        if claim.status is PayoutStatus.held:
            looked = yield Read("account")
            if isinstance(looked, Away):
                return
            self._book.write_look(cast(AccountStatus, looked))
            yield None
            if self._book.reconsider(claim.payout) is not PayoutStatus.approved:
                return
            yield None
        if claim.status is PayoutStatus.processing:
            yield from self._resume(claim)
            return
        if claim.wait_reason is WaitReason.funds:
            has_funds = yield Read("funds")
            if has_funds is not True:
                self._book.note_wait(claim.payout, WaitReason.funds)
                return
        yield from self._send(claim)

    def _send(self, claim: Claim) -> Steps:
        """Fresh look, intent, post."""
        if claim.status is not PayoutStatus.held:
            looked = yield Read("account")
            if isinstance(looked, Away):
                self._book.note_wait(claim.payout, WaitReason.stripe_away)
                return
            self._book.write_look(cast(AccountStatus, looked))
            yield None
        if claim.generations and self._policy.looks_before_a_new_generation:
            found = yield Read(claim.payout.group)
            if isinstance(found, Away):
                self._book.note_wait(claim.payout, WaitReason.stripe_away)
                return
            yield None
            if found:
                self._book.record_found(
                    claim.payout, cast(list[Transfer], found), asked_at=None, taken=claim.taken
                )
                return
        intent = self._book.intend(claim.payout)
        if intent is not None:
            yield None
            yield from self._post(intent)

    def _post(self, intent: Intent) -> Steps:
        answer = cast(StripeAnswer, (yield intent))
        meaning = self._policy.classify(answer, intent.attempt.parameters)
        is_account_fresh = False
        if meaning is AnswerClass.refused:
            looked = yield Read("account")
            if not isinstance(looked, Away):
                self._book.write_look(cast(AccountStatus, looked))
                is_account_fresh = True
        yield None
        self._book.record(intent, answer, is_account_fresh=is_account_fresh)
        if meaning is AnswerClass.key_refused:
            raise KeyRefusedError

    def _resume(self, claim: Claim) -> Steps:
        if claim.step in {Step.leave, Step.wait}:
            return
        if claim.step is Step.post:
            intent = self._book.intend_again(claim.payout)
            if intent is not None:
                yield None
                yield from self._post(intent)
                return
        asked_at = self._clock()
        found = yield Read(claim.payout.group)
        if isinstance(found, Away):
            return
        yield None
        if claim.step is Step.look_first and not found:
            intent = self._book.intend_again(claim.payout)
            if intent is not None:
                yield None
                yield from self._post(intent)
                return
        self._book.record_found(
            claim.payout, cast(list[Transfer], found), asked_at=asked_at, taken=claim.taken
        )
