"""A schedule of whatever may happen to a programme: how it begins, what must hold after every step, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, invariant

from portal.domain.payouts import PayoutStatus
from portal.models import FirstApproval, PayoutAttempt, SendingFault
from portal.sandbox.faults import Fault
from portal.services.ledger import EarningData
from tests.services.differing import reconcile
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import TEST, Programme
from tests.services.watch import Watch

#: Minor units above which two operators must approve.
SECOND_LIMIT = 60_000

#: All that `selfcheck` asks is also asked by the invariants here, which cost less; it has its turn after so many steps.
SELFCHECK_EVERY = 5


@dataclass(frozen=True)
class Opened:
    """A programme on a fresh database, the line to its stand-in, three verified affiliates with money, and three
    people, who are those affiliates and operators too."""

    programme: Programme
    line: Line
    affiliates: Sequence[UUID]
    people: Sequence[UUID]


OpenProgramme = Callable[[], AbstractContextManager[Opened]]


class Schedule(RuleBasedStateMachine):
    """What all schedules share; rules are added below it."""

    def __init__(self, open_programme: OpenProgramme) -> None:
        super().__init__()
        self._exits = ExitStack()
        opened = self._exits.enter_context(open_programme())
        self.programme, self.line = opened.programme, opened.line
        self.affiliates, self.people = opened.affiliates, opened.people
        self.watch = self.line.watch = Watch(self.programme)
        self.earnings: list[EarningData] = []
        self.asked: list[tuple[int, str]] = []
        self.payouts: list[UUID] = []
        self.steps = self.landed = 0
        """Steps so far, and how many requests for a transfer can't be on their way any more."""
        self.is_told = True
        """Whether the portal has heard of everything that was taken back at Stripe."""

    # what must hold

    @invariant()
    def the_books_balance(self) -> None:
        assert_books_balance(self.programme, is_told=self.is_told)

    @invariant()
    def nothing_was_sent_that_must_not_be(self) -> None:
        assert not self.watch.breaches

    @invariant()
    def what_is_proven_failed_cannot_land_any_more(self) -> None:
        """10 and 11, before the request that would prove the opposite has landed"""
        posts = self.programme.stripe.requests("POST", "/v1/transfers")[self.landed :]
        late = [post["idempotency_key"] for post in posts if post["fault"] == Fault.LATE]
        of_late = PayoutAttempt.idempotency_key.in_(late)
        failed = sa.select(PayoutAttempt.idempotency_key).where(of_late, PayoutAttempt.state == "failed")
        assert not late or not self.programme.rows(failed)

    @invariant()
    def no_payout_raises(self) -> None:
        assert not self.programme.rows(sa.select(SendingFault.__table__))

    @invariant()
    def selfcheck_has_its_turn(self) -> None:
        self.steps += 1
        if self.steps % SELFCHECK_EVERY == 0:
            self.selfcheck_finds_nothing()

    def selfcheck_finds_nothing(self) -> None:
        assert self.programme.services.selfcheck.run() == []

    @invariant()
    def above_the_second_limit_two_have_approved(self) -> None:
        rows = self.programme.rows(sa.select(FirstApproval.__table__))
        first = {row.payout_id: row.approved_by for row in rows}
        for payout in map(self.programme.payout, self.payouts):
            if payout.amount > SECOND_LIMIT and payout.approved_at is not None:
                assert first[payout.id] not in {None, payout.approved_by, payout.requested_by}

    def land(self) -> None:
        """What is on its way to Stripe arrives."""
        self.programme.stripe.land()
        self.landed = len(self.programme.stripe.requests("POST", "/v1/transfers"))

    def teardown(self) -> None:
        try:
            self._everything_heals()
        finally:
            self._exits.close()

    def _everything_heals(self) -> None:
        programme = self.programme
        self.line.is_quiet_again()
        programme.stripe.comes_back()
        self.land()
        programme.stripe.set_balance(usd=10**9)
        for who, affiliate_id in enumerate(self.affiliates):
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            self.reconnect(who)
            programme.stripe.fate(programme.account_of(affiliate_id), "approve")
        programme.run()
        programme.clock.advance(hours=25)
        for _ in range(3):
            programme.run()
        for event in programme.stripe.events("transfer.reversed"):
            programme.receive(event)  # a pass looks back for two days only
        programme.services.stripe_events.process_due()
        self.is_told = True
        assert not reconcile(programme).differences
        self.the_books_balance()
        self.nothing_was_sent_that_must_not_be()
        self.no_payout_raises()
        self.selfcheck_finds_nothing()
        ends = {programme.payout(payout_id).status for payout_id in self.payouts}
        assert not ends & {PayoutStatus.approved, PayoutStatus.held, PayoutStatus.processing}, ends

    def account(self, who: int) -> str | None:
        """The affiliate's account, if the platform can reach it at Stripe."""
        account_id = self.programme.get(self.affiliates[who]).stripe_account_id
        known = {account["id"] for account in self.programme.stripe.accounts()} - self.programme.stripe.gone()
        return account_id if account_id in known else None

    def reconnect(self, who: int) -> None:
        """Until there is an account that Stripe knows."""
        programme, affiliate_id = self.programme, self.affiliates[who]
        while self.account(who) is None:
            programme.stripe.comes_back()
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            programme.sync(affiliate_id)
            programme.services.onboarding.start(affiliate_id, cause=TEST)
