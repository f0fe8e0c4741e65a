"""Any schedule of people, faults, deaths and clocks: the books balance after every step; in the end all are paid."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import copyfile
from typing import cast
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from portal import create_app
from portal.config import settings_from
from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeKeyRefusedError
from portal.services.ledger import EarningData
from portal.services.refunds import RefundData
from portal.wiring import db
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.databases import PostgresCluster
from tests.services.invariants import assert_books_balance
from tests.services.line import Killed, Line
from tests.services.programme import TEST, Programme
from tests.services.stand_in import begin_anew

WHO = st.integers(0, 2)
FAULTS_OF_SENDING = [
    "timeout_before", "timeout_after", "reset_after", "500_before", "500_after", "500_before_saved", "500_after_saved",
    "html_502_before", "html_502_after", "truncated_after", "409", "429", "401", "late", "400_saved",
]  # fmt: skip
FAULTS_OF_READING = ["timeout_before", "500_before", "429", "401", "truncated_after"]
FATES = ["approve", "restrict", "review", "reject", "stop_payouts", "change_bank", "due"]

#: Opens a programme on a fresh database, with the line to its stand-in.
OpenProgramme = Callable[[], AbstractContextManager[tuple[Programme, Line]]]


@contextmanager
def a_programme(database_url: str, sandbox: Flask) -> Iterator[tuple[Programme, Line]]:
    """A portal on a fresh database with a stand-in that knows nothing."""
    begin_anew(sandbox)
    clock = MovableClock()
    environment = {
        **TEST_SETTINGS,
        "DATABASE_URL": database_url,
        "PORTAL_PAYOUT_REQUEST_RATE": "1000 per hour",
    }
    line = Line(sandbox)
    app = create_app(settings_from(environment), clock=clock, stripe_transport=line)
    with app.app_context():
        try:
            yield Programme(app, sandbox, clock), line
        finally:
            db.session.remove()
            db.engine.dispose()


class AnySchedule(RuleBasedStateMachine):
    """Three affiliates, and whatever may happen to them."""

    def __init__(self, open_programme: OpenProgramme) -> None:
        super().__init__()
        self._exits = ExitStack()
        self.programme, self.line = self._exits.enter_context(open_programme())
        self.affiliates = [self.programme.verified(earned=60_000) for _ in range(3)]
        self.earnings: list[EarningData] = []
        self.keys: list[tuple[UUID, str]] = []
        self.payouts: list[UUID] = []

    @rule(who=WHO, amount=st.integers(1, 90_000), days_ago=st.sampled_from([0, 29, 31]))
    def earn(self, who: int, amount: int, days_ago: int) -> None:
        self.earnings.append(self.programme.earning(self.affiliates[who], amount, days_ago=days_ago))
        self.programme.services.ledger.post_earnings(self.earnings[-1:], cause=TEST)

    @rule(choice=st.randoms(use_true_random=False))
    def post_earlier_earnings_again(self, choice: random.Random) -> None:
        again = choice.sample(self.earnings, k=min(3, len(self.earnings)))
        if again:
            results = self.programme.services.ledger.post_earnings(again, cause=TEST)
            assert {status for _, status in results} == {"duplicate"}

    @rule(choice=st.randoms(use_true_random=False), share=st.floats(0.01, 1))
    def refund(self, choice: random.Random, share: float) -> None:
        if self.earnings:
            earning = choice.choice(self.earnings)
            data = RefundData(reference="refund", amount=max(1, int(earning.amount * share)), reason="")
            with suppress(PortalError):
                self.programme.services.refunds.refund(earning.reference, data, cause=TEST)

    @rule(who=WHO, fault=st.sampled_from(FAULTS_OF_SENDING), times=st.integers(1, 3))
    def earn_ask_and_be_sent_badly(self, who: int, fault: str, times: int) -> None:
        self.earn(who, 3_000, 31)
        self.request(who, "30.00")
        self.programme.stripe.fault(fault, times=times)
        self.run("run")

    @rule(who=WHO, amount=st.sampled_from(["", "30.00", "500.00", "500.01"]))
    def request(self, who: int, amount: str) -> None:
        self.keys.append((self.affiliates[who], f"key-{len(self.keys)}"))
        self._request(*self.keys[-1], amount)

    @rule(amount=st.sampled_from(["", "30.00"]))
    def request_with_the_same_key(self, amount: str) -> None:
        if self.keys:
            self._request(*self.keys[-1], amount)

    def _request(self, affiliate_id: UUID, key: str, amount: str) -> None:
        with suppress(PortalError):
            payout_id = self.programme.request(affiliate_id, amount, key=key)
            if payout_id not in self.payouts:
                self.payouts.append(payout_id)

    @rule(how=st.sampled_from(["approve", "approve", "reject", "cancel"]))
    def decide(self, how: str) -> None:
        payouts = self.programme.services.payouts
        for payout_id in self.payouts[-2:]:
            with suppress(PortalError):
                if how == "approve":
                    self.programme.services.approvals.approve(
                        payout_id, approver=self.programme.person(), cause=TEST
                    )
                else:
                    getattr(payouts, how)(payout_id, cause=TEST)

    @rule(who=WHO)
    def block_or_unblock(self, who: int) -> None:
        if self.programme.get(self.affiliates[who]).is_blocked:
            self.programme.unblock(self.affiliates[who])
        else:
            self.programme.block(self.affiliates[who])

    @rule(who=WHO, fate=st.sampled_from(FATES), silently=st.booleans())
    def something_happens_to_an_account(self, who: int, fate: str, silently: bool) -> None:
        account_id = self.programme.account_of(self.affiliates[who])
        self.programme.stripe.fate(account_id, fate, silently=silently)

    @rule(who=WHO)
    def connect_another_account(self, who: int) -> None:
        self.programme.stripe.fate(self.programme.account_of(self.affiliates[who]), "delete")
        with suppress(PortalError):
            self.programme.sync(self.affiliates[who])
            self.programme.onboard(self.affiliates[who])
        self._reconnect(self.affiliates[who])

    @rule(fault=st.sampled_from(FAULTS_OF_SENDING), times=st.integers(1, 3))
    def sending_will_fail(self, fault: str, times: int) -> None:
        self.programme.stripe.fault(fault, times=times)

    @rule(fault=st.sampled_from(FAULTS_OF_READING), times=st.integers(1, 4))
    def reading_will_fail(self, fault: str, times: int) -> None:
        self.programme.stripe.fault(fault, path="/v1/", method="GET", times=times)

    @rule(balance=st.sampled_from([0, 40_000, 10_000_000]))
    def the_balance_is(self, balance: int) -> None:
        self.programme.stripe.set_balance(usd=balance)

    @rule(how=st.sampled_from(["run", "run", "run", "retry"]))
    def run(self, how: str) -> None:
        with suppress(StripeKeyRefusedError):
            getattr(self.programme, how)()

    @rule(moment=st.sampled_from(["dies_before", "dies_after"]))
    def run_and_die(self, moment: str) -> None:
        getattr(self.line, moment)("POST", "/v1/transfers")
        with suppress(Killed, StripeKeyRefusedError):
            self.programme.run()
        self.line.on_request = lambda _method, _path: None
        self.line.on_answer = lambda _method, _path, answer: answer

    @rule(choice=st.randoms(use_true_random=False))
    def webhooks_arrive(self, choice: random.Random) -> None:
        """Some of them, some twice, in no order."""
        events = self.programme.stripe.events()
        for event in choice.choices(events, k=min(6, len(events))):
            self.programme.receive(event)
        self.programme.services.stripe_events.process_due()

    @rule()
    def the_night_passes(self) -> None:
        with suppress(StripeKeyRefusedError):
            self.programme.services.verification.run(trigger="timetable")

    @rule(hours=st.sampled_from([0.02, 0.5, 5, 23, 25]))
    def time_passes(self, hours: float) -> None:
        if hours > 1:
            self.programme.stripe.land()  # no request is on its way for longer
        self.programme.clock.advance(hours=hours)
        if hours > 24:
            self.programme.stripe.prune_keys()  # every key is old enough

    @invariant()
    def the_books_balance(self) -> None:
        assert_books_balance(self.programme)

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
        for affiliate_id in self.affiliates:
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            self._reconnect(affiliate_id)
            programme.stripe.fate(programme.account_of(affiliate_id), "approve")
        programme.run()
        programme.clock.advance(hours=25)
        for _ in range(3):
            programme.run()
        assert_books_balance(programme)
        ends = {programme.payout(payout_id).status for payout_id in self.payouts}
        assert not ends & {PayoutStatus.approved, PayoutStatus.held, PayoutStatus.processing}, ends

    def _reconnect(self, affiliate_id: UUID) -> None:
        """Until there is an account that Stripe knows."""
        programme = self.programme
        known = {account["id"] for account in programme.stripe.accounts()} - programme.stripe.gone()
        while programme.account_of(affiliate_id) not in known:
            programme.stripe.comes_back()
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            programme.sync(affiliate_id)
            programme.services.onboarding.start(affiliate_id, cause=TEST)
            known = {account["id"] for account in programme.stripe.accounts()} - programme.stripe.gone()


def try_schedules(open_programme: OpenProgramme, *, examples: int, steps: int) -> None:
    """So many schedules of at most so many steps, each on a database of its own."""
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    # any callable that makes a machine will do
    machine = cast("type[AnySchedule]", lambda: AnySchedule(open_programme))
    run_state_machine_as_test(machine, settings=bounds)


def test_any_schedule_on_sqlite(sqlite_template: Path, tmp_path: Path, made_stand_in: Flask) -> None:
    file = tmp_path / "portal.db"

    def open_programme() -> AbstractContextManager[tuple[Programme, Line]]:
        for left in tmp_path.glob("portal.db*"):
            left.unlink()
        copyfile(sqlite_template, file)
        return a_programme(f"sqlite:///{file}", made_stand_in)

    try_schedules(open_programme, examples=20, steps=25)


def test_any_schedule_on_postgresql(postgresql: PostgresCluster, made_stand_in: Flask) -> None:
    @contextmanager
    def open_programme() -> Iterator[tuple[Programme, Line]]:
        with postgresql.fresh_database() as url, a_programme(url, made_stand_in) as opened:
            yield opened

    try_schedules(open_programme, examples=6, steps=20)


def test_the_invariants_notice_what_is_wrong(sqlite_url: str, made_stand_in: Flask) -> None:
    """A helper that can't fail would prove nothing."""
    with a_programme(sqlite_url, made_stand_in) as (programme, _):
        payout_id = programme.approved()
        programme.run()
        assert_books_balance(programme)
        destination = programme.payout(payout_id).destination
        metadata = programme.stripe.transfers()[0]["metadata"]
        programme.stripe.transfer_by_hand(destination, 1, group=f"payout-{payout_id}", metadata=metadata)
        with pytest.raises(AssertionError):
            assert_books_balance(programme)
