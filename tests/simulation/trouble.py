"""What goes wrong in one schedule, drawn from its seed: on the line, at Stripe, with workers, clocks and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from portal.domain.attempts import KEY_LIFETIME, POST_WINDOW, PROOF_AFTER
from tests.simulation.stripe import DAY, HOUR, MINUTE, Fate

#: How far our clock may be off, to either side.
CLOCK_ERROR = 3 * HOUR

#: A worker may stop for so long between two steps.
LONGEST_STALL = 40 * MINUTE

_FINE = (Fate.fine,)
_AWAY = (Fate.lost,)
_LATE = (Fate.late,)
_SILENT = (Fate.lost, Fate.unheard, Fate.late, Fate.proxy_no, Fate.failed_early)
_REFUSING = (Fate.refused_early, Fate.refused, Fate.too_many, Fate.in_use, Fate.key_refused)


@dataclass(frozen=True)
class Weather:
    """Until it changes, the fates of requests are drawn from these; `away` is the share of readings that fail."""

    fates: tuple[Fate, ...]
    away: float


CALM = Weather(_FINE, 0)


class Happening(StrEnum):
    """What may happen at any moment."""

    clock_jumps = "clock_jumps"
    funds_change = "funds_change"
    account_changes = "account_changes"
    block_changes = "block_changes"
    canceled = "canceled"
    rejected = "rejected"
    approved = "approved"
    hurried = "hurried"
    run_by_hand = "run_by_hand"
    told_by_webhook = "told_by_webhook"


_HAPPENINGS = tuple(Happening)


@dataclass(frozen=True)
class Trouble:
    """One schedule's troubles. Chances are per step."""

    lasts: float
    """Seconds until everything is healthy."""
    weather: list[tuple[float, Weather]]
    happenings: list[tuple[float, Happening]] = field(default_factory=list)
    workers: int = 2
    stall: float = 0
    death: float = 0
    death_at_post: float = 0
    clock_error: float = 0
    """At the start, in seconds."""


def trouble(rng: Random) -> Trouble:
    """Draw one schedule."""
    kind = rng.choices((_changeable, _long_silence, _late_and_refused, _two_lists), (8, 4, 4, 1))[0]
    drawn = kind(rng)
    if kind is _two_lists:
        return drawn
    return replace(
        drawn,
        happenings=sorted([*drawn.happenings, *_happenings(rng, drawn.lasts)]),
        workers=rng.choice((1, 2, 2)),
        stall=rng.choice((0, 0, 0.02, 0.1, 0.3)),
        death=rng.choice((0, 0, 0.01, 0.05, 0.2)),
        death_at_post=rng.choice((0, 0, 0.1, 0.5)),
        clock_error=rng.choice((0, clock_error(rng))),
    )


def clock_error(rng: Random) -> float:
    """In whole seconds, as clocks are set."""
    return float(rng.randint(-int(CLOCK_ERROR), int(CLOCK_ERROR)))


def downtime(rng: Random) -> float:
    """Seconds until a worker that died runs again."""
    return rng.choice((5.0, 5.0, 60.0, rng.uniform(0, 2 * HOUR), rng.uniform(0, 3 * DAY)))


def _changeable(rng: Random) -> Trouble:
    """The weather changes after minutes or hours."""
    lasts = rng.choice((3 * HOUR, 3 * HOUR, 30 * HOUR, 100 * HOUR)) * rng.random() + MINUTE
    spell = rng.choice((10 * MINUTE, HOUR, 6 * HOUR))
    weather, now = [], 0.0
    while now < lasts:
        weather.append((now, _weather(rng)))
        now += rng.expovariate(1 / spell) + MINUTE
    return Trouble(lasts, weather)


def _long_silence(rng: Random) -> Trouble:
    """Nothing is heard until the key is old; then requests are late, around the last that may leave or the first that
    may leave under another key, and people run payouts by hand."""
    old = rng.choice((POST_WINDOW, POST_WINDOW, KEY_LIFETIME, PROOF_AFTER)).total_seconds()
    turn = old - rng.choice((rng.uniform(0, HOUR), rng.uniform(0, 6 * HOUR)))
    silence = Weather(rng.choice((_AWAY, _AWAY, (Fate.unheard,), (Fate.failed_before,), _SILENT)), 0)
    after = Weather(rng.choice((_LATE, _LATE, (Fate.late, Fate.lost), _SILENT)), rng.choice((0, 0, 0.5)))
    runs = _runs_by_hand(rng, old, rng.choice((0, 4, 8)))
    return Trouble(old + rng.uniform(0, 6 * HOUR), [(0.0, silence), (turn, after)], runs)


def _two_lists(rng: Random) -> Trouble:
    """Two workers read the list that proves absence, and one of them takes long to write it down."""
    proof = PROOF_AFTER.total_seconds() + HOUR
    weather = [(0.0, Weather(_AWAY, 0)), (proof - HOUR, Weather(_LATE, 0))]
    return Trouble(
        proof + rng.uniform(HOUR, 5 * HOUR), weather, _runs_by_hand(rng, proof - HOUR, 8), stall=0.4
    )


def _late_and_refused(rng: Random) -> Trouble:
    """Requests are still on their way while the next ones are refused."""
    late, refusing = Weather(_LATE, 0), Weather((Fate.refused_early, Fate.key_refused), 0)
    lasts = rng.uniform(MINUTE, 4 * HOUR)
    weather, now = [], 0.0
    while now < lasts:
        weather.append((now, rng.choice((late, refusing, refusing, CALM))))
        now += rng.expovariate(1 / (5 * MINUTE)) + 20
    return Trouble(lasts, weather)


def _weather(rng: Random) -> Weather:
    kind = rng.random()
    if kind < 0.15:
        return rng.choice((CALM, Weather((Fate.too_many,), 0)))
    if kind < 0.3:
        return Weather(_AWAY, 1)
    if kind < 0.6:
        fates = (*rng.sample(_SILENT, 2), Fate.late)
    elif kind < 0.8:
        fates = (*rng.sample(_REFUSING, 2), Fate.late)
    else:
        fates = tuple(rng.sample(tuple(Fate), 5))
    return Weather(fates, rng.choice((0, 0, 0.3, 0.9)))


def _runs_by_hand(rng: Random, since: float, count: int) -> list[tuple[float, Happening]]:
    return [(since + rng.uniform(0, 2 * HOUR), Happening.run_by_hand) for _ in range(count)]


def _happenings(rng: Random, lasts: float) -> Iterator[tuple[float, Happening]]:
    for _ in range(rng.choice((0, 0, 1, 3, 8))):
        yield rng.uniform(0, lasts), rng.choice(_HAPPENINGS)
    if rng.random() < 0.3:
        for _ in range(rng.choice((1, 2))):
            yield rng.uniform(0, lasts), Happening.clock_jumps
