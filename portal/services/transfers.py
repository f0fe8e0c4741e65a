"""The payout run: takes up what is approved and what is of unknown outcome, and has it sent, oldest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import Outcome
from portal.domain.payouts import PayoutStatus, WaitReason
from portal.domain.verdicts import Listing
from portal.gateways.stripe import StripeGateway, StripeKeyRefusedError, StripeProblemError
from portal.gateways.transfer_facts import TransferFacts
from portal.models import Installation, Payout
from portal.models.base import Database, reading
from portal.services.attempts import Attempts
from portal.services.claims import Claims, is_sendable
from portal.services.journal import Cause
from portal.services.reconciliation import Reconciliation
from portal.services.reversals import Reversals
from portal.services.sending import Run, Sending
from portal.services.sending_faults import SendingFaults
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_comparison import is_ours, payout_id_of
from portal.services.transfer_requests import transfer_group

log = structlog.get_logger(__name__)

#: Payouts that are read by one question.
AT_ONCE = 1_000

#: What becomes of payouts that a run leaves where they are, while Stripe can't be asked anything.
_STANDS_STILL = {
    PayoutStatus.approved: Outcome.waiting,
    PayoutStatus.held: Outcome.held,
    PayoutStatus.processing: Outcome.unknown,
}


@dataclass(frozen=True)
class Taken:
    """What a run made of one payout."""

    payout_id: UUID
    outcome: Outcome
    amount: int = 0
    currency: str = ""


#: Told what became of payouts as soon as it is known.
Note = Callable[[Sequence[Taken]], None]


def _tell_nobody(_taken: Sequence[Taken]) -> None:
    """For a run that leaves no record of its own."""


@dataclass
class RunTally:
    """What one run did: how many payouts by outcome, and what was paid in minor units by currency."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    is_dry: bool = False

    def add(self, taken: Iterable[Taken]) -> None:
        """Count some more."""
        for each in taken:
            self.counts[each.outcome] += 1
            if each.outcome is Outcome.paid:
                self.total[each.currency] += each.amount

    def as_json(self) -> dict[str, object]:
        counts: dict[str, object] = {outcome.value: self.counts[outcome] for outcome in Outcome}
        return counts | {"total": dict(self.total), "dry_run": self.is_dry}


class Transfers:
    """The payout run."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        sending: Sending,
        attempts: Attempts,
        claims: Claims,
        switch: SendingSwitch,
        faults: SendingFaults,
        reversals: Reversals,
        reconciliation: Reconciliation,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._sending = sending
        self._attempts = attempts
        self._claims = claims
        self._switch = switch
        self._faults = faults
        self._reversals = reversals
        self._reconciliation = reconciliation

    def due(self) -> list[UUID]:
        """What a run would take up now, oldest first; nothing while sending is stopped."""
        return self._due(only_retries=False)

    def run(self, only: Collection[UUID], *, cause: Cause, note: Note = _tell_nobody) -> RunTally:
        """Send what is approved of these payouts and settle what is unknown, oldest first; it has sent before it
        returns. Books that were not compared with Stripe within the hour are compared first, and on a difference
        nothing is sent: they may be a restored backup's. Raises StripeKeyRefusedError, which stops the run and
        changes no payout."""
        listed = frozenset(only)
        due = [each for each in self.due() if each in listed]
        tally = RunTally()
        try:
            is_clean = not due or self._reconciliation.is_clean_or_run(cause=cause)
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            self._stand_still(due, tally, note)
            return tally
        still_due = [each for each in self.due() if each in listed] if is_clean else []
        self._take_all(still_due, tally, note, cause)
        self._count_settled({*due} - {*still_due}, tally, note)
        return tally

    def retry(self, *, cause: Cause) -> RunTally:
        """Only go on with attempts of unknown outcome whose next try is due."""
        tally = RunTally()
        self._take_all(self._due(only_retries=True), tally, _tell_nobody, cause)
        return tally

    def look_up(self, transfer_id: str, *, cause: Cause) -> str:
        """Settle the payout that a transfer at Stripe belongs to, if it is one of ours, and write down what was taken
        back of it; what was done, in a word."""
        transfer = self._stripe.retrieve_transfer(transfer_id)
        payout_id = self._payout_of(transfer)
        if payout_id is None:
            return "not ours"
        found = self._stripe.transfers_in_group(transfer_group(payout_id))
        outcome = self._attempts.record_found(payout_id, Listing(found, asked_at=None), cause=cause)
        if outcome is Outcome.paid and transfer.amount_reversed:
            self._reversals.record(payout_id, transfer.id, cause=cause)
        return outcome.value

    def _take_all(self, due: list[UUID], tally: RunTally, note: Note, cause: Cause) -> None:
        run = Run(cause)
        for number, payout_id in enumerate(due):
            if run.is_stripe_away:
                self._stand_still(due[number:], tally, note)
                break
            taken = self._take(payout_id, run)
            tally.add([taken])
            note([taken])
        log.info("run.finished", **{outcome.value: count for outcome, count in tally.counts.items()})

    def _take(self, payout_id: UUID, run: Run) -> Taken:
        """One payout; what goes wrong with it does not stop the others, and does not go on for ever."""
        try:
            with self._claims.claimed(payout_id) as claim:
                if claim is None:
                    return Taken(payout_id, Outcome.skipped)
                return Taken(payout_id, self._sending.pass_on(claim, run), claim.amount, claim.currency)
        except StripeKeyRefusedError:
            raise
        except Exception as fault:
            log.exception("payout.raised", payout=str(payout_id))
            self._faults.note(payout_id, type(fault).__name__, cause=run.cause)
            return Taken(payout_id, Outcome.unknown)

    def _stand_still(self, due: list[UUID], tally: RunTally, note: Note) -> None:
        """Stripe is away: the rest waits for the next run, which is no fault of theirs."""
        log.warning("run.stood_still", payouts=len(due))
        for payout_id in due:
            self._attempts.note_wait(payout_id, WaitReason.stripe_away)
        left = self._as_they_stand(due, _STANDS_STILL)
        tally.add(left)
        note(left)

    @reading
    def _due(self, *, only_retries: bool) -> list[UUID]:
        query = sa.select(Payout.id).where(is_sendable())
        if only_retries:
            query = query.where(
                Payout.status == PayoutStatus.processing, Payout.next_try_at <= self._clock.now()
            )
        return (
            []
            if self._switch.is_halted_within()
            else list(self._database.scalars(query.order_by(Payout.number)))
        )

    def _count_settled(self, ids: Collection[UUID], tally: RunTally, note: Note) -> None:
        """What the comparison with Stripe has settled was paid in this run too; the rest was left where it is."""
        settled = self._as_they_stand(ids, {PayoutStatus.paid: Outcome.paid})
        tally.add(settled)
        note(settled)

    @reading
    def _as_they_stand(self, ids: Collection[UUID], means: Mapping[PayoutStatus, Outcome]) -> list[Taken]:
        """What has become of payouts, by where they stand now."""
        return [
            Taken(each.id, means.get(each.status, Outcome.skipped), each.amount, each.currency)
            for each in self._by_id(ids)
        ]

    def _by_id(self, ids: Collection[UUID]) -> Iterator[Payout]:
        """No database takes any number of values in one question."""
        wanted = list(ids)
        for first in range(0, len(wanted), AT_ONCE):
            some = Payout.id.in_(wanted[first : first + AT_ONCE])
            yield from self._database.scalars(sa.select(Payout).where(some))

    @reading
    def _payout_of(self, transfer: TransferFacts) -> UUID | None:
        installation = self._database.scalars(sa.select(Installation.id)).one()
        payout_id = payout_id_of(transfer) if is_ours(transfer, installation) else None
        return self._database.scalar(sa.select(Payout.id).where(Payout.id == payout_id))
