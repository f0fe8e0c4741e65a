"""Any schedule: ordinary days, and days on which several things go wrong that together are dangerous.

What has to coincide for money to leave twice (a request that lands late, a worker that dies, a gate that closes, a
clock) is drawn within one rule: drawn one by one it would hardly ever come together.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import rule

from portal.domain.accounts import AccountStatus
from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutStatus
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.services.death import dying_at
from tests.services.ordinary_days import CHANCE, FAULT, OPERATORS, WHO, OrdinaryDays
from tests.services.programme import TEST
from tests.services.watch import COOLDOWN

#: What the requests of a day meet, one after the other; most often what leaves an outcome unknown.
TROUBLES = st.lists(
    st.one_of(st.sampled_from(["late", "timeout_before", "timeout_after", "400_saved"]), FAULT),
    min_size=1,
    max_size=5,
)
#: At which moment after the first request for a transfer the worker dies, if it does.
DEATH = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])
GATE = st.sampled_from(["", "block", "block", "restrict", "stop_payouts", "change_bank", "no funds"])
#: Short ones, and the edges of what is promised of a key.
HOURS = st.sampled_from([0, 0.05, 0.5, 5, 16.9, 22.9, 25])
SHARE = st.sampled_from([0.01, 0.5, 1])
#: How long a worker stands still between its commit and its request: what is late then still lands within two hours.
STALL_HOURS = 0.9
MEANWHILE = st.sampled_from(["block", "cancel", "run", "stop_payouts", "webhooks", "stall", "stall and run"])


class AnySchedule(OrdinaryDays):
    """Three affiliates, who are operators too, and whatever may happen to them."""

    @rule(troubles=TROUBLES, death=DEATH, gate=GATE, who=WHO, first=HOURS, then=HOURS)
    def a_hard_day(
        self, troubles: Sequence[str], death: int, gate: str, who: int, first: float, then: float
    ) -> None:
        """All ask and are sent badly; the worker may die, a gate may close and open again."""
        self._all_ask()
        for fault in troubles:
            self.sending_will_fail(fault, 1)
        with dying_at(death or 1_000, engine=db.engine, line=self.line, since=("POST", "/v1/transfers")):
            self.run("run")
        self._behind_a_gate(gate, who, first)
        self.time_passes(then)
        self.run("run")

    @rule(answer=FAULT, gate=GATE, who=WHO, wait=st.sampled_from([0.05, 0.5]))
    def requests_are_on_their_way(self, answer: str, gate: str, who: int, wait: float) -> None:
        """While they are tried again, and whatever is answered to that."""
        self._all_ask()
        self.sending_will_fail("late", 3)
        self.run("run")
        self.sending_will_fail(answer, 2)
        self._behind_a_gate(gate, who, wait)
        self.run("run")

    @rule(first=FAULT, then=FAULT, hours=st.sampled_from([16.9, 22.9]), gate=GATE, who=WHO)
    def keys_get_old(self, first: str, then: str, hours: float, gate: str, who: int) -> None:
        """They are sent for the last time that is allowed, and that may be on its way when they are looked for."""
        self._all_ask()
        self.sending_will_fail("timeout_before", 2)
        self.sending_will_fail(first, 1)
        self.run("run")
        self.time_passes(hours)
        self.sending_will_fail(then, 1)
        self.sending_will_fail("late", 2)
        self.run("run")
        self._behind_a_gate(gate, who, 0.5)

    def _behind_a_gate(self, gate: str, who: int, hours: float) -> None:
        self._close(gate, who)
        self.time_passes(hours)
        self.run("run")
        self._open(gate, who)

    @rule(request=st.integers(1, 9), what=MEANWHILE, who=WHO, chance=CHANCE)
    def somebody_else_is_at_work_during_a_run(
        self, request: int, what: str, who: int, chance: random.Random
    ) -> None:
        """At any of its requests; a worker may also stand still before it sends, and another take over."""
        self._all_ask()
        acts: dict[str, Callable[[], object]] = {
            "block": lambda: self.programme.block(self.affiliates[who]),
            "cancel": lambda: self.give_back(chance, "cancel"),
            "run": lambda: self.run("run"),
            "stop_payouts": lambda: self._fate(who, "stop_payouts"),
            "webhooks": lambda: self.webhooks_arrive(chance),
            "stall": lambda: self.time_passes(STALL_HOURS),
            "stall and run": lambda: (self.time_passes(STALL_HOURS), self.run("run")),
        }
        only = "/v1/transfers" if what.startswith("stall") else "/v1/"
        self.line.meanwhile(acts[what], request=request, only=only)
        self.run("run")
        self.line.is_quiet_again()

    @rule(
        chance=CHANCE, shares=st.lists(SHARE, min_size=2, max_size=3), how=st.sampled_from(["pass", "event"])
    )
    def a_transfer_is_taken_back_bit_by_bit(
        self, chance: random.Random, shares: Sequence[float], how: str
    ) -> None:
        """The portal hears of each bit, some of them twice."""
        transfers = [each for each in self.programme.stripe.transfers() if not each["reversed"]]
        if not transfers:
            return
        transfer_id = chance.choice(transfers)["id"]
        for share in shares:
            self.take_back(transfer_id, share)
            if how == "pass":
                self.reconcile()
            else:
                self.programme.receive(self.programme.stripe.events("transfer.reversed")[-1])
                self.programme.services.stripe_events.process_due()

    @rule(who=WHO, operators=OPERATORS)
    def what_was_paid_is_refunded(self, who: int, operators: Sequence[int]) -> None:
        """Beyond what is there, so that it is owed; what is earned next makes it good."""
        self.earn(who, 50_000, 31)
        refunded = self.earnings[-1]
        self.request(who, "")
        self.approve(list(operators))
        self.run("run")
        with suppress(PortalError):
            data = RefundData(reference="refund", amount=refunded.amount, reason="")
            self.programme.services.refunds.refund(refunded.reference, data, cause=TEST)

    def _all_ask(self) -> None:
        """Whatever was before: a day on which nobody can be paid would show nothing."""
        self.programme.stripe.comes_back()
        self.the_platforms_balance_is(10_000_000)
        for who in range(len(self.affiliates)):
            self._put_right(who)
        for payout in map(self.programme.payout, self.payouts[-5:]):
            if payout.status is PayoutStatus.requested:
                self.programme.services.payouts.reject(payout.id, cause=TEST)
        changes = [self.programme.get(each).bank_changed_at for each in self.affiliates]
        if any(at and at + COOLDOWN > self.programme.clock.now() for at in changes):
            self.time_passes(25)
        for who in range(len(self.affiliates)):
            self.earn(who, 3_000, 31)
            self.request(who, "30.00")

    def _put_right(self, who: int) -> None:
        if self.programme.get(self.affiliates[who]).is_blocked:
            self.programme.unblock(self.affiliates[who])
        self.reconnect(who)
        self._fate(who, "approve")
        if self.programme.get(self.affiliates[who]).stripe_account_status is not AccountStatus.verified:
            self.programme.sync(self.affiliates[who])

    def _close(self, gate: str, who: int) -> None:
        if gate == "block":
            self.programme.block(self.affiliates[who])
        elif gate == "no funds":
            self.the_platforms_balance_is(0)
        elif gate:
            self._fate(who, gate)

    def _open(self, gate: str, who: int) -> None:
        if gate == "block":
            self.programme.unblock(self.affiliates[who])
        elif gate == "no funds":
            self.the_platforms_balance_is(10_000_000)
        elif gate:
            self._fate(who, "approve")

    def _fate(self, who: int, fate: str) -> None:
        self.something_happens_to_an_account(who, fate, True)
