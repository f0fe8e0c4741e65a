"""Foul weather: whatever may happen to a programme, drawn by a seed, while its processes are killed at random."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa

from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutStatus
from portal.models import Payout
from tests.rehearsal.kills import SceneSpoiled
from tests.rehearsal.moments import Plan, kill_at
from tests.rehearsal.scenes import RECONCILE, RUN, WORKER
from tests.rehearsal.stage import Running, Stage
from tests.services.programme import TEST

AFFILIATES = 12

FAULTS_OF_SENDING = (
    "timeout_before", "timeout_after", "late", "409", "429", "500_before", "500_after", "500_before_saved",
    "500_after_saved", "reset_after", "html_502_before", "html_502_after", "truncated_after", "400_saved", "401",
)  # fmt: skip
FAULTS_OF_READING = ("timeout_before", "500_before", "429", "401", "truncated_after", "html_502_before")
FATES = ("approve", "approve", "restrict", "review", "stop_payouts", "change_bank", "due")
COMMANDS = (RUN, RUN, RUN, WORKER, RECONCILE, ("verify-stripe-accounts",), ("selfcheck",))

#: The longest that a process is let alone before it is killed at a moment that nobody chose.
LONGEST_LIFE_SECONDS = 0.6

#: How a process may end in foul weather: well, with a refusal or a fault that it reports, or as we ended it.
ENDS = frozenset({0, 1, -signal.SIGKILL, -signal.SIGTERM})


class Weather:
    """One programme in it; `tell` hears every step, so that it can be repeated by hand."""

    def __init__(self, stage: Stage, choice: random.Random, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._programme = stage.programme
        self._choice = choice
        self._tell = tell
        self._affiliates = [stage.programme.verified() for _ in range(AFFILIATES)]
        self.kills: Counter[str] = Counter()
        self._acts: tuple[Callable[[], None], ...] = (
            *[self._ask] * 6,
            *[self._a_process_is_killed] * 8,
            *[self._several_at_once] * 2,
            *[self._the_worker_is_ended] * 2,
            self._sending_goes_wrong, self._sending_goes_wrong, self._reading_goes_wrong,
            self._the_balance_changes, self._block_or_unblock, self._an_account_changes,
            self._events_arrive, self._time_passes, self._time_passes,
        )  # fmt: skip

    def blow(self) -> None:
        """One thing happens. Raises SceneSpoiled."""
        act = self._choice.choice(self._acts)
        act()

    def clear_up(self) -> None:
        """Nothing is in anybody's way any more: 25 hours and three runs later every payout has ended."""
        self._tell("it clears up")
        programme = self._programme
        self._stage.stripe.comes_back()
        self._stage.stripe.set_balance(usd=10**9)
        for affiliate_id in self._affiliates:
            if programme.get(affiliate_id).is_blocked:
                programme.unblock(affiliate_id)
            self._stage.stripe.fate(programme.account_of(affiliate_id), "approve")
        self._ended(self._stage.start(*RUN))
        self._stage.pass_time(hours=25)
        for _ in range(3):
            self._ended(self._stage.start(*RUN))
        for (payout_id,) in programme.rows(
            sa.select(Payout.id).where(Payout.status == PayoutStatus.requested)
        ):
            programme.services.payouts.cancel(payout_id, cause=TEST)

    def _ask(self) -> None:
        affiliate_id = self._choice.choice(self._affiliates)
        self._tell("somebody earns and asks for it")
        self._programme.earn(affiliate_id, self._choice.randint(2_500, 20_000))
        with suppress(PortalError):
            self._programme.request(affiliate_id)

    def _sending_goes_wrong(self) -> None:
        fault, times = self._choice.choice(FAULTS_OF_SENDING), self._choice.randint(1, 3)
        self._tell(f"sending goes wrong: {fault}, {times} times")
        self._stage.stripe.fault(fault, times=times)

    def _reading_goes_wrong(self) -> None:
        fault, times = self._choice.choice(FAULTS_OF_READING), self._choice.randint(1, 4)
        self._tell(f"reading goes wrong: {fault}, {times} times")
        self._stage.stripe.fault(fault, path="/v1/", method="GET", times=times)

    def _the_balance_changes(self) -> None:
        cents = self._choice.choice((0, 12_000, 10**9))
        self._tell(f"the platform has {cents}")
        self._stage.stripe.set_balance(usd=cents)

    def _block_or_unblock(self) -> None:
        affiliate_id = self._choice.choice(self._affiliates)
        is_blocked = self._programme.get(affiliate_id).is_blocked
        self._tell("somebody is unblocked" if is_blocked else "somebody is blocked")
        (self._programme.unblock if is_blocked else self._programme.block)(affiliate_id)

    def _an_account_changes(self) -> None:
        fate, silently = self._choice.choice(FATES), self._choice.random() < 0.5
        account_id = self._programme.account_of(self._choice.choice(self._affiliates))
        self._tell(f"an account: {fate}, {'silently' if silently else 'with an event'}")
        self._stage.stripe.fate(account_id, fate, silently=silently)

    def _events_arrive(self) -> None:
        """Some, some twice, in no order."""
        events = self._stage.stripe.events()[-20:]
        self._tell("events arrive")
        for event in self._choice.choices(events, k=min(6, len(events))):
            self._programme.receive(event)

    def _time_passes(self) -> None:
        hours = self._choice.choice((0.02, 0.5, 1.5, 23, 25, 72))
        self._tell(f"{hours} hours pass")
        self._stage.pass_time(hours=hours)

    def _a_process_is_killed(self) -> None:
        words, number = self._choice.choice(COMMANDS), self._choice.randint(1, 24)
        self._tell(f"{' '.join(words)} is killed at its moment {number}")
        self._ended(self._stage.start(*words, plan=kill_at(number)))

    def _several_at_once(self) -> None:
        """Some of them are killed while the others go on."""
        orders = [
            (self._choice.choice(COMMANDS), kill_at(self._choice.randint(1, 60)) if lot < 0.5 else None)
            for lot in (self._choice.random() for _ in range(4))
        ]
        self._tell("at once: " + ", ".join(f"{' '.join(words)} {_described(plan)}" for words, plan in orders))
        for running in [self._stage.start(*words, plan=plan) for words, plan in orders]:
            self._ended(running)

    def _the_worker_is_ended(self) -> None:
        """The one that stays, with all its processes, at a moment that nobody chose."""
        seconds = self._choice.random() * LONGEST_LIFE_SECONDS
        number = self._choice.choice((signal.SIGKILL, signal.SIGTERM))
        self._tell(f"a worker gets {number.name} after {seconds:.2f} s")
        worker = self._stage.start("worker")
        time.sleep(seconds)
        worker.send(number)
        self._ended(worker)

    def _ended(self, running: Running) -> None:
        ended = running.wait()
        if ended.code not in ENDS:
            raise SceneSpoiled(f"a process ended with {ended.code}: {ended.said}")
        if ended.was_killed:
            self.kills[ended.moments[-1] if ended.moments else "at a moment nobody chose"] += 1


def _described(plan: Plan | None) -> str:
    return f"(killed at {plan.number})" if plan else "(left alone)"
