"""What a rehearsal has to say: for people line by line while it goes on, for machines as one object in the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.rehearsal.kills import Kill
from tests.rehearsal.proof import Proof


@dataclass
class Report:
    """The sums of a rehearsal."""

    seed: int
    begun: float = field(default_factory=time.monotonic)
    runs: int = 0
    """Processes that were started."""
    kills: Counter[str] = field(default_factory=Counter)
    """By the moment at which the process died."""
    points: set[tuple[str, str, int]] = field(default_factory=set)
    """Database, scene and number of every moment that was tried on purpose."""
    payouts: int = 0
    transfers: int = 0
    double: int = 0
    lost: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def killed(self, database: str, kill: Kill) -> None:
        """One kill on purpose."""
        self.kills[kill.moment] += 1
        self.points.add((database, kill.scene, kill.number))

    def add(self, proof: Proof) -> None:
        """What one stage came to."""
        self.payouts += proof.payouts
        self.transfers += proof.transfers
        self.double += proof.double
        self.lost += proof.lost

    def broken(self, what: str, *, again: str) -> None:
        """Something is not as it must be; `again` is how to see it once more."""
        self.violations.append(f"{what}\n    again: {again}")

    def as_json(self) -> dict[str, object]:
        return {
            "seed": self.seed,
            "runs": self.runs,
            "kills": self.kills.total(),
            "kills_by_moment": dict(sorted(self.kills.items())),
            "kill_points": len(self.points),
            "payouts": self.payouts,
            "transfers": self.transfers,
            "double_payments": self.double,
            "lost_payouts": self.lost,
            "violations": self.violations,
            "seconds": round(self.seconds),
        }

    def told(self, say: Callable[[str], object]) -> None:
        """The sums, for people."""
        for moment, times in sorted(self.kills.items()):
            say(f"{times:6}  {moment}")
        say(
            f"seed {self.seed}: {self.kills.total()} kills at {len(self.points)} points and at random in {self.runs} "
            f"processes, {self.seconds:.0f} s"
        )
        say(
            f"{self.payouts} payouts, {self.transfers} transfers, {self.double} paid twice, {self.lost} lost, "
            f"{len(self.violations)} violations"
        )
        for violation in self.violations:
            say(f"VIOLATION {violation}")
