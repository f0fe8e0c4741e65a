"""Whatever may happen to a programme, as rules that are drawn in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from uuid import UUID

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeProblemError
from portal.models import FirstApproval
from portal.sandbox.faults import Fault
from portal.services.journal import Cause
from portal.services.ledger import EarningData
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.services.death import dying_at
from tests.services.differing import reconcile
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import TEST, Programme

WHO = st.integers(0, 2)
FAULT = st.sampled_from([fault.value for fault in Fault])
FATES = ["approve", "restrict", "review", "reject", "stop_payouts", "change_bank", "due", "delete"]
RUNS = ["run", "run", "run", "retry"]
OPERATORS = st.lists(WHO, min_size=1, max_size=3)
CHANCE = st.randoms(use_true_random=False)

#: Minor units above which two operators must approve.
SECOND_LIMIT = 60_000

#: Opens a programme on a fresh database, with the line to its stand-in.
OpenProgramme = Callable[[], AbstractContextManager[tuple[Programme, Line]]]


class AnySchedule(RuleBasedStateMachine):
    """Three affiliates, who are operators too, and whatever may happen to them."""

    def __init__(self, open_programme: OpenProgramme) -> None:
        super().__init__()
        self._exits = ExitStack()
        self.programme, self.line = self._exits.enter_context(open_programme())
        self.affiliates = [self.programme.verified(earned=60_000) for _ in range(3)]
        self.people = [self.programme.person() for _ in range(3)]
        self.earnings: list[EarningData] = []
        self.asked: list[tuple[int, str]] = []
        self.payouts: list[UUID] = []
        self.is_told = True
        """Whether the portal has heard of everything that was taken back at Stripe."""

    # money comes and goes

    @rule(who=WHO, amount=st.integers(1, 90_000), days_ago=st.sampled_from([0, 29, 31]))
    def earn(self, who: int, amount: int, days_ago: int) -> None:
        self.earnings.append(self.programme.earning(self.affiliates[who], amount, days_ago=days_ago))
        self.programme.services.ledger.post_earnings(self.earnings[-1:], cause=TEST)

    @rule(chance=CHANCE)
    def post_earlier_earnings_again(self, chance: random.Random) -> None:
        again = chance.sample(self.earnings, k=min(3, len(self.earnings)))
        if again:
            results = self.programme.services.ledger.post_earnings(again, cause=TEST)
            assert {status for _, status in results} == {"duplicate"}

    @rule(chance=CHANCE, share=st.floats(0.01, 1))
    def refund(self, chance: random.Random, share: float) -> None:
        if self.earnings:
            earning = chance.choice(self.earnings)
            data = RefundData(reference="refund", amount=max(1, int(earning.amount * share)), reason="")
            with suppress(PortalError):
                self.programme.services.refunds.refund(earning.reference, data, cause=TEST)

    @rule(chance=CHANCE, share=st.sampled_from([0.01, 0.5, 1, 1]))
    def a_transfer_is_taken_back(self, chance: random.Random, share: float) -> None:
        """In part or wholly, in Stripe's dashboard."""
        transfers = self.programme.stripe.transfers()
        if transfers:
            transfer = chance.choice(transfers)
            left = transfer["amount"] - transfer["amount_reversed"]
            if left:
                self.programme.stripe.reverse(transfer["id"], max(1, int(left * share)))
                self.is_told = False

    @rule(usd=st.sampled_from([0, 40_000, 10_000_000]))
    def the_platforms_balance_is(self, usd: int) -> None:
        """Drained, or topped up."""
        self.programme.stripe.set_balance(usd=usd)

    # people ask and decide

    @rule(who=WHO, amount=st.sampled_from(["", "30.00", "500.00", "500.01", "600.01"]))
    def request(self, who: int, amount: str) -> None:
        self.asked.append((who, f"key-{len(self.asked)}"))
        self._request(*self.asked[-1], amount)

    @rule(amount=st.sampled_from(["", "30.00"]))
    def request_with_the_same_key(self, amount: str) -> None:
        if self.asked:
            self._request(*self.asked[-1], amount)

    def _request(self, who: int, key: str, amount: str) -> None:
        with suppress(PortalError):
            payout_id = self.programme.request(self.affiliates[who], amount, key=key, by=self.people[who])
            if payout_id not in self.payouts:
                self.payouts.append(payout_id)

    @rule(chance=CHANCE, how=st.sampled_from(["reject", "cancel"]))
    def give_back(self, chance: random.Random, how: str) -> None:
        if self.payouts:
            with suppress(PortalError):
                getattr(self.programme.services.payouts, how)(chance.choice(self.payouts), cause=TEST)

    @rule(who=WHO, operators=OPERATORS)
    def earn_much_ask_and_be_approved(self, who: int, operators: list[int]) -> None:
        self.earn(who, 90_000, 31)
        self.request(who, "")
        self.approve(operators)

    @rule(operators=OPERATORS)
    def approve(self, operators: list[int]) -> None:
        """One operator after the other, of whom some approve twice, and some what they have asked for."""
        for payout_id in self.payouts[-3:]:
            for operator in operators:
                with suppress(PortalError):
                    self.programme.services.approvals.approve(
                        payout_id, approver=self.people[operator], cause=TEST
                    )

    @rule(who=WHO)
    def block_or_unblock(self, who: int) -> None:
        if self.programme.get(self.affiliates[who]).is_blocked:
            self.programme.unblock(self.affiliates[who])
        else:
            self.programme.block(self.affiliates[who])

    # accounts and banks

    @rule(who=WHO, fate=st.sampled_from(FATES), is_silent=st.booleans())
    def something_happens_to_an_account(self, who: int, fate: str, is_silent: bool) -> None:
        if (account_id := self._account(who)) is not None:
            self.programme.stripe.fate(account_id, fate, silently=is_silent)

    @rule(who=WHO)
    def connect_another_account(self, who: int) -> None:
        if (account_id := self._account(who)) is not None:
            self.programme.stripe.fate(account_id, "delete")
        with suppress(PortalError):
            self.programme.sync(self.affiliates[who])
            self.programme.onboard(self.affiliates[who])
        self._reconnect(who)

    @rule(who=WHO, status=st.sampled_from(["pending", "in_transit", "paid", "failed"]))
    def stripe_pays_to_the_bank(self, who: int, status: str) -> None:
        account_id = self._account(who)
        if account_id is not None and self.programme.stripe.balance_of(account_id, "usd") > 0:
            self.programme.stripe.pay_to_bank(account_id, status=status)

    @rule(chance=CHANCE, status=st.sampled_from(["paid", "failed", "canceled"]))
    def a_bank_payout_goes_on(self, chance: random.Random, status: str) -> None:
        """Failed also after it was paid."""
        ends = {"failed", "canceled", status}
        under_way = [bank for bank in self.programme.stripe.bank_payouts() if bank["status"] not in ends]
        if under_way:
            self.programme.stripe.settle_at_bank(chance.choice(under_way)["id"], status)

    # what goes wrong

    @rule(fault=FAULT, times=st.integers(1, 3))
    def sending_will_fail(self, fault: str, times: int) -> None:
        self.programme.stripe.fault(fault, times=times, seconds=0)

    @rule(fault=FAULT, times=st.integers(1, 4))
    def reading_will_fail(self, fault: str, times: int) -> None:
        self.programme.stripe.fault(fault, path="/v1/", method="GET", times=times, seconds=0)

    @rule(who=WHO, fault=FAULT, times=st.integers(1, 3))
    def earn_ask_and_be_sent_badly(self, who: int, fault: str, times: int) -> None:
        self.earn(who, 3_000, 31)
        self.request(who, "30.00")
        self.sending_will_fail(fault, times)
        self.run("run")

    # the portal at work

    @rule(how=st.sampled_from(RUNS))
    def run(self, how: str) -> None:
        with suppress(StripeProblemError):
            getattr(self.programme, how)()

    @rule(how=st.sampled_from([*RUNS, "reconcile"]), moment=st.integers(1, 60))
    def work_and_die(self, how: str, moment: int) -> None:
        """Before or after any commit, before or after any call."""
        with dying_at(moment, engine=db.engine, line=self.line):
            if how == "reconcile":
                self.reconcile()
            else:
                self.run(how)

    @rule(who=WHO, amount=st.sampled_from(["", "30.00"]), moment=st.integers(1, 2))
    def ask_and_die(self, who: int, amount: str, moment: int) -> None:
        """Whoever hears nothing asks again."""
        with dying_at(moment, engine=db.engine, line=self.line):
            self.request(who, amount)
        self._request(*self.asked[-1], amount)

    @rule(chance=CHANCE)
    def webhooks_arrive(self, chance: random.Random) -> None:
        """Some of them, some twice, in no order; the others never."""
        events = self.programme.stripe.events()
        for event in chance.choices(events, k=min(6, len(events))):
            self.programme.receive(event)
        self.programme.services.stripe_events.process_due()

    @rule()
    def the_night_passes(self) -> None:
        with suppress(StripeProblemError):
            self.programme.services.verification.run(trigger="timetable")
            self.programme.services.bank_payouts.look_for_all(cause=Cause.system("the night"))
        self.programme.services.audit_chain.seal()

    @rule()
    def reconcile(self) -> None:
        with suppress(StripeProblemError):
            assert not reconcile(self.programme).differences
            self.is_told = True

    @rule(hours=st.sampled_from([0.02, 0.5, 5, 23, 25]))
    def time_passes(self, hours: float) -> None:
        if hours > 1:
            self.programme.stripe.land()  # no request is on its way for longer
        self.programme.clock.advance(hours=hours)
        if hours > 24:
            self.programme.stripe.prune_keys()  # every key is old enough

    # what must hold

    @invariant()
    def the_books_balance(self) -> None:
        assert_books_balance(self.programme, is_told=self.is_told)

    @invariant()
    def selfcheck_finds_nothing(self) -> None:
        assert self.programme.services.selfcheck.run() == []

    @invariant()
    def above_the_second_limit_two_have_approved(self) -> None:
        rows = self.programme.rows(sa.select(FirstApproval.__table__))
        first = {row.payout_id: row.approved_by for row in rows}
        for payout in map(self.programme.payout, self.payouts):
            if payout.amount > SECOND_LIMIT and payout.approved_at is not None:
                assert first[payout.id] not in {None, payout.approved_by, payout.requested_by}

    def teardown(self) -> None:
        try:
            self._everything_heals()
        finally:
            self._exits.close()

    def _everything_heals(self) -> None:
        programme = self.programme
        programme.stripe.comes_back()
        programme.stripe.land()
        programme.stripe.set_balance(usd=10**9)
        for who, affiliate_id in enumerate(self.affiliates):
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            self._reconnect(who)
            programme.stripe.fate(programme.account_of(affiliate_id), "approve")
        programme.run()
        programme.clock.advance(hours=25)
        for _ in range(3):
            programme.run()
        self.reconcile()
        self.the_books_balance()
        self.selfcheck_finds_nothing()
        ends = {programme.payout(payout_id).status for payout_id in self.payouts}
        assert not ends & {PayoutStatus.approved, PayoutStatus.held, PayoutStatus.processing}, ends

    def _account(self, who: int) -> str | None:
        """The affiliate's account, if the platform can reach it at Stripe."""
        account_id = self.programme.get(self.affiliates[who]).stripe_account_id
        known = {account["id"] for account in self.programme.stripe.accounts()} - self.programme.stripe.gone()
        return account_id if account_id in known else None

    def _reconnect(self, who: int) -> None:
        """Until there is an account that Stripe knows."""
        programme, affiliate_id = self.programme, self.affiliates[who]
        while self._account(who) is None:
            programme.stripe.comes_back()
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            programme.sync(affiliate_id)
            programme.services.onboarding.start(affiliate_id, cause=TEST)
