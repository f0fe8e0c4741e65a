"""What operators do about sending: stop it, let it go on, hurry one payout, note what they paid by hand."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.approval import NobodyApprovesTheirOwn
from portal.domain.attempts import AttemptState
from portal.domain.decisions import checked_reference
from portal.domain.errors import InvalidInput, PortalError, StripeIsAway
from portal.domain.payouts import MoveIsNotLegal, PayoutMethod, PayoutStatus
from portal.domain.verdicts import Listing, absence_proven_at
from portal.gateways.stripe import StripeGateway, StripeProblemError
from portal.models import Affiliate, Installation, Payout, PayoutAttempt
from portal.models.base import Database, reading, writing
from portal.services.attempts import Attempts
from portal.services.journal import Cause, Journal
from portal.services.payout_moves import PayoutMoves
from portal.services.reconciliation import Reconciliation
from portal.services.selfcheck import Selfcheck
from portal.services.sending_faults import SendingFaults
from portal.services.sending_switch import SendingSwitch
from portal.services.transfer_requests import transfer_group

log = structlog.get_logger(__name__)


class SendingStaysStopped(PortalError):
    """The books, or the books and Stripe, do not agree."""

    code = "sending_stays_stopped"


@dataclass(frozen=True)
class _Waiting:
    """A payout that somebody wants taken up, and its attempt that is not proven failed, if it has one."""

    payout: Payout
    attempt: PayoutAttempt | None


class PayoutControl:
    """An operator's hand on sending; every use of it is audited."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        journal: Journal,
        moves: PayoutMoves,
        attempts: Attempts,
        switch: SendingSwitch,
        faults: SendingFaults,
        selfcheck: Selfcheck,
        reconciliation: Reconciliation,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe
        self._journal = journal
        self._moves = moves
        self._attempts = attempts
        self._switch = switch
        self._faults = faults
        self._selfcheck = selfcheck
        self._reconciliation = reconciliation

    @writing
    def halt(self, *, cause: Cause) -> None:
        """Stop all sending until `resume`; what is under way runs out. Raises InvalidInput without a reason."""
        reason = _reason(cause)
        was_halted = self._switch.is_halted_within()
        self._switch.halt_within(reason, is_alarm=False)
        if not was_halted:
            self._switched("sending.halted", "on", "halted", cause)

    @reading
    def why_stopped(self) -> str | None:
        """Why nothing is sent, if sending is stopped."""
        installation = self._database.scalars(sa.select(Installation)).one()
        return None if installation.halted_at is None else installation.halt_reason or "no reason was given"

    def resume(self, *, cause: Cause) -> None:
        """Let sending go on, if the books hold and agree with Stripe. Raises SendingStaysStopped, StripeIsAway,
        InvalidInput."""
        _reason(cause)
        broken = [breach for breach in self._selfcheck.run() if breach.kind != "setting"]
        if broken:
            raise SendingStaysStopped(
                f"selfcheck finds {len(broken)} broken: {broken[0].kind} {broken[0].id}: {broken[0].message}"
            )
        try:
            tally = self._reconciliation.run(cause=cause)
        except StripeProblemError as problem:
            raise StripeIsAway(f"Sending stays stopped: {problem}.") from problem
        if tally.differences:
            first = tally.differences[0]
            raise SendingStaysStopped(
                f"reconcile finds {len(tally.differences)} differences: {first.kind} {first.id}: {first.message}"
            )
        self._switch_on(cause)

    def retry(self, payout_id: UUID, *, cause: Cause) -> str:
        """Have a payout taken up by the next run, or settle what Stripe's list of its group proves; what was done, in
        a sentence. Nothing is ever sent under a new key before the old one is proven dead. Raises NotFound,
        MoveIsNotLegal, StripeIsAway."""
        waiting = self._take_up(payout_id, cause=cause)
        payout, attempt = waiting.payout, waiting.attempt
        if attempt is None or attempt.state is not AttemptState.parked:
            when = "next run" if self.why_stopped() is None else "first run after sending is resumed"
            return f"{payout.reference} is taken up by the {when}."
        asked_at = self._clock.now()
        try:
            found = self._stripe.transfers_in_group(transfer_group(payout.id))
        except StripeProblemError as problem:
            raise StripeIsAway(f"{payout.reference} stays as it is: {problem}.") from problem
        self._attempts.record_found(payout.id, Listing(found, asked_at=asked_at), cause=cause)
        return self._after_listing(payout_id, attempt)

    @writing
    def mark_paid(self, payout_id: UUID, *, reference: str, paid_by: UUID, cause: Cause) -> Payout:
        """Note that an operator paid a `crypto` payout by hand; the same reference again changes nothing. Raises
        NotFound, MoveIsNotLegal, InvalidInput, NobodyApprovesTheirOwn."""
        reference = checked_reference(reference)
        affiliate, payout = self._moves.lock(payout_id)
        if payout.status is PayoutStatus.paid and payout.external_reference == reference:
            return payout
        self.refuse_mark_paid(affiliate, payout, paid_by=paid_by)
        self._moves.move(payout, PayoutStatus.paid, affiliate=affiliate, cause=cause)
        payout.external_reference = reference
        self._changed(payout, "payout.paid_by_hand", None, f"reference {reference}", cause)
        return payout

    def refuse_mark_paid(self, affiliate: Affiliate, payout: Payout, *, paid_by: UUID) -> None:
        """Raise why an operator can't note it as paid by hand."""
        if payout.method is not PayoutMethod.crypto:
            raise MoveIsNotLegal(f"{payout.reference} is paid by Stripe; only a run can pay it.")
        if payout.status is not PayoutStatus.approved:
            raise MoveIsNotLegal(self._moves.where_it_stands(payout))
        if paid_by in {payout.requested_by, affiliate.user_id}:
            raise NobodyApprovesTheirOwn("Nobody pays their own payout. Ask another operator.")

    def refuse_retry(self, payout: Payout) -> None:
        """Raise why no run could take it up."""
        if not payout.status.is_moving:
            raise MoveIsNotLegal(self._moves.where_it_stands(payout))
        if payout.method is PayoutMethod.crypto and payout.status is not PayoutStatus.held:
            raise MoveIsNotLegal(f"{payout.reference} is {payout.status.value}; crypto is paid by hand.")

    @writing
    def _take_up(self, payout_id: UUID, *, cause: Cause) -> _Waiting:
        _, payout = self._moves.lock(payout_id)
        attempt = self._live(payout_id)
        self.refuse_retry(payout)
        payout.next_try_at = self._clock.now() if payout.status is PayoutStatus.processing else None
        self._faults.forget_within(payout_id)
        self._changed(payout, "payout.retry_asked", payout.status, None, cause)
        return _Waiting(payout, attempt)

    @reading
    def _after_listing(self, payout_id: UUID, attempt: PayoutAttempt) -> str:
        payout = self._database.scalars(sa.select(Payout).where(Payout.id == payout_id)).one()
        if payout.status is PayoutStatus.paid:
            return f"{payout.reference} is paid: Stripe has its transfer {payout.transfer_id}."
        if payout.status is PayoutStatus.processing and self._switch.is_halted_within():
            return f"{payout.reference}: Stripe has another transfer for it than was asked for. Sending is stopped."
        if payout.status is PayoutStatus.processing:
            return (
                f"Nothing can be done about {payout.reference} yet: Stripe has no transfer for it, and only from "
                f"{absence_proven_at(attempt):%d %b %Y, %H:%M} UTC on does that prove that none was made."
            )
        return f"{payout.reference} was never sent; the next run takes it up under a new key."

    @writing
    def _switch_on(self, cause: Cause) -> None:
        installation = self._database.scalars(sa.select(Installation).with_for_update()).one()
        if installation.halted_at is None:
            return
        self._switched("sending.resumed", "halted", "on", cause)
        installation.halted_at = installation.halt_reason = None
        log.warning("sending.resumed", by=cause.actor_id, reason=cause.reason)

    def _live(self, payout_id: UUID) -> PayoutAttempt | None:
        return self._database.scalar(
            sa.select(PayoutAttempt).where(
                PayoutAttempt.payout_id == payout_id, PayoutAttempt.state != AttemptState.failed
            )
        )

    def _changed(self, payout: Payout, action: str, before: object, after: object, cause: Cause) -> None:
        now = self._clock.now()
        self._journal.changed(
            "payout", payout.id, action=action, before=before, after=after, cause=cause, at=now
        )

    def _switched(self, action: str, before: str, after: str, cause: Cause) -> None:
        now = self._clock.now()
        self._journal.changed(
            "installation", "1", action=action, before=before, after=after, cause=cause, at=now
        )


def _reason(cause: Cause) -> str:
    reason = (cause.reason or "").strip()
    if not reason:
        raise InvalidInput([("reason", "Say why.")])
    return reason
