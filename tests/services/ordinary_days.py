"""What happens on any day: people earn, ask and decide, accounts change, and now and then a thing fails."""

from __future__ import annotations

import random
from contextlib import suppress

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import rule

from portal.domain.accounts import derive_standing, facts_from_stripe
from portal.domain.errors import PortalError
from portal.gateways.stripe import StripeProblemError
from portal.models import EventState, WebhookEvent
from portal.sandbox.faults import Fault
from portal.services.journal import Cause
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.services.death import dying_at
from tests.services.differing import reconcile
from tests.services.programme import TEST
from tests.services.schedule import Schedule

WHO = st.integers(0, 2)
FAULT = st.sampled_from([fault.value for fault in Fault])
FATES = ["approve", "restrict", "review", "reject", "stop_payouts", "change_bank", "due", "delete"]
RUNS = ["run", "run", "run", "retry"]
OPERATORS = st.lists(WHO, min_size=1, max_size=3)
CHANCE = st.randoms(use_true_random=False)


class OrdinaryDays(Schedule):
    """One rule for each thing that may happen."""

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
            self.take_back(chance.choice(transfers)["id"], share)

    def take_back(self, transfer_id: str, share: float) -> None:
        """Such a share of what is left of it."""
        transfer = next(each for each in self.programme.stripe.transfers() if each["id"] == transfer_id)
        left = transfer["amount"] - transfer["amount_reversed"]
        if left:
            self.programme.stripe.reverse(transfer_id, max(1, int(left * share)))
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
        if (account_id := self.account(who)) is not None:
            self.programme.stripe.fate(account_id, fate, silently=is_silent)

    @rule(who=WHO)
    def connect_another_account(self, who: int) -> None:
        if (account_id := self.account(who)) is not None:
            self.programme.stripe.fate(account_id, "delete")
        with suppress(PortalError):
            self.programme.sync(self.affiliates[who])
            self.programme.onboard(self.affiliates[who])
        self.reconnect(who)

    @rule(who=WHO, status=st.sampled_from(["pending", "in_transit", "paid", "failed"]))
    def stripe_pays_to_the_bank(self, who: int, status: str) -> None:
        account_id = self.account(who)
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
        drawn = chance.choices(events + events[-12:] * 3, k=8)
        news = {event.get("account") for event in drawn if self.programme.receive(event)}
        self.programme.services.stripe_events.process_due()
        for account_id in filter(None, news - self.programme.stripe.gone()):
            self._stands_as_at_stripe(account_id)

    def _stands_as_at_stripe(self, account_id: str) -> None:
        """16: whatever the events said, and in whatever order they came, once they are all worked on."""
        of_account = sa.select(WebhookEvent.id).where(WebhookEvent.account_id == account_id)
        affiliate_id = self.programme.services.accounts.affiliate_of(account_id)
        if affiliate_id is None or self.programme.rows(
            of_account.where(WebhookEvent.state == EventState.received)
        ):
            return
        account = next(each for each in self.programme.stripe.accounts() if each["id"] == account_id)
        standing = derive_standing(facts_from_stripe(account))
        assert self.programme.get(affiliate_id).stripe_account_status is standing.status

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

    @rule(hours=st.sampled_from([0.02, 0.5, 5, 23, 25]))
    def time_passes(self, hours: float) -> None:
        if hours > 1:
            self.land()  # no request is on its way for longer
        self.programme.clock.advance(hours=hours)
        if hours > 24:
            self.programme.stripe.prune_keys()  # every key is old enough
