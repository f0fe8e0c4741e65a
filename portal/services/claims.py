"""Claims: which run works on a payout at the moment, and how the payout stood when it was taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.payouts import LEASE, PayoutMethod, PayoutStatus, WaitReason, is_leased
from portal.domain.verdicts import Step, next_step
from portal.models import Payout, PayoutAttempt
from portal.models.base import Database, new_id, writing
from portal.services.sending_faults import is_parked

_THIS_HOST = socket.gethostname()[:40]


def is_sendable() -> sa.ColumnElement[bool]:
    """What a run takes up: all that Stripe carries, and of the rest what is held, to look at the reason again; not
    what was parked."""
    is_carried = sa.and_(
        Payout.method == PayoutMethod.fiat,
        Payout.status.in_((PayoutStatus.approved, PayoutStatus.processing)),
    )
    return sa.and_(sa.or_(is_carried, Payout.status == PayoutStatus.held), ~is_parked())


@dataclass(frozen=True)
class Claim:
    """A payout taken by this run, as it stood then."""

    payout_id: UUID
    status: PayoutStatus
    method: PayoutMethod
    amount: int
    currency: str
    affiliate_id: UUID
    destination: str
    wait_reason: WaitReason | None
    generations: int
    step: Step
    """What to do about the newest generation, if it is open."""


class Claims:
    """Takes payouts and lets them go."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def claimed(self, payout_id: UUID) -> Iterator[Claim | None]:
        """Hold a payout for the length of a `with`; None if somebody else has it or it is not to be sent."""
        owner = f"{_THIS_HOST}:{os.getpid()}:{str(new_id())[-8:]}"
        claim = self._claim(payout_id, owner)
        try:
            yield claim
        finally:
            if claim is not None:
                self._let_go(payout_id, owner)

    @writing
    def _claim(self, payout_id: UUID, owner: str) -> Claim | None:
        """Take a payout that nobody else is working on."""
        now = self._clock.real_now()
        payout = self._database.scalar(
            sa.select(Payout)
            .where(Payout.id == payout_id, is_sendable())
            .with_for_update(skip_locked=True, key_share=True)
        )
        if payout is None:
            return None
        if is_leased(payout.lease_until, now) and _may_be_alive(payout.lease_owner or ""):
            return None
        payout.lease_owner, payout.lease_until = owner, now + LEASE
        newest = self._database.scalar(
            sa.select(PayoutAttempt)
            .where(PayoutAttempt.payout_id == payout_id)
            .order_by(PayoutAttempt.generation.desc())
            .limit(1)
        )
        return Claim(
            payout_id=payout.id,
            status=payout.status,
            method=payout.method,
            amount=payout.amount,
            currency=payout.currency,
            affiliate_id=payout.affiliate_id,
            destination=payout.destination,
            wait_reason=payout.wait_reason,
            generations=newest.generation if newest else 0,
            step=next_step(newest, self._clock.now(), next_try_at=payout.next_try_at),
        )

    @writing
    def _let_go(self, payout_id: UUID, owner: str) -> None:
        self._database.execute(
            sa.update(Payout)
            .where(Payout.id == payout_id, Payout.lease_owner == owner)
            .values(lease_owner=None, lease_until=None)
        )


def _may_be_alive(lease_owner: str) -> bool:
    """Whether whoever holds a lease may still be at work: a process of this machine that is gone is not."""
    host, _, rest = lease_owner.partition(":")
    pid = rest.partition(":")[0]
    if host != _THIS_HOST or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: str) -> bool:
    """Whether a process was killed and only waits for its parent to notice, which in a container may never happen.
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux, or gone by now
        return False
    # the name stands in parentheses and may hold anything
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}
