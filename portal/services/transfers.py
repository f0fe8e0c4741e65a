"""The payout run: takes up what is approved and what is of unknown outcome, and has it sent, oldest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
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
from portal.services.claims import Claim, Claims, is_sendable
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

#: What a run makes of each payout that it takes up, by all that is known before Stripe is asked.
_WOULD_BECOME = {
    PayoutStatus.approved: Outcome.paid,
    PayoutStatus.held: Outcome.held,
    PayoutStatus.processing: Outcome.unknown,
}

#: The same while Stripe can't be asked anything.
_STANDS_STILL = _WOULD_BECOME | {PayoutStatus.approved: Outcome.waiting}


@dataclass
class RunTally:
    """What one run did: how many payouts by outcome, and what was paid in minor units by currency."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    is_dry: bool = False

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

    def run(self, *, cause: Cause, is_dry: bool = False) -> RunTally:
        """Send what is approved and settle what is unknown, oldest first; it has sent before it returns. Books that
        were not compared with Stripe within the hour are compared first, and on a difference nothing is sent: they may
        be a restored backup's. Raises StripeKeyRefusedError, which stops the run and changes no payout."""
        if is_dry:
            return self._counted(_WOULD_BECOME, is_dry=True)
        due = self._due(only_retries=False)
        try:
            is_clean = not due or self._reconciliation.is_clean_or_run(cause=cause)
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            return RunTally(self._stand_still(due))
        still_due = self._due(only_retries=False) if is_clean else []
        tally = self._take_all(still_due, cause)
        self._count_settled({*due} - {*still_due}, tally)
        return tally

    def retry(self, *, cause: Cause) -> RunTally:
        """Only go on with attempts of unknown outcome whose next try is due."""
        return self._take_all(self._due(only_retries=True), cause)

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

    def _take_all(self, due: list[UUID], cause: Cause) -> RunTally:
        tally, run = RunTally(), Run(cause)
        for number, payout_id in enumerate(due):
            if run.is_stripe_away:
                tally.counts += self._stand_still(due[number:])
                break
            outcome, claim = self._take(payout_id, run)
            tally.counts[outcome] += 1
            if claim is not None and outcome is Outcome.paid:
                tally.total[claim.currency] += claim.amount
        log.info("run.finished", **{outcome.value: count for outcome, count in tally.counts.items()})
        return tally

    def _take(self, payout_id: UUID, run: Run) -> tuple[Outcome, Claim | None]:
        """One payout; what goes wrong with it does not stop the others, and does not go on for ever."""
        try:
            with self._claims.claimed(payout_id) as claim:
                return (self._sending.pass_on(claim, run), claim) if claim else (Outcome.skipped, None)
        except StripeKeyRefusedError:
            raise
        except Exception as fault:
            log.exception("payout.raised", payout=str(payout_id))
            self._faults.note(payout_id, type(fault).__name__, cause=run.cause)
            return Outcome.unknown, None

    def _stand_still(self, due: list[UUID]) -> Counter[Outcome]:
        """Stripe is away: the rest waits for the next run, which is no fault of theirs."""
        log.warning("run.stood_still", payouts=len(due))
        for payout_id in due:
            self._attempts.note_wait(payout_id, WaitReason.stripe_away)
        return self._counted(_STANDS_STILL, only=due).counts

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

    @reading
    def _count_settled(self, ids: set[UUID], tally: RunTally) -> None:
        """What the comparison with Stripe has settled was paid in this run too; the rest was left where it is."""
        for payout in self._by_id(ids):
            outcome = Outcome.paid if payout.status is PayoutStatus.paid else Outcome.skipped
            tally.counts[outcome] += 1
            if outcome is Outcome.paid:
                tally.total[payout.currency] += payout.amount

    @reading
    def _counted(
        self, become: Mapping[PayoutStatus, Outcome], *, only: list[UUID] | None = None, is_dry: bool = False
    ) -> RunTally:
        """What a run would take up, by what is known now; nothing is asked or changed."""
        tally = RunTally(is_dry=is_dry)
        due = (
            self._database.scalars(sa.select(Payout).where(is_sendable()))
            if only is None
            else self._by_id(only)
        )
        for payout in due:
            outcome = become.get(payout.status, Outcome.skipped)
            tally.counts[outcome] += 1
            if outcome is Outcome.paid:
                tally.total[payout.currency] += payout.amount
        return tally

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
