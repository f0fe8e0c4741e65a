"""`python -m tests.simulation`: many schedules of the portal's policy, and what wrong ones would have cost.

`--only SEED` replays one schedule and tells it line by line.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import click

from tests.simulation.policies import POLICIES, THE_PORTALS, Policy
from tests.simulation.schedule import Fault, Schedule, told

#: How many schedules a process tries at a time.
SHARE = 500

#: Of a policy with faults so many seeds are named.
SEEDS_NAMED = 5


@dataclass
class Count:
    """How many schedules of a policy had which fault, and the first of them."""

    faults: Counter[Fault] = field(default_factory=Counter)
    schedules: int = 0
    seeds: list[int] = field(default_factory=list)

    def add(self, other: Count) -> None:
        self.faults += other.faults
        self.schedules += other.schedules
        self.seeds = sorted([*self.seeds, *other.seeds])[:SEEDS_NAMED]


def tried(seeds: range, name: str) -> Count:
    """These schedules under the policy of this name."""
    count = Count(schedules=len(seeds))
    for seed in seeds:
        report = Schedule(seed, POLICIES[name]).run()
        count.faults.update(report.faults)
        if report.faults:
            count.seeds = [*count.seeds, seed][:SEEDS_NAMED]
    return count


def tried_by_all(policy: Policy, seeds: range, processes: ProcessPoolExecutor) -> Count:
    """Shared out over the processes."""
    shares = [seeds[start : start + SHARE] for start in range(0, len(seeds), SHARE)]
    total = Count()
    for count in processes.map(partial(tried, name=policy.name), shares):
        total.add(count)
    return total


@click.command()
@click.option("--schedules", default=3_000, show_default=True, help="How many of the portal's own policy.")
@click.option("--wrong", default=3_000, show_default=True, help="How many of each wrong policy.")
@click.option("--seed", default=1, show_default=True, help="The first schedule.")
@click.option("--only", type=int, help="Replay this schedule alone.")
@click.option("--policy", "name", default=THE_PORTALS.name, show_default=True, help="Whose, with --only.")
def simulate(schedules: int, wrong: int, seed: int, only: int | None, name: str) -> None:
    """Try the sending policy against a model of Stripe. Ends with 1 if the portal's own had a fault."""
    if only is not None:
        click.echo(told(only, POLICIES[name]))
        return
    click.echo(
        f"{'policy':<62}{'schedules':>10}{'paid twice':>12}{'not paid':>10}{'other faults':>14}{'seconds':>9}"
    )
    own = Count()
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for policy in POLICIES.values():
            is_own = policy is THE_PORTALS
            began_at = time.monotonic()
            count = tried_by_all(policy, range(seed, seed + (schedules if is_own else wrong)), processes)
            own = count if is_own else own
            twice, unpaid = count.faults[Fault.paid_twice], count.faults[Fault.not_paid]
            others = len(count.faults.keys() - {Fault.paid_twice, Fault.not_paid})
            seconds = time.monotonic() - began_at
            click.echo(
                f"{policy.name:<62}{count.schedules:>10,}{twice:>12,}{unpaid:>10,}{others:>14,}{seconds:>9.1f}"
            )
    if own.seeds:
        click.echo(told(own.seeds[0], THE_PORTALS))
        raise SystemExit(1)


if __name__ == "__main__":
    simulate()
