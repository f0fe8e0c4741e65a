"""Sending: takes what is approved, asks Stripe about the account once more, writes the intent, and only then posts.

Commit, call, commit: no transaction is open while Stripe is asked, and no outcome is guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import AnswerClass, Outcome, classify
from portal.domain.payouts import PayoutMethod, PayoutStatus, WaitReason
from portal.domain.verdicts import Listing, Step
from portal.gateways.stripe import StripeGateway, StripeKeyRefusedError, StripeProblemError
from portal.gateways.transfer_facts import TransferFacts
from portal.models import Installation, Payout
from portal.models.base import Database, reading
from portal.services.accounts import Accounts
from portal.services.attempts import Attempts, Intent
from portal.services.claims import Claim, Claims, is_sendable
from portal.services.journal import Cause
from portal.services.reconciliation import Reconciliation
from portal.services.reversals import Reversals
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_requests import transfer_group

log = structlog.get_logger(__name__)

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
        accounts: Accounts,
        attempts: Attempts,
        claims: Claims,
        switch: SendingSwitch,
        reversals: Reversals,
        reconciliation: Reconciliation,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._accounts = accounts
        self._attempts = attempts
        self._claims = claims
        self._switch = switch
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
        except StripeProblemError as problem:
            log.warning("run.stood_still", problem=str(problem))
            for payout_id in due:
                self._attempts.note_wait(payout_id, WaitReason.stripe_away)
            return self._counted(_STANDS_STILL)
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
        tally = RunTally()
        short: set[str] = set()
        for payout_id in due:
            outcome, claim = self._take(payout_id, short, cause)
            tally.counts[outcome] += 1
            if claim is not None and outcome is Outcome.paid:
                tally.total[claim.currency] += claim.amount
        log.info("run.finished", **{outcome.value: count for outcome, count in tally.counts.items()})
        return tally

    def _take(self, payout_id: UUID, short: set[str], cause: Cause) -> tuple[Outcome, Claim | None]:
        """One payout; what goes wrong with it does not stop the others."""
        with self._claims.claimed(payout_id) as claim:
            if claim is None:
                return Outcome.skipped, None
            try:
                return self._pass_on(claim, short, cause), claim
            except StripeKeyRefusedError:
                raise
            except Exception:
                log.exception("payout.raised", payout=str(payout_id))
                return Outcome.unknown, claim

    def _pass_on(self, claim: Claim, short: set[str], cause: Cause) -> Outcome:
        if claim.status is PayoutStatus.held:
            status = self._look_at_held(claim, cause)
            if status is not PayoutStatus.approved or claim.method is not PayoutMethod.fiat:
                return Outcome.held if status is PayoutStatus.held else Outcome.skipped
        if claim.status is PayoutStatus.processing:
            outcome = self._resume(claim, cause)
        elif self._has_no_cover(claim, short):
            outcome = Outcome.waiting
        else:
            outcome = self._send(claim, cause)
        if outcome is Outcome.waiting and self._waits_for_funds(claim.payout_id):
            short.add(claim.currency)  # oldest first: nobody younger is served before
        return outcome

    def _look_at_held(self, claim: Claim, cause: Cause) -> PayoutStatus:
        """Whether the reason is gone, by what Stripe says now; it stays held while Stripe can't be asked."""
        if claim.method is PayoutMethod.fiat:
            try:
                self._accounts.look(claim.affiliate_id, claim.destination, cause=cause)
            except StripeKeyRefusedError:
                raise
            except StripeProblemError:
                return PayoutStatus.held
        return self._attempts.reconsider(claim.payout_id, cause=cause)

    def _has_no_cover(self, claim: Claim, short: set[str]) -> bool:
        if claim.currency in short or (claim.wait_reason is WaitReason.funds and self._is_short(claim)):
            self._attempts.note_wait(claim.payout_id, WaitReason.funds)
            return True
        return False

    def _send(self, claim: Claim, cause: Cause) -> Outcome:
        """Fresh look, intent, post."""
        try:
            if claim.status is not PayoutStatus.held:  # whoever was held was looked at just now
                self._accounts.look(claim.affiliate_id, claim.destination, cause=cause)
            if claim.generations and (
                found := self._stripe.transfers_in_group(transfer_group(claim.payout_id))
            ):
                # every attempt had failed, unless somebody else has begun another by now
                return self._attempts.record_found(
                    claim.payout_id, Listing(found, asked_at=None), cause=cause
                )
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            self._attempts.note_wait(claim.payout_id, WaitReason.stripe_away)
            return Outcome.waiting
        intent = self._attempts.intend(claim.payout_id, cause=cause)
        return intent if isinstance(intent, Outcome) else self._post(intent, claim, cause)

    def _post(self, intent: Intent, claim: Claim, cause: Cause) -> Outcome:
        answer = self._stripe.create_transfer(intent.parameters, key=intent.key)
        meaning = classify(answer, intent.parameters)
        is_fresh = meaning is AnswerClass.refused and self._look_again(claim, cause)
        outcome = self._attempts.record(intent, answer, is_account_fresh=is_fresh, cause=cause)
        if meaning is AnswerClass.key_refused:
            raise StripeKeyRefusedError(f"Stripe refused the platform's key ({answer.http_status})")
        return outcome

    def _resume(self, claim: Claim, cause: Cause) -> Outcome:
        """Go on with an attempt whose outcome is not known: the same key while it is young, the list of its group
        when it is old, and in between first a look whether it is there."""
        if claim.step is Step.leave:
            return Outcome.unknown
        if claim.step is Step.wait:
            return Outcome.waiting
        if claim.step is Step.post:
            intent = self._attempts.intend_again(claim.payout_id)
            if isinstance(intent, Intent):
                return self._post(intent, claim, cause)
        asked_at = self._clock.now()
        try:
            found = self._stripe.transfers_in_group(transfer_group(claim.payout_id))
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            return Outcome.unknown
        if claim.step is Step.look_first and not found:
            intent = self._attempts.intend_again(claim.payout_id)
            if isinstance(intent, Intent):
                return self._post(intent, claim, cause)
        return self._attempts.record_found(claim.payout_id, Listing(found, asked_at=asked_at), cause=cause)

    def _look_again(self, claim: Claim, cause: Cause) -> bool:
        try:
            self._accounts.look(claim.affiliate_id, claim.destination, cause=cause)
        except StripeProblemError:
            return False
        return True

    def _is_short(self, claim: Claim) -> bool:
        """Whether the platform's balance does not cover a payout that it did not cover before."""
        try:
            return self._stripe.available_balance().get(claim.currency, 0) < claim.amount
        except StripeKeyRefusedError:
            raise
        except StripeProblemError:
            return True

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
        for payout in self._database.scalars(sa.select(Payout).where(Payout.id.in_(ids))):
            outcome = Outcome.paid if payout.status is PayoutStatus.paid else Outcome.skipped
            tally.counts[outcome] += 1
            if outcome is Outcome.paid:
                tally.total[payout.currency] += payout.amount

    @reading
    def _counted(self, become: Mapping[PayoutStatus, Outcome], *, is_dry: bool = False) -> RunTally:
        """What a run would take up, by what is known now; nothing is asked or changed."""
        tally = RunTally(is_dry=is_dry)
        for payout in self._database.scalars(sa.select(Payout).where(is_sendable()).order_by(Payout.number)):
            outcome = become[payout.status]
            tally.counts[outcome] += 1
            if outcome is Outcome.paid:
                tally.total[payout.currency] += payout.amount
        return tally

    @reading
    def _waits_for_funds(self, payout_id: UUID) -> bool:
        return (
            self._database.scalar(sa.select(Payout.wait_reason).where(Payout.id == payout_id))
            is WaitReason.funds
        )

    @reading
    def _payout_of(self, transfer: TransferFacts) -> UUID | None:
        installation = self._database.scalars(sa.select(Installation.id)).one()
        if transfer.metadata.get("installation") != str(installation) or not transfer.transfer_group:
            return None
        try:
            payout_id = UUID(transfer.transfer_group.removeprefix("payout-"))
        except ValueError:
            return None
        return self._database.scalar(sa.select(Payout.id).where(Payout.id == payout_id))
