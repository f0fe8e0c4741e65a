"""Decisions about several payouts at once: a list is looked at, then each of its payouts is decided by its own use
case, in a unit of work of its own. One that is refused is skipped, named, and stops no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.decisions import MOST_AT_ONCE, DecisionKind, DecisionOutcome
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus, words_to_affiliate
from portal.models import Affiliate, DecidedPayout, Decision, FirstApproval, Payout
from portal.models.base import Database, reading, writing
from portal.services.approvals import Approvals
from portal.services.audit_trail import names_of_people
from portal.services.journal import Cause
from portal.services.payout_moves import PayoutMoves
from portal.services.payouts import Payouts

log = structlog.get_logger(__name__)


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


@dataclass(frozen=True)
class DecidedLine:
    """A payout on a decision's list, as it stands now, and what became of it by the decision."""

    payout: Payout
    affiliate: Affiliate
    outcome: DecisionOutcome | None
    refusal: str | None


@dataclass(frozen=True)
class DecisionRecord:
    """A decision, who made it, and its payouts, oldest first."""

    decision: Decision
    by: str
    lines: Sequence[DecidedLine]

    @property
    def counts(self) -> Counter[DecisionOutcome]:
        """How many payouts by outcome."""
        return Counter(line.outcome for line in self.lines if line.outcome is not None)


def totals_of(payouts: Sequence[Payout]) -> list[Money]:
    """What they come to, by currency."""
    amounts = Counter[str]()
    for payout in payouts:
        amounts[payout.currency] += payout.amount
    return [Money(amount, currency) for currency, amount in sorted(amounts.items())]


class Decisions:
    """Whether a payout may be decided about is said by `approvals` and `payouts`; here they are asked for many."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        moves: PayoutMoves,
        approvals: Approvals,
        payouts: Payouts,
    ) -> None:
        self._database = database
        self._clock = clock
        self._moves = moves
        self._approvals = approvals
        self._payouts = payouts

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
                self._moves.refuse_illegal(payout, kind.wanted, under_way=under_way)
                if kind is DecisionKind.approve:
                    is_enough = self._approvals.is_enough(
                        affiliate, payout, first=first, approver=decided_by, cause=cause
                    )
            except PortalError as refusal:
                return Candidate(payout, affiliate, refusal, is_first=False)
            return Candidate(payout, affiliate, None, is_first=not is_enough)

        return Selection([judged(payout, affiliate) for payout, affiliate in rows])

    def decide(
        self, key: UUID, kind: DecisionKind, payout_ids: Sequence[UUID], *, decided_by: UUID, cause: Cause
    ) -> None:
        """Do it with exactly these; the same `key` again does nothing. Raises InvalidInput before anything is done."""
        words_to_affiliate(cause.reason)
        selection = self.look(kind, payout_ids, decided_by=decided_by, cause=cause)
        if not self._begin(key, kind, selection, decided_by=decided_by, cause=cause):
            return
        for candidate in selection.candidates:
            payout_id = candidate.payout.id
            try:
                if candidate.refusal is not None:
                    raise candidate.refusal
                outcome = self.decide_one(kind, payout_id, decided_by=decided_by, cause=cause)
            except PortalError as refusal:
                self._note(key, payout_id, DecisionOutcome.skipped, refusal.sentence)
            except Exception:  # a fault of ours at one payout must not keep the others from being decided
                log.exception("decision.failed", decision=str(key), payout=str(payout_id))
                words = "The portal failed at it, and nothing was changed. The log says more."
                self._note(key, payout_id, DecisionOutcome.skipped, words)
            else:
                self._note(key, payout_id, outcome, None)
        self._finish(key)

    @reading
    def get(self, key: UUID) -> DecisionRecord:
        """Raises NotFound."""
        decision = self._database.get(Decision, key)
        if decision is None:
            raise NotFound("There is no such decision.")
        rows = self._database.execute(
            sa.select(Payout, Affiliate, DecidedPayout.outcome, DecidedPayout.refusal)
            .join(DecidedPayout, DecidedPayout.payout_id == Payout.id)
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(DecidedPayout.decision_id == key)
            .order_by(Payout.number)
        )
        names = names_of_people(self._database, [decision.decided_by])
        return DecisionRecord(
            decision, names.get(decision.decided_by, "An operator"), [DecidedLine(*row) for row in rows]
        )

    @reading
    def totals(self, payout_ids: Sequence[UUID]) -> tuple[int, list[Money]]:
        """How many there are of these, and what they come to. Raises InvalidInput."""
        if len(payout_ids) > MOST_AT_ONCE:
            _refuse_count(payout_ids)
        found = self._database.scalars(sa.select(Payout).where(Payout.id.in_(payout_ids))).all()
        return len(found), totals_of(found)

    def decide_one(
        self, kind: DecisionKind, payout_id: UUID, *, decided_by: UUID, cause: Cause
    ) -> DecisionOutcome:
        """By the use case of that payout, in a transaction of its own. Raises PortalError."""
        match kind:
            case DecisionKind.approve:
                payout = self._approvals.approve(payout_id, approver=decided_by, cause=cause)
                if payout.status is PayoutStatus.requested:
                    return DecisionOutcome.first
            case DecisionKind.reject:
                self._payouts.reject(payout_id, cause=cause)
            case DecisionKind.cancel:
                self._payouts.cancel(payout_id, cause=cause)
        return DecisionOutcome.done

    @writing
    def _begin(
        self, key: UUID, kind: DecisionKind, selection: Selection, *, decided_by: UUID, cause: Cause
    ) -> bool:
        """Write the list down; False where the key was used before."""
        if self._database.get(Decision, key) is not None:
            return False
        self._database.add(
            Decision(
                id=key, kind=kind, decided_by=decided_by, reason=cause.reason, decided_at=self._clock.now()
            )
        )
        self._database.flush()
        self._database.add_all(
            DecidedPayout(decision_id=key, payout_id=each.payout.id) for each in selection.candidates
        )
        return True

    @writing
    def _note(self, key: UUID, payout_id: UUID, outcome: DecisionOutcome, refusal: str | None) -> None:
        row = self._database.get_one(DecidedPayout, (key, payout_id))
        row.outcome, row.refusal = outcome, refusal[:500] if refusal else None

    @writing
    def _finish(self, key: UUID) -> None:
        self._database.get_one(Decision, key).finished_at = self._clock.now()


def _refuse_count(payout_ids: Sequence[UUID]) -> None:
    if not payout_ids:
        raise InvalidInput([("payout", "Select at least one payout.")])
    if len(payout_ids) > MOST_AT_ONCE:
        raise InvalidInput([("payout", f"Select at most {MOST_AT_ONCE} payouts at once.")])
