"""Disorder on demand: what may become of events on their way, as Stripe makes no promise that it does not.

https://docs.stripe.com/webhooks#event-ordering
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from portal.sandbox.store import Document

_MOST_EVENTS = 1_000
_LONGEST_DELAY_SECONDS = 30 * 86_400
_APART_SECONDS = 0.001
"""Between two that are let go at once; deliveries that are due are sent in the order of their times."""


class Disorder(StrEnum):
    """What becomes of the next events."""

    DROP = "drop"
    """Never delivered; the list of events has them."""
    DUPLICATE = "duplicate"
    """Each is delivered twice."""
    DELAY = "delay"
    """Each is delivered after `seconds`, so that later ones overtake it."""
    SHUFFLE = "shuffle"
    """They wait for one another, and are delivered in an order drawn by `seed`."""


class DisorderRefused(ValueError):
    """The description of a disorder makes no sense; the text says why."""


@dataclass
class PlannedDisorder:
    """For the next `times` events."""

    disorder: Disorder
    times: int
    seconds: float = 60.0
    seed: int = 1
    held: list[Document] = field(default_factory=list)


def planned_disorder(given: Document) -> PlannedDisorder:
    """Read a description from the control API; raises DisorderRefused."""
    if unknown := sorted(set(given) - {"disorder", "times", "seconds", "seed"}):
        raise DisorderRefused(f"unknown names: {', '.join(unknown)}; known: disorder, times, seconds, seed")
    if given.get("disorder") not in list(Disorder):
        raise DisorderRefused(f"disorder is one of: {', '.join(Disorder)}")
    disorder = Disorder(given["disorder"])
    least = 2 if disorder is Disorder.SHUFFLE else 1
    times, seed, seconds = given.get("times", least), given.get("seed", 1), given.get("seconds", 60)
    if type(times) is not int or not least <= times <= _MOST_EVENTS:
        raise DisorderRefused(f"times is an integer from {least} to {_MOST_EVENTS}")
    if type(seed) is not int:
        raise DisorderRefused("seed is an integer")
    if type(seconds) not in (int, float) or not 0 < seconds <= _LONGEST_DELAY_SECONDS:
        raise DisorderRefused(f"seconds is a number above 0, at most {_LONGEST_DELAY_SECONDS}")
    return PlannedDisorder(disorder, times, float(seconds), seed)


class DisorderPlans:
    """The disorders that wait for events, the oldest first."""

    def __init__(self) -> None:
        self.waiting: list[PlannedDisorder] = []

    def clear(self) -> list[Document]:
        """No disorder any more; answers the deliveries that were held, which go on."""
        held = [delivery for plan in self.waiting for delivery in plan.held]
        self.waiting.clear()
        return [{**delivery, "_state": "pending"} for delivery in held]

    def meet(self, delivery: Document) -> list[Document]:
        """A new delivery comes by: answers what is to be written of it, and of those that had waited for it."""
        if not self.waiting:
            return [delivery]
        plan = self.waiting[0]
        plan.times -= 1
        if plan.times == 0:
            self.waiting.pop(0)
        match plan.disorder:
            case Disorder.DROP:
                return [{**delivery, "_state": "dropped"}]
            case Disorder.DUPLICATE:
                return [{**delivery, "_copies": 2}]
            case Disorder.DELAY:
                return [{**delivery, "next_at": delivery["next_at"] + plan.seconds}]
            case Disorder.SHUFFLE:
                plan.held.append({**delivery, "_state": "held"})
                return _shuffled(plan, at=delivery["next_at"]) if plan.times == 0 else [plan.held[-1]]


def _shuffled(plan: PlannedDisorder, *, at: float) -> list[Document]:
    order = [*plan.held]
    random.Random(plan.seed).shuffle(order)
    if order == plan.held:
        order.reverse()
    first_at = at - len(order) * _APART_SECONDS
    return [
        {**delivery, "_state": "pending", "next_at": first_at + place * _APART_SECONDS}
        for place, delivery in enumerate(order)
    ]
