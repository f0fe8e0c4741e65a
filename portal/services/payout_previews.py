"""What the next run would send, and what it would not and why: asked of the books alone, nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.attempts import Outcome
from portal.domain.money import Money
from portal.domain.payout_runs import SkipReason, cutoff_before, run_id_of
from portal.domain.payouts import OPEN_STATUSES, HoldReason, PayoutMethod, PayoutStatus
from portal.models import Affiliate, Payout
from portal.models.base import Database, reading
from portal.services.holds import Holds
from portal.services.payout_queue import needs_a_person
from portal.services.transfers import RunTally, Taken

#: What a run that takes up a payout makes of it, where it does not send it.
_MEANS = {SkipReason.unknown: Outcome.unknown} | {SkipReason(reason): Outcome.held for reason in HoldReason}


#: What a line shows and `Holds` judges on: of thousands of payouts nothing else is read, and no objects are made.
_JUDGED = (
    Payout.id,
    Payout.number,
    Payout.amount,
    Payout.currency,
    Payout.status,
    Payout.method,
    Payout.destination,
    Payout.approved_at,
    Affiliate.code,
    Affiliate.is_blocked,
    Affiliate.preferred_payout_type,
    Affiliate.stripe_account_status,
    Affiliate.stripe_account_id,
    Affiliate.wallet_address,
    Affiliate.bank_changed_at,
)


@dataclass(frozen=True)
class PreviewLine:
    """One open payout as the next run would find it; `skipped` says why it stays where it is."""

    payout_id: UUID
    number: int
    affiliate_code: str
    money: Money
    skipped: SkipReason | None

    @property
    def reference(self) -> str:
        """The short reference that people see and search for."""
        return f"P-{self.number}"


@dataclass(frozen=True)
class SkippedGroup:
    """Payouts that stay where they are for the same reason, oldest first."""

    reason: SkipReason
    lines: Sequence[PreviewLine]

    @property
    def totals(self) -> list[Money]:
        """What they come to, by currency."""
        return totals_of(self.lines)


@dataclass(frozen=True)
class Preview:
    """The list of a run as it was at its cut-off: approvals until then are on it."""

    cutoff: datetime
    lines: Sequence[PreviewLine]

    @cached_property
    def listed(self) -> list[PreviewLine]:
        """What would be sent, oldest first."""
        return [line for line in self.lines if line.skipped is None]

    @property
    def run_id(self) -> UUID:
        """The run of exactly this list."""
        return run_id_of(self.cutoff, (line.payout_id for line in self.listed))

    @cached_property
    def totals(self) -> list[Money]:
        """What would be sent, by currency."""
        return totals_of(self.listed)

    @cached_property
    def skipped(self) -> list[SkippedGroup]:
        """What stays where it is, by reason."""
        groups = [
            SkippedGroup(reason, [line for line in self.lines if line.skipped is reason])
            for reason in SkipReason
        ]
        return [group for group in groups if group.lines]

    def as_tally(self) -> RunTally:
        """The same as what a run reports, by all that is known before Stripe is asked."""
        tally = RunTally(is_dry=True)
        for line in self.lines:
            outcome = Outcome.paid if line.skipped is None else _MEANS.get(line.skipped)
            if outcome is not None:
                tally.add([Taken(line.payout_id, outcome, line.money.amount, line.money.currency)])
        return tally


def totals_of(lines: Iterable[PreviewLine]) -> list[Money]:
    """What payouts come to, by currency."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.money.currency] += line.money.amount
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


class PayoutPreviews:
    """Looks ahead; sending is `transfers`."""

    def __init__(self, database: Database, *, clock: Clock, holds: Holds) -> None:
        self._database = database
        self._clock = clock
        self._holds = holds

    @reading
    def next(self) -> Preview:
        """The run that could be confirmed now."""
        return self.until(cutoff_before(self._clock.now()))

    def until(self, cutoff: datetime) -> Preview:
        """The list of a run whose cut-off was then, by what is written down now; in the unit of work that is open."""
        query = (
            sa.select(*_JUDGED, needs_a_person().label("is_parked"))
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(Payout.status.in_(OPEN_STATUSES))
            .order_by(Payout.number)
        )
        lines = [
            PreviewLine(
                row.id,
                row.number,
                row.code,
                Money(row.amount, row.currency),
                skipped=self._why_skipped(row, cutoff),
            )
            for row in self._database.execute(query)
            if row.approved_at is None or row.approved_at <= cutoff
        ]
        return Preview(cutoff, lines)

    def _why_skipped(self, row: Any, cutoff: datetime) -> SkipReason | None:
        if row.status is PayoutStatus.requested:
            return SkipReason.requested
        if row.is_parked:
            return SkipReason.parked
        if row.status is PayoutStatus.processing:
            return SkipReason.unknown
        reason = self._holds.reason(row, row, at=cutoff)
        if reason is not None and (row.method is PayoutMethod.fiat or row.status is PayoutStatus.held):
            return SkipReason(reason)
        return SkipReason.by_hand if row.method is PayoutMethod.crypto else None
