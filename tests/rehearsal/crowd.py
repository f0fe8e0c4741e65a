"""Many workers, a run by hand and many payouts at once: each is paid once, whoever is faster."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from tests.rehearsal.kills import SceneSpoiled
from tests.rehearsal.scenes import AMOUNT, RUN, WORKER
from tests.rehearsal.stage import Ended, Stage

WORKERS = 4


def many_wait(stage: Stage, count: int, *, is_enough: Callable[[], bool] = lambda: False) -> list[UUID]:
    """So many payouts wait and the hour of the run has come; of every second one it is not known whether it was sent,
    so that each worker wants it."""
    stage.stripe.set_balance(usd=10**9)
    payouts: list[UUID] = []
    while len(payouts) < count and not is_enough():
        payouts.append(stage.programme.approved(AMOUNT))
        if len(payouts) == count // 2:
            stage.stripe.fault("timeout_after", times=count)
            stage.programme.run()
            stage.stripe.comes_back()
    stage.pass_time(hours=1)
    return payouts


def all_send(stage: Stage) -> list[Ended]:
    """Four workers and a run by hand at once. Raises SceneSpoiled if one of them does not end well."""
    running = [stage.start(*words) for words in [WORKER] * WORKERS + [RUN]]
    ended = [process.wait() for process in running]
    for one in ended:
        if one.code != 0 or "Traceback" in one.said:
            raise SceneSpoiled(f"a process ended with {one.code}: {one.said}")
    return ended
