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

from portal.domain.errors import PortalError
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.services.death import dying_at
from tests.services.ordinary_days import CHANCE, FAULT, OPERATORS, WHO, OrdinaryDays
from tests.services.programme import TEST

#: What the requests of a day meet, one after the other; most often what leaves an outcome unknown.
TROUBLES = st.lists(
    st.one_of(st.sampled_from(["late", "timeout_before", "timeout_after", "400_saved"]), FAULT),
    min_size=1,
    max_size=5,
)
#: At which moment after the first request for a transfer the worker dies, if it does.
DEATH = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])
GATE = st.sampled_from(["", "block", "restrict", "stop_payouts", "change_bank", "no funds"])
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
        self._close(gate, who)
        self.time_passes(first)
        self.run("run")
        self._open(gate, who)
        self.time_passes(then)
        self.run("run")

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

    @rule(chance=CHANCE, shares=st.lists(SHARE, min_size=2, max_size=3), how=st.sampled_from(["pass", "event"]))
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
        for who in range(len(self.affiliates)):
            self.earn(who, 3_000, 31)
            self.request(who, "30.00")

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
