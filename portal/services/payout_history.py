"""An affiliate's own payouts, as they look through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.domain.payouts import PayoutStatus
from portal.models import Payout
from portal.models.base import Database, reading


@dataclass(frozen=True)
class HistoryFilter:
    """Which payouts to show; None shows all. The days are when they were requested (UTC), `until` not included."""

    status: PayoutStatus | None = None
    since: datetime | None = None
    until: datetime | None = None


class PayoutHistory:
    """Reads the payouts of one affiliate; those of all are `payout_queue`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @reading
    def page(
        self,
        affiliate_id: UUID,
        wanted: HistoryFilter = HistoryFilter(),
        *,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Payout]:
        """Newest first, those numbered below `before`."""
        query = sa.select(Payout).where(*_within(affiliate_id, wanted))
        if wanted.status is not None:
            query = query.where(Payout.status == wanted.status)
        if before is not None:
            query = query.where(Payout.number < before)
        return list(self._database.scalars(query.order_by(Payout.number.desc()).limit(limit)))

    @reading
    def counts(self, affiliate_id: UUID, wanted: HistoryFilter) -> Mapping[PayoutStatus, int]:
        """How many there are of each status in these days, whichever status is chosen."""
        rows = self._database.execute(
            sa.select(Payout.status, sa.func.count())
            .where(*_within(affiliate_id, wanted))
            .group_by(Payout.status)
        )
        return {status: int(count) for status, count in rows}


def _within(affiliate_id: UUID, wanted: HistoryFilter) -> list[sa.ColumnElement[bool]]:
    bounds = [Payout.affiliate_id == affiliate_id]
    if wanted.since is not None:
        bounds.append(Payout.created_at >= wanted.since)
    if wanted.until is not None:
        bounds.append(Payout.created_at < wanted.until)
    return bounds
