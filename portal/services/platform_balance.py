"""What the platform has at Stripe: asked when a run is looked at and after each, read from the last look elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.money import Money
from portal.domain.payout_runs import Cover
from portal.gateways.stripe import StripeGateway, StripeProblemError
from portal.models import Installation
from portal.models.base import Database, reading, writing

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BalanceReading:
    """The platform's balance as Stripe gave it at a moment, in minor units by currency."""

    available: Mapping[str, int]
    pending: Mapping[str, int]
    read_at: datetime
    is_fresh: bool = False
    """Whether Stripe was asked just now."""

    def against(self, totals: Iterable[Money]) -> list[Cover]:
        """What is to be sent, held against it."""
        return [
            Cover(
                total,
                available=Money(self.available.get(total.currency, 0), total.currency),
                pending=Money(self.pending.get(total.currency, 0), total.currency),
            )
            for total in totals
        ]


def last_reading(installation: Installation) -> BalanceReading | None:
    """What was last written down; None before the first look."""
    if installation.balance is None or installation.balance_read_at is None:
        return None
    kept = installation.balance
    return BalanceReading(kept["available"], kept["pending"], installation.balance_read_at)


class PlatformBalance:
    """Asks Stripe, and remembers."""

    def __init__(self, database: Database, *, clock: Clock, stripe: StripeGateway) -> None:
        self._database = database
        self._clock = clock
        self._stripe = stripe

    def look(self) -> BalanceReading | None:
        """The balance as it is now; the last one that is known where Stripe gives no answer."""
        try:
            now = self._stripe.platform_balance()
        except StripeProblemError as problem:
            log.warning("balance.not_read", problem=str(problem))
            return self._last()
        reading = BalanceReading(now.available, now.pending, self._clock.now(), is_fresh=True)
        self._keep(reading)
        return reading

    @reading
    def _last(self) -> BalanceReading | None:
        return last_reading(self._database.scalars(sa.select(Installation)).one())

    @writing
    def _keep(self, now: BalanceReading) -> None:
        installation = self._database.scalars(sa.select(Installation).with_for_update()).one()
        installation.balance = {"available": dict(now.available), "pending": dict(now.pending)}
        installation.balance_read_at = now.read_at
