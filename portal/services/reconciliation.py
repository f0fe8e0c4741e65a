"""Reconciling: our transfers at Stripe against payouts and ledger, both ways.

What can be proven is settled, through the code that every other answer of Stripe's goes through. A transfer of ours
that no payout explains never makes money in the ledger: all sending stops until a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import Outcome
from portal.domain.payouts import PayoutMethod
from portal.domain.verdicts import Listing
from portal.gateways.stripe import StripeGateway
from portal.gateways.transfer_facts import TransferFacts
from portal.models import Installation, Payout, ReconciliationAcceptance, ReconciliationPass
from portal.models.base import Database, reading, writing
from portal.services.attempts import Attempts
from portal.services.journal import Cause
from portal.services.reversals import Reversals
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_comparison import (
    PAID,
    Difference,
    differences_of,
    is_ours,
    missing_transfer,
    payout_id_of,
)
from portal.services.transfer_requests import transfer_group

log = structlog.get_logger(__name__)

#: How far before the last clean pass a pass begins: longer than the 25 hours in which an unknown outcome may show.
OVERLAP = timedelta(hours=48)

#: How long a run trusts a clean pass.
TRUSTED_FOR = timedelta(hours=1)

#: How many transfers are compared at once: one page of Stripe's.
BATCH = 100


@dataclass
class PassTally:
    """What one pass saw: our transfers, those of others, and what it settled."""

    since_at: datetime
    started_at: datetime
    ours: int = 0
    others: int = 0
    settled: int = 0
    accepted: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, object]:
        return {
            "differences": [difference.as_json() for difference in self.differences],
            "ours": self.ours,
            "others": self.others,
            "settled": self.settled,
            "accepted": self.accepted,
            "since": self.since_at.isoformat(),
        }


class Reconciliation:
    """Compares, settles, and stops all sending on a difference that is left."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        attempts: Attempts,
        switch: SendingSwitch,
        reversals: Reversals,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._attempts = attempts
        self._switch = switch
        self._reversals = reversals

    def run(self, *, cause: Cause) -> PassTally:
        """One pass over everything since the last clean one minus 48 hours. Raises StripeProblemError; a pass that
        ended so counts for nothing."""
        installation, since_at = self._begin()
        tally = PassTally(since_at=since_at, started_at=self._clock.real_now())
        found: list[Difference] = []
        seen: set[str] = set()
        for batch in _batches(self._stripe.transfers_since(since_at)):
            ours = [transfer for transfer in batch if is_ours(transfer, installation)]
            tally.ours += len(ours)
            tally.others += len(batch) - len(ours)
            seen.update(transfer.id for transfer in ours)
            found += self._compare(ours, tally, cause)
        for payout in self._paid_since(since_at):
            if payout.transfer_id not in seen:
                found += self._look_for(payout, cause)
        self._finish(tally, found)
        return tally

    def is_clean_or_run(self, *, cause: Cause) -> bool:
        """Whether a run may send: the last clean pass is at most an hour old, or one made now is clean. Raises
        StripeProblemError."""
        return self._is_trusted() or self.run(cause=cause).is_clean

    @reading
    def passes(self, *, limit: int = 50) -> list[ReconciliationPass]:
        """The newest passes, newest first."""
        newest = sa.select(ReconciliationPass).order_by(ReconciliationPass.started_at.desc()).limit(limit)
        return list(self._database.scalars(newest))

    def _compare(self, ours: list[TransferFacts], tally: PassTally, cause: Cause) -> list[Difference]:
        payouts = self._payouts(filter(None, map(payout_id_of, ours)))
        found: list[Difference] = []
        for transfer in ours:
            payout = payouts.get(payout_id_of(transfer))
            if payout is not None and (payout.status not in PAID or payout.transfer_id != transfer.id):
                payout = self._settle(payout, tally, cause)
            if self._differences(transfer, payout, cause):
                found += self._look_again(transfer)
        return found

    def _look_again(self, transfer: TransferFacts) -> list[Difference]:
        """Compare once more with both sides as they are now: much may have happened since the list was read."""
        now = self._stripe.retrieve_transfer(transfer.id)
        payout_id = payout_id_of(now)
        return differences_of(now, self._payouts([payout_id]).get(payout_id) if payout_id else None)

    def _differences(self, transfer: TransferFacts, payout: Payout | None, cause: Cause) -> list[Difference]:
        """What does not fit, after new reversals are written down."""
        if payout is not None and transfer.amount_reversed > payout.amount_reversed:
            self._reversals.record(payout.id, transfer.id, cause=cause)
            payout = self._payouts([payout.id])[payout.id]
        return differences_of(transfer, payout)

    def _settle(self, payout: Payout, tally: PassTally, cause: Cause) -> Payout:
        """Let the whole group say what it proves; two transfers, or another than was asked for, stop all sending."""
        was_paid = payout.status in PAID
        group = self._stripe.transfers_in_group(transfer_group(payout.id))
        outcome = self._attempts.record_found(payout.id, Listing(group, asked_at=None), cause=cause)
        tally.settled += outcome is Outcome.paid and not was_paid
        return self._payouts([payout.id])[payout.id]

    def _look_for(self, payout: Payout, cause: Cause) -> list[Difference]:
        """A paid payout whose transfer the pass did not come by: made earlier, or not at all."""
        group = self._stripe.transfers_in_group(transfer_group(payout.id))
        if all(transfer.id != payout.transfer_id for transfer in group):
            return [missing_transfer(payout)]
        return [difference for transfer in group for difference in self._differences(transfer, payout, cause)]

    def _finish(self, tally: PassTally, found: list[Difference]) -> None:
        """Write the pass down; what a person has explained is no difference any more."""
        explained = self._explained(found)
        tally.accepted = len(explained)
        tally.differences = [difference for difference in found if difference not in explained]
        self._write(tally)
        if not tally.is_clean:
            kinds = sorted({difference.kind for difference in tally.differences})
            self._switch.halt(f"Ledger and Stripe differ in {len(tally.differences)}: {', '.join(kinds)}.")
        log.info(
            "reconciliation.finished",
            ours=tally.ours,
            others=tally.others,
            settled=tally.settled,
            differences=len(tally.differences),
        )

    @reading
    def _begin(self) -> tuple[UUID, datetime]:
        installation = self._database.scalars(sa.select(Installation)).one()
        begun_at = self._last_clean() or installation.created_at
        return installation.id, min(begun_at, self._clock.real_now()) - OVERLAP

    @reading
    def _is_trusted(self) -> bool:
        last = self._last_clean()
        return last is not None and self._clock.real_now() - last < TRUSTED_FOR

    def _last_clean(self) -> datetime | None:
        """When the newest pass without differences began."""
        return self._database.scalar(
            sa.select(sa.func.max(ReconciliationPass.started_at)).where(ReconciliationPass.is_clean)
        )

    @reading
    def _payouts(self, ids: Iterable[UUID]) -> Mapping[UUID | None, Payout]:
        rows = self._database.scalars(sa.select(Payout).where(Payout.id.in_(list(ids))))
        return {payout.id: payout for payout in rows}

    @reading
    def _paid_since(self, since_at: datetime) -> list[Payout]:
        """By the business clock, which a rehearsal may have shifted."""
        shift = self._clock.now() - self._clock.real_now()
        return list(
            self._database.scalars(
                sa.select(Payout).where(
                    Payout.method == PayoutMethod.fiat,
                    Payout.status.in_(PAID),
                    Payout.paid_at >= since_at + shift,
                )
            )
        )

    @reading
    def _explained(self, found: list[Difference]) -> set[Difference]:
        accepted = self._database.execute(
            sa.select(
                ReconciliationAcceptance.kind,
                ReconciliationAcceptance.difference_id,
                ReconciliationAcceptance.message,
            )
        )
        return {Difference(*row) for row in accepted} & set(found)

    @writing
    def _write(self, tally: PassTally) -> None:
        self._database.add(
            ReconciliationPass(
                since_at=tally.since_at,
                started_at=tally.started_at,
                finished_at=self._clock.real_now(),
                ours=tally.ours,
                others=tally.others,
                settled=tally.settled,
                accepted=tally.accepted,
                is_clean=tally.is_clean,
                differences=[difference.as_json() for difference in tally.differences],
            )
        )


def _batches(transfers: Iterator[TransferFacts]) -> Iterator[list[TransferFacts]]:
    while batch := list(islice(transfers, BATCH)):
        yield batch
