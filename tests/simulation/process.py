"""A worker's process: when it wakes, how its steps take time, and how it dies and comes back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from portal.domain.accounts import AccountStatus
from portal.domain.payouts import PayoutStatus
from tests.simulation.book import Intent
from tests.simulation.stripe import HOUR, MINUTE, Reply
from tests.simulation.trouble import LONGEST_STALL, downtime
from tests.simulation.worker import Away, Passage, Question, Read, Steps

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule


class Process:
    """One of the workers, or a run by hand that ends by itself."""

    def __init__(self, world: Schedule, name: str, *, is_once: bool = False) -> None:
        self._world = world
        self._name = name
        self._is_once = is_once
        self._lives = 1
        self._is_down = False
        self._steps: Steps | None = None
        self._run_began_at: float | None = None

    def wake(self) -> None:
        """Look whether a run or a retry is due."""
        if self._is_down or self._steps is not None:
            return
        world = self._world
        is_run = self._is_once
        if not is_run and world.now >= world.next_run_at:
            is_run, world.next_run_at = True, world.now + HOUR  # of two workers one has the slot
        if not is_run and not self._is_retry_due():
            self._sleep()
            return
        self._run_began_at = world.now if is_run else None
        passage = Passage(world.book, world.policy, owner=self._owner, clock=world.clock)
        self._steps = passage.steps()
        self._step(None)

    def heal(self) -> None:
        """If it is down, it is started again within a minute."""
        if self._is_down and not self._is_once:
            self._world.after(self._world.rng.uniform(0, MINUTE), self._start)

    @property
    def _owner(self) -> str:
        return f"{self._name}-{self._lives}"

    def _is_retry_due(self) -> bool:
        payout = self._world.book.payout
        next_try_at = payout.next_try_at
        return (
            payout.status is PayoutStatus.processing
            and next_try_at is not None
            and next_try_at <= self._world.clock()
        )

    def _sleep(self) -> None:
        """To the minute in which something may be due."""
        world, payout = self._world, self._world.book.payout
        pause = max(world.next_run_at - world.now, 0)
        if payout.status is PayoutStatus.processing and payout.next_try_at is not None:
            pause = min(pause, max((payout.next_try_at - world.clock()).total_seconds(), 0))
        self._later(pause + world.rng.uniform(0, MINUTE), self.wake)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        """Unless it has died by then."""
        life = self._lives
        self._world.after(seconds, lambda: do() if life == self._lives else None)

    def _step(self, value: object) -> None:
        """Go on with what was answered, until time passes."""
        world, rng = self._world, self._world.rng
        while self._steps is not None:
            try:
                question = self._steps.send(value)
            except StopIteration:
                self._end()
                return
            if not world.is_calm and rng.random() < self._chance_of_death(question):
                self._die(question)
            elif isinstance(question, Intent):
                self._send(question, self._reply())
            elif question is not None:
                self._later(rng.choice((0.1, 1.0, 25.0)), partial(self._step, self._read(question)))
            elif not world.is_calm and rng.random() < world.trouble.stall:
                pause = rng.choice((1.0, 200.0, rng.uniform(0, LONGEST_STALL)))
                self._later(pause, partial(self._step, None))
            else:
                value = None
                continue
            return

    def _chance_of_death(self, question: Question) -> float:
        trouble = self._world.trouble
        return max(trouble.death, trouble.death_at_post if isinstance(question, Intent) else 0)

    def _reply(self) -> Reply:
        """What this life does with an answer; a later one has never asked."""
        life = self._lives
        return lambda answer: self._step(answer) if life == self._lives else None

    def _send(self, intent: Intent, reply: Reply) -> None:
        world = self._world
        fate = world.rng.choice(world.weather.fates)
        world.leaves(intent, fate)
        world.stripe.send(intent.post, fate, reply)

    def _read(self, question: Read) -> object:
        stripe, weather = self._world.stripe, self._world.weather
        if self._world.rng.random() < weather.away:
            return Away()
        if question.what == "account":
            return AccountStatus.verified if stripe.is_account_fine else AccountStatus.restricted
        return stripe.has_funds if question.what == "funds" else stripe.found(question.what)

    def _end(self) -> None:
        self._steps = None
        if self._run_began_at is not None:
            self._world.run_ended(self._run_began_at)
        if not self._is_once:
            self._sleep()

    def _die(self, question: Question) -> None:
        """At once; a request may have left. Whether others can tell depends on where they run."""
        world, rng = self._world, self._world.rng
        world.note(f"{self._owner} dies")
        if isinstance(question, Intent) and rng.random() < 0.8:
            self._send(question, lambda _answer: None)
        if rng.random() < 0.7:
            world.gone.add(self._owner)
        self._lives += 1
        self._steps, self._is_down = None, True
        if not self._is_once:
            world.after(downtime(rng), self._start)

    def _start(self) -> None:
        if self._is_down:
            self._is_down = False
            self.wake()
