"""The switch that stops all sending until a person has looked."""

from __future__ import annotations

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.models import Installation
from portal.models.base import Database, writing
from portal.services.notifications import Notifications

log = structlog.get_logger(__name__)


class SendingSwitch:
    """On by default; an alarm turns it off."""

    def __init__(self, database: Database, *, clock: Clock, notifications: Notifications) -> None:
        self._database = database
        self._clock = clock
        self._notifications = notifications

    @writing
    def halt(self, reason: str) -> None:
        """Stop all sending."""
        self.halt_within(reason)

    def halt_within(self, reason: str, *, is_alarm: bool = True) -> None:
        """Stop all sending, in the unit of work that is open; the first reason stays. Of an alarm the operators are
        told, once for each stop, also if somebody had stopped sending by hand before."""
        log.critical("sending.halted", reason=reason)
        installation = self._database.scalars(sa.select(Installation).with_for_update()).one()
        if installation.halted_at is None:
            installation.halted_at = self._clock.now()
            installation.halt_reason = reason[:500]
        if is_alarm:
            self._notifications.sending_stopped(reason[:500], at=installation.halted_at)

    def is_halted_within(self) -> bool:
        """Whether sending is stopped, in the unit of work that is open."""
        return self._database.scalar(sa.select(Installation.halted_at)) is not None
