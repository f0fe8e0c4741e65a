"""One schedule from its seed: trouble first, then everything is healthy; and what was found to be wrong in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import count
from random import Random
from uuid import UUID

from portal.domain.attempts import LONGEST_PAUSE_SECONDS
from portal.domain.payouts import LEASE, PayoutStatus
from tests.simulation.book import Book, Intent, Payout
from tests.simulation.policies import Policy
from tests.simulation.process import Process
from tests.simulation.stripe import DAY, HOUR, MINUTE, Fate, Stripe
from tests.simulation.trouble import CALM, Happening, Trouble, Weather, clock_error, trouble

START = datetime(2026, 3, 28, tzinfo=UTC)

#: Promised: once all is healthy, paid within so many runs, or so many after the proof where the outcome was unknown.
RUNS, RUNS_IF_UNKNOWN = 2, 3
PROOF_PROMISED = timedelta(hours=25)
LAST_POST_PROMISED = timedelta(hours=23)

#: A request that is sent late and gets no answer is waited for.
UNHEARD_PROMISED = timedelta(hours=8)


class Fault(StrEnum):
    """What must never be found."""

    paid_twice = "paid twice"
    not_paid = "not paid"
    given_back_too = "given back although it was sent"
    new_key_early = "a new key before the old one was proven dead"
    sent_late = "a key sent when Stripe may have forgotten it"
    other_bytes = "other bytes under one key"
    books_differ = "settled without a transfer, or the other way round"
    stopped = "all sending stopped"


@dataclass
class Report:
    """What one schedule came to."""

    seed: int
    faults: set[Fault] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)


class Schedule:
    """The world of one schedule; it is the timeline, and the witness of all that is written down."""

    def __init__(self, seed: int, policy: Policy, *, is_told: bool = False) -> None:
        self.rng = Random(seed)
        self.report = Report(seed)
        self.policy = policy
        self.now = 0.0
        self._is_told = is_told
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.trouble: Trouble = trouble(self.rng)
        self.weather: Weather = self.trouble.weather[0][1]
        self.clock_error = self.trouble.clock_error
        self.is_calm = False
        self.next_run_at = self.rng.uniform(0, HOUR)
        self.gone: set[str] = set()
        self.stripe = Stripe(self, self.rng)
        self.book = Book(self, policy)
        self._keys: dict[UUID, set[str]] = {}
        self._first_left: dict[str, tuple[float, dict[str, object]]] = {}
        self._counts_from = 0.0
        self._runs_left = 0
        self._ends_at = float("inf")
        self.workers = [Process(self, f"worker-{n}") for n in range(self.trouble.workers)]

    def run(self) -> Report:
        """To its end."""
        self._ask()
        for worker in self.workers:
            self.after(self.rng.uniform(0, MINUTE), worker.wake)
        for at, weather in self.trouble.weather:
            self.after(at, partial(self._change, weather))
        for at, happening in self.trouble.happenings:
            self.after(at, partial(self._happen, happening))
        self.after(self.trouble.lasts, self._heal)
        while self._queue and self._queue[0][0] <= self._ends_at:
            self.now, _, do = heapq.heappop(self._queue)
            do()
        self._judge()
        return self.report

    # the timeline

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), do))

    def note(self, line: str) -> None:
        if self._is_told:
            true = START + timedelta(seconds=self.now)
            self.report.lines.append(f"{true:%d %H:%M:%S}  (our clock {self.clock():%d %H:%M:%S})  {line}")

    # the witness

    def clock(self) -> datetime:
        """The portal's, which may be wrong."""
        return START + timedelta(seconds=self.now + self.clock_error)

    def is_gone(self, owner: str) -> bool:
        return owner in self.gone

    def began(self, payout: Payout) -> None:
        if self._may_have_been_sent(payout):
            self._found(Fault.new_key_early)

    def moved(self, payout: Payout, before: PayoutStatus) -> None:
        self.note(f"{payout.group[-4:]} {before} → {payout.status}")
        if payout.status is PayoutStatus.paid:
            self._ends_at = min(self._ends_at, self.now + 3 * HOUR)
        if payout.status.gives_back:
            if self._may_have_been_sent(payout):
                self._found(Fault.given_back_too)
            self.after(0 if self.is_calm else self.rng.choice((0, HOUR)), self._ask)
        if self.is_calm and payout.status.gives_back:
            self._count_runs_from(self.now, RUNS)

    def halted(self, why: str) -> None:
        self.note(f"stopped: {why}")
        self._found(Fault.stopped)
        self._ends_at = min(self._ends_at, self.now + 3 * HOUR)

    def leaves(self, intent: Intent, fate: Fate) -> None:
        """A request is on its way out."""
        post, attempt = intent.post, intent.attempt
        self.note(f"{post.key[-4:]} is posted: {fate}")
        first, parameters = self._first_left.setdefault(post.key, (self.now, dict(post.parameters)))
        self._keys.setdefault(intent.payout.id, set()).add(post.key)
        is_forgotten = self.now - first >= DAY and self._may_have_been_sent(intent.payout)
        if is_forgotten or attempt.last_sent_at - attempt.first_sent_at >= LAST_POST_PROMISED:
            self._found(Fault.sent_late)
        if parameters != post.parameters:
            self._found(Fault.other_bytes)

    def run_ended(self, began_at: float) -> None:
        """A whole run went by."""
        if self.is_calm and began_at >= self._counts_from and self._ends_at == float("inf"):
            self._runs_left -= 1
            if self._runs_left <= 0:
                self._ends_at = self.now + 3 * HOUR
                self._found(Fault.not_paid)

    # what happens

    def _ask(self) -> None:
        """The affiliate asks for the money."""
        if self.book.payouts and not self.book.payout.status.gives_back:
            return
        self.book.request()
        if self.is_calm or self.rng.random() < 0.8:
            self.book.decide(PayoutStatus.approved)

    def _change(self, weather: Weather) -> None:
        if not self.is_calm:
            self.weather = weather
            self.note(f"weather: {', '.join(weather.fates)}; readings fail {weather.away:.0%}")

    def _happen(self, happening: Happening) -> None:
        self.note(happening.value)
        book, stripe = self.book, self.stripe
        match happening:
            case Happening.clock_jumps:
                self.clock_error = clock_error(self.rng)
            case Happening.funds_change:
                stripe.has_funds = not stripe.has_funds
            case Happening.account_changes:
                stripe.is_account_fine = not stripe.is_account_fine
            case Happening.block_changes:
                book.is_blocked = not book.is_blocked
            case Happening.canceled | Happening.rejected | Happening.approved:
                book.decide(PayoutStatus(happening.value))
            case Happening.hurried:
                book.hurry()
            case Happening.run_by_hand:
                Process(self, f"by-hand-{self.now:.0f}", is_once=True).wake()
            case Happening.told_by_webhook:
                book.record_found(book.payout, stripe.found(book.payout.group), asked_at=None, taken=None)

    def _heal(self) -> None:
        """From here on everything is healthy; our clock stays as it is."""
        self.note("everything is healthy")
        self.is_calm, self.weather = True, CALM
        self.stripe.has_funds = self.stripe.is_account_fine = True
        self.book.is_blocked = False
        for worker in self.workers:
            worker.heal()
        self._ask()
        payout = self.book.payout
        self.book.decide(PayoutStatus.approved)
        if payout.live is None:
            self._count_runs_from(self.now, RUNS)
        elif not payout.live.unresolved_tries:
            self._count_runs_from(self.now + LONGEST_PAUSE_SECONDS, RUNS)  # Stripe may have asked for it
        else:
            live = payout.live
            proven_at = max(live.first_sent_at + PROOF_PROMISED, live.last_sent_at + UNHEARD_PROMISED)
            proof_in = (proven_at - self.clock()).total_seconds()
            self._count_runs_from(self.now + max(proof_in, 0), RUNS_IF_UNKNOWN)

    def _count_runs_from(self, at: float, runs: int) -> None:
        self._counts_from, self._runs_left = at + LEASE.total_seconds(), runs

    def _may_have_been_sent(self, payout: Payout) -> bool:
        """Whether there is a transfer, or a request on its way that may yet make one."""
        return bool(self.stripe.found(payout.group)) or any(
            self.stripe.on_the_way[key] for key in self._keys.get(payout.id, ())
        )

    def _judge(self) -> None:
        made = [transfer.id for transfer in self.stripe.transfers]
        settled = [payout.transfer_id for payout in self.book.payouts if payout.status is PayoutStatus.paid]
        if len(made) > 1:
            self._found(Fault.paid_twice)
        if not made:
            self._found(Fault.not_paid)
        if sorted(made) != sorted(filter(None, settled)):
            self._found(Fault.books_differ)

    def _found(self, fault: Fault) -> None:
        self.note(f"FAULT: {fault}")
        self.report.faults.add(fault)


def told(seed: int, policy: Policy) -> str:
    """One schedule, line by line."""
    report = Schedule(seed, policy, is_told=True).run()
    faults = ", ".join(sorted(report.faults)) or "nothing wrong"
    return "\n".join([*report.lines, f"seed {seed}, {policy.name}: {faults}"])
