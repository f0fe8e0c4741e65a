"""A pace for one asker alone: nothing is ever in its way, and it says what was wanted of it."""

from __future__ import annotations

from portal.gateways.stripe import Lane


class Unpaced:
    """`turns`, `held` and `pauses` (seconds) in the order in which they were asked for."""

    def __init__(self) -> None:
        self.turns: list[tuple[Lane, ...]] = []
        self.held: list[tuple[Lane, float]] = []
        self.pauses: list[float] = []

    def take_turn(self, *lanes: Lane) -> float:
        self.turns.append(lanes)
        return 0.0

    def hold(self, lane: Lane, *, seconds: float) -> None:
        self.held.append((lane, seconds))

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
