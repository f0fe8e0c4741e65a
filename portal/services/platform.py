"""Which platform at Stripe the accounts belong to: to the key of another one every account looks gone."""

from __future__ import annotations

import sqlalchemy as sa
import structlog

from portal.gateways.stripe import StripeGateway, StripeKeyRefusedError, StripeProblemError
from portal.models import Installation
from portal.models.base import Database, reading, writing

log = structlog.get_logger(__name__)


class Platform:
    """Remembers whose key reached an account first, and compares before an account is taken for gone."""

    def __init__(self, database: Database, *, stripe: StripeGateway) -> None:
        self._database = database
        self._stripe = stripe
        self._is_known = False

    def remember(self) -> None:
        """Note whose key ours is, after it has reached one of our accounts. A key that may not ask for its own account
        (a restricted one) is no fault: then nothing is noted, and this process asks no more."""
        if self._is_known:
            return
        try:
            if self._known() is None:
                self._write(self._stripe.platform())
        except StripeProblemError as problem:
            log.warning("platform.not_known", problem=str(problem))
        self._is_known = True

    def confirm(self) -> None:
        """Raise StripeKeyRefusedError if the key is another platform's, or of the other mode."""
        known = self._known()
        if known is not None and known != self._stripe.platform():
            raise StripeKeyRefusedError(
                "the key belongs to another platform than the accounts, or to its other mode"
            )

    @reading
    def _known(self) -> str | None:
        return self._database.scalar(sa.select(Installation.stripe_platform))

    @writing
    def _write(self, platform: str) -> None:
        self._database.execute(
            sa.update(Installation)
            .where(Installation.stripe_platform.is_(None))
            .values(stripe_platform=platform)
        )
