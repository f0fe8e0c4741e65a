"""What was decided about several payouts at once, written down as it goes on: it can be looked at for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.domain.errors import NotFound
from portal.models import Affiliate, DecidedPayout, Decision, Payout
from portal.models.base import Database, reading, writing
from portal.services.audit_trail import names_of_people
from portal.services.journal import Cause


@dataclass(frozen=True)
class Done:
    """What was done with one payout, in a sentence where the outcome does not say it all."""

    outcome: DecisionOutcome = DecisionOutcome.done
    said: str | None = None


@dataclass(frozen=True)
class DecidedLine:
    """A payout on a decision's list, as it stands now, and what became of it by the decision."""

    payout: Payout
    affiliate: Affiliate
    outcome: DecisionOutcome | None
    refusal: str | None
    done: str | None
    reference: str | None


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


class DecisionRecords:
    """Decisions and the payouts on their lists; each is made once."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @writing
    def begin(
        self,
        key: UUID,
        kind: DecisionKind,
        payout_ids: Collection[UUID],
        *,
        decided_by: UUID,
        cause: Cause,
        references: Mapping[UUID, str],
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
            DecidedPayout(decision_id=key, payout_id=each, reference=references.get(each))
            for each in payout_ids
        )
        return True

    @writing
    def note(self, key: UUID, payout_id: UUID, done: Done, refusal: str | None) -> None:
        """What became of one payout, and why it was skipped, if it was."""
        row = self._database.get_one(DecidedPayout, (key, payout_id))
        row.done = done.said[:500] if done.said else None
        row.outcome, row.refusal = done.outcome, refusal[:500] if refusal else None

    @writing
    def finish(self, key: UUID) -> None:
        """Every payout was come to."""
        self._database.get_one(Decision, key).finished_at = self._clock.now()

    @reading
    def get(self, key: UUID) -> DecisionRecord:
        """Raises NotFound."""
        decision = self._database.get(Decision, key)
        if decision is None:
            raise NotFound("There is no such decision.")
        rows = self._database.execute(
            sa.select(
                Payout,
                Affiliate,
                DecidedPayout.outcome,
                DecidedPayout.refusal,
                DecidedPayout.done,
                DecidedPayout.reference,
            )
            .join(DecidedPayout, DecidedPayout.payout_id == Payout.id)
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(DecidedPayout.decision_id == key)
            .order_by(Payout.number)
        )
        names = names_of_people(self._database, [decision.decided_by])
        return DecisionRecord(
            decision, names.get(decision.decided_by, "An operator"), [DecidedLine(*row) for row in rows]
        )
