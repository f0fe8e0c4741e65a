"""Decisions about several payouts at once: a list is looked at, then each of its payouts is decided by its own use
case, in a unit of work of its own. One that is refused is skipped, named, and stops no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.domain.decisions import MOST_AT_ONCE, DecisionKind, DecisionOutcome, checked_reference
from portal.domain.errors import InvalidInput, PortalError, StripeIsAway
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus, words_to_affiliate
from portal.models import Affiliate, FirstApproval, Payout
from portal.models.base import Database, reading
from portal.services.approvals import Approvals
from portal.services.decision_records import DecisionRecords, Done
from portal.services.journal import Cause
from portal.services.payout_control import PayoutControl
from portal.services.payout_moves import PayoutMoves
from portal.services.payouts import Payouts

log = structlog.get_logger(__name__)

#: Where those kinds lead that move a payout along its table.
_WANTED = {
    DecisionKind.approve: PayoutStatus.approved,
    DecisionKind.reject: PayoutStatus.rejected,
    DecisionKind.cancel: PayoutStatus.canceled,
}

_NOT_TRIED = "It was not tried: Stripe had just given no answer about another."


class NoReferenceWasGiven(PortalError):
    """An operator has not said what the payment by hand is found by: it is not made yet."""

    code = "no_reference"


@dataclass(frozen=True)
class Candidate:
    """A payout that somebody wants to decide about, and why that is refused as things stand, if it is."""

    payout: Payout
    affiliate: Affiliate
    refusal: PortalError | None
    is_first: bool
    """Whether another operator must approve it too."""


@dataclass(frozen=True)
class Selection:
    """What a decision would be about, oldest first."""

    candidates: Sequence[Candidate]

    @property
    def eligible(self) -> list[Candidate]:
        """Those that it would be done with."""
        return [each for each in self.candidates if each.refusal is None]

    @property
    def skipped(self) -> list[Candidate]:
        """Those that would stay as they are."""
        return [each for each in self.candidates if each.refusal is not None]


def totals_of(payouts: Sequence[Payout]) -> list[Money]:
    """What they come to, by currency."""
    amounts = Counter[str]()
    for payout in payouts:
        amounts[payout.currency] += payout.amount
    return [Money(amount, currency) for currency, amount in sorted(amounts.items())]


class Decisions:
    """Whether a payout may be decided about is said by `approvals`, `payouts` and `control`; here they are asked for
    many."""

    def __init__(
        self,
        database: Database,
        *,
        moves: PayoutMoves,
        approvals: Approvals,
        payouts: Payouts,
        control: PayoutControl,
        records: DecisionRecords,
    ) -> None:
        self._database = database
        self._moves = moves
        self._approvals = approvals
        self._payouts = payouts
        self._control = control
        self._records = records

    @reading
    def look(
        self, kind: DecisionKind, payout_ids: Sequence[UUID], *, decided_by: UUID, cause: Cause
    ) -> Selection:
        """What would be done and what refused, if it were decided now. Raises InvalidInput."""
        _refuse_count(payout_ids)
        query = sa.select(Payout, Affiliate).join(Affiliate, Affiliate.id == Payout.affiliate_id)
        rows = self._database.execute(query.where(Payout.id.in_(payout_ids)).order_by(Payout.number)).all()
        if len(rows) != len(set(payout_ids)):
            raise InvalidInput([("payout", "One of these payouts does not exist.")])
        under_way = self._moves.under_way_within(payout_ids)
        approvals = self._database.scalars(
            sa.select(FirstApproval).where(FirstApproval.payout_id.in_(payout_ids))
        )
        firsts = {each.payout_id: each for each in approvals}

        def judged(payout: Payout, affiliate: Affiliate) -> Candidate:
            first, is_enough = firsts.get(payout.id), True
            try:
                self._refuse(kind, affiliate, payout, decided_by=decided_by, under_way=under_way)
                if kind is DecisionKind.approve:
                    is_enough = self._approvals.is_enough(
                        affiliate, payout, first=first, approver=decided_by, cause=cause
                    )
            except PortalError as refusal:
                return Candidate(payout, affiliate, refusal, is_first=False)
            return Candidate(payout, affiliate, None, is_first=not is_enough)

        return Selection([judged(payout, affiliate) for payout, affiliate in rows])

    def decide(
        self,
        key: UUID,
        kind: DecisionKind,
        payout_ids: Sequence[UUID],
        *,
        decided_by: UUID,
        cause: Cause,
        references: Mapping[UUID, str] | None = None,
    ) -> None:
        """Do it with exactly these; the same `key` again does nothing. What is marked as paid needs its reference in
        `references`, and without one stays as it is. Raises InvalidInput before anything is done."""
        words_to_affiliate(cause.reason)
        given = _checked(references or {}) if kind is DecisionKind.mark_paid else {}
        selection = self.look(kind, payout_ids, decided_by=decided_by, cause=cause)
        ids = [each.payout.id for each in selection.candidates]
        if not self._records.begin(key, kind, ids, decided_by=decided_by, cause=cause, references=given):
            return
        is_stripe_away = False
        for candidate in selection.candidates:
            payout_id = candidate.payout.id
            try:
                if candidate.refusal is not None:
                    raise candidate.refusal
                if is_stripe_away:
                    raise StripeIsAway(_NOT_TRIED)
                reference = given.get(payout_id)
                done = self.decide_one(
                    kind, payout_id, decided_by=decided_by, cause=cause, reference=reference
                )
            except PortalError as refusal:
                is_stripe_away |= isinstance(refusal, StripeIsAway)
                self._records.note(key, payout_id, Done(DecisionOutcome.skipped), refusal.sentence)
            except Exception:  # a fault of ours at one payout must not keep the others from being decided
                log.exception("decision.failed", decision=str(key), payout=str(payout_id))
                words = "The portal failed at it, and nothing was changed. The log says more."
                self._records.note(key, payout_id, Done(DecisionOutcome.skipped), words)
            else:
                self._records.note(key, payout_id, done, None)
        self._records.finish(key)

    @reading
    def totals(self, payout_ids: Sequence[UUID]) -> tuple[int, list[Money]]:
        """How many there are of these, and what they come to. Raises InvalidInput."""
        if len(payout_ids) > MOST_AT_ONCE:
            _refuse_count(payout_ids)
        found = self._database.scalars(sa.select(Payout).where(Payout.id.in_(payout_ids))).all()
        return len(found), totals_of(found)

    def decide_one(
        self,
        kind: DecisionKind,
        payout_id: UUID,
        *,
        decided_by: UUID,
        cause: Cause,
        reference: str | None = None,
    ) -> Done:
        """By the use case of that payout, in a transaction of its own. Raises PortalError."""
        match kind:
            case DecisionKind.approve:
                payout = self._approvals.approve(payout_id, approver=decided_by, cause=cause)
                if payout.status is PayoutStatus.requested:
                    return Done(DecisionOutcome.first)
            case DecisionKind.reject:
                self._payouts.reject(payout_id, cause=cause)
            case DecisionKind.cancel:
                self._payouts.cancel(payout_id, cause=cause)
            case DecisionKind.retry:
                return Done(said=self._control.retry(payout_id, cause=cause))
            case DecisionKind.mark_paid:
                if reference is None:
                    raise NoReferenceWasGiven("No reference was given, so it was left as it is.")
                why = replace(cause, reason=reference)
                self._control.mark_paid(payout_id, reference=reference, paid_by=decided_by, cause=why)
        return Done()

    def _refuse(
        self,
        kind: DecisionKind,
        affiliate: Affiliate,
        payout: Payout,
        *,
        decided_by: UUID,
        under_way: Collection[UUID],
    ) -> None:
        """Raise why it is out of the question as the payout stands."""
        match kind:
            case DecisionKind.retry:
                self._control.refuse_retry(payout)
            case DecisionKind.mark_paid:
                self._control.refuse_mark_paid(affiliate, payout, paid_by=decided_by)
            case _:
                self._moves.refuse_illegal(payout, _WANTED[kind], under_way=under_way)


def _refuse_count(payout_ids: Sequence[UUID]) -> None:
    if not payout_ids:
        raise InvalidInput([("payout", "Select at least one payout.")])
    if len(payout_ids) > MOST_AT_ONCE:
        raise InvalidInput([("payout", f"Select at most {MOST_AT_ONCE} payouts at once.")])


def _checked(references: Mapping[UUID, str]) -> dict[UUID, str]:
    """Those that were given. Raises InvalidInput, a problem for each that can't be one."""
    given: dict[UUID, str] = {}
    problems: list[tuple[str, str]] = []
    for payout_id, text in references.items():
        if text.strip():
            try:
                given[payout_id] = checked_reference(text, field=f"reference-{payout_id}")
            except InvalidInput as refusal:
                problems += refusal.problems
    if problems or not given:
        raise InvalidInput(problems or [("", "Give the reference of at least one payment.")])
    return given
