"""`flask generate`: a database as it looks after a year with many affiliates, to try how the portal bears it."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import with_appcontext

from portal.cli.answers import json_option, report, says_refusals
from portal.cli.bulk_writing import Bulk, bulk_writing
from portal.cli.generated_affiliates import BUSY_EVERY, AffiliateMaker, MadeAffiliate
from portal.cli.generated_payouts import LEAST, PayoutMaker
from portal.cli.generated_rows import COLUMNS, Identifiers, Making, Moment, Trail
from portal.domain.errors import PortalError
from portal.models import Affiliate, Installation
from portal.wiring import db, services

#: So far back everything begins.
HISTORY = timedelta(days=360)

#: In each of these steps an affiliate may have one payout; with more payouts than that there are more steps.
FEWEST_STEPS = 12

#: At most so many of those who are paid have a payout in one step.
MOST_PAID = 0.8


class NotInProduction(PortalError):
    """Made-up rows never stand among real ones."""

    status = 403
    code = "production"


class SeedWasUsed(PortalError):
    """The same affiliates are there already."""

    status = 409
    code = "seed_used"


@dataclass(frozen=True)
class Size:
    """How much of everything; `entries` is about how many ledger entries there will be."""

    affiliates: int
    payouts: int
    entries: int

    @property
    def earnings(self) -> int:
        """An earning and its maturing are two entries; so are most payouts."""
        return max(0, self.entries - 2 * self.payouts) // 2


class Year:
    """Goes through the steps of a year, and in each through everybody who is paid."""

    def __init__(self, bulk: Bulk, size: Size, *, seed: int, now: datetime, installation: str) -> None:
        self._size = size
        self._now = now
        self._places = bulk.places()
        self._bulk = bulk
        self._chance = random.Random(f"{seed} {size}")  # noqa: S311 - made up on purpose, the same each time
        making = Making(
            sink=bulk,
            trail=Trail(bulk, self._places, sealed_at=Moment.of(now)),
            ids=Identifiers(self._chance),
            chance=self._chance,
            places=self._places,
        )
        self._affiliates = AffiliateMaker(making, name=prefix(seed))
        self._payouts = PayoutMaker(making, affiliates=self._affiliates, installation=installation)

    def live(self) -> None:
        """Write all of it."""
        begun_at, count = self._now - HISTORY, self._size.affiliates
        made = [
            self._affiliates.make(number, at=Moment.of(begun_at - timedelta(days=30 * (1 - number / count))))
            for number in range(count)
        ]
        payees = [one for one in made if one.is_payee]
        steps = max(FEWEST_STEPS, math.ceil(self._size.payouts / len(payees) / MOST_PAID))
        for step in range(steps):
            self._step(payees, step, steps, begun_at=begun_at)
        self._bulk.finish(self._places)

    def _step(self, payees: list[MadeAffiliate], step: int, steps: int, *, begun_at: datetime) -> None:
        length, slots = HISTORY / steps, steps * len(payees)
        turn = step * 7_919 % len(payees)  # not the same ones first, nor the same ones paid, each time
        for place, one in enumerate(payees[turn:] + payees[:turn]):
            slot = step * len(payees) + place
            asked_at = Moment.of(begun_at + length * (step + 0.8 * place / len(payees)))
            is_last = step == steps - 1
            for _ in range(self._earnings_at(slot, slots, len(payees), one)):
                self._payouts.earn(one, self._chance.randint(500, 20_000), at=asked_at, is_held=is_last)
            if _share(self._size.payouts, slot, slots):
                if one.available < LEAST:
                    amount = self._chance.randint(LEAST, 60_000)
                    self._payouts.earn(one, LEAST + amount, at=asked_at, is_held=False)
                self._payouts.pay(one, asked_at=asked_at, done_at=asked_at.later(hours=1), is_last=is_last)
        self._payouts.end_of_run(Moment.of(begun_at + length * (step + 0.9)))

    def _earnings_at(self, slot: int, slots: int, payees: int, one: MadeAffiliate) -> int:
        """Half of them are spread evenly; the busy ones have the other half to themselves."""
        half = self._size.earnings // 2
        count = _share(half, slot, slots)
        if one.is_busy:
            busy = math.ceil(self._size.affiliates / BUSY_EVERY)
            count += half // (busy * (slots // payees))
        return count


def _share(count: int, slot: int, slots: int) -> int:
    """How many of `count` fall into this one of so many slots, evenly."""
    return (slot + 1) * count // slots - slot * count // slots


def prefix(seed: int) -> str:
    """With what the codes of one seed begin."""
    return f"gen{seed}"


@click.command("generate")
@click.option("--affiliates", required=True, type=click.IntRange(1, 10_000_000), help="How many affiliates.")
@click.option("--payouts", type=click.IntRange(0), help="How many payouts; ten an affiliate if not said.")
@click.option(
    "--entries", type=click.IntRange(0), help="About how many ledger entries; four a payout if not said."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed makes the same rows."
)
@json_option
@with_appcontext
@says_refusals
def generate(affiliates: int, payouts: int | None, entries: int | None, seed: int, as_json: bool) -> None:
    """Fill a database that is not in production with made-up affiliates and a year of payouts."""
    if services().settings.is_production:
        raise NotInProduction("This is production: nothing is made up here.")
    payouts = 10 * affiliates if payouts is None else payouts
    size = Size(affiliates, payouts, 4 * payouts if entries is None else entries)
    begun = time.monotonic()
    with bulk_writing(db.engine) as bulk:
        written = _fill(bulk, size, seed)
    _tidy()
    seconds = round(time.monotonic() - begun, 1)
    document = {"affiliates": affiliates, "payouts": payouts, "rows": written, "seconds": seconds}
    report(document, [f"{written} rows in {seconds} s. `selfcheck` says whether they hold."], as_json=as_json)


def _fill(bulk: Bulk, size: Size, seed: int) -> int:
    same = sa.select(Affiliate.id).where(Affiliate.code == f"{prefix(seed)}-000000")
    if bulk.connection.scalar(same) is not None:
        raise SeedWasUsed("This seed was used here before. Give another --seed.")
    installation = bulk.connection.scalar(sa.select(Installation.id))
    Year(bulk, size, seed=seed, now=services().clock.now(), installation=str(installation)).live()
    return bulk.written


def _tidy() -> None:
    """What PostgreSQL does by itself some minutes later: statistics, and which pages need no second look."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {', '.join(COLUMNS)}")


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(generate)
