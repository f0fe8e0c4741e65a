"""One bank account behind several affiliates: a household, or one person paid many times over. Operators look; nothing
is blocked by it.

Stripe's fingerprint of a bank account is the same wherever in a platform it is used; the portal knows nothing else of
it. https://docs.stripe.com/api/external_account_bank_accounts/object
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.errors import InvalidInput, NotFound
from portal.models import Affiliate
from portal.models.base import Database, reading, writing
from portal.services.books import Books
from portal.services.journal import Cause, Journal

log = structlog.get_logger(__name__)

#: A page names so many of the others; more is no household.
MOST_NAMED = 50


class SharedBanks:
    """Notes, shows and accepts that affiliates share a bank account."""

    def __init__(self, database: Database, *, clock: Clock, books: Books, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._books = books
        self._journal = journal

    def note_within(self, affiliate: Affiliate, *, cause: Cause) -> None:
        """Write down, in the open unit of work, that the bank account this affiliate has come to use is others' too.
        Two who come at the same moment may not see each other here; the pages show them all the same."""
        others = self._others(affiliate)
        if not others:
            return
        for each, shared_with in ((affiliate, others[0]), *((other, affiliate) for other in others)):
            self._journal.changed(
                "affiliate", each.id, action="affiliate.bank_shared", before=None, after=shared_with.code, cause=cause,
                at=self._clock.now(),
            )  # fmt: skip
        log.warning("bank.shared", affiliate=affiliate.code, others=[other.code for other in others])

    @reading
    def others(self, affiliate_id: UUID) -> Sequence[Affiliate]:
        """Who else is paid to this affiliate's bank account, by code."""
        return self._others(self._database.get_one(Affiliate, affiliate_id))

    @writing
    def accept(self, code: str, *, cause: Cause) -> None:
        """An operator knows why everybody who uses it now does, and says so in the cause's reason; who joins them later
        is shown again. Raises NotFound, InvalidInput."""
        if not cause.reason:
            raise InvalidInput([("accepted_because", "Say why; operators and the audit trail keep it.")])
        found = self._database.scalar(sa.select(Affiliate).where(Affiliate.code == code))
        others = [] if found is None else self._others(found)
        if found is None or not others:
            raise NotFound("Nobody else is paid to this bank account any more.")
        for affiliate_id in sorted(each.id for each in (found, *others)):
            affiliate = self._books.lock(affiliate_id)
            if affiliate.bank_fingerprint != found.bank_fingerprint:
                continue  # it was changed a moment ago
            affiliate.accepted_bank = affiliate.bank_fingerprint
            self._journal.changed(
                "affiliate", affiliate.id, action="affiliate.shared_bank_accepted", before=None, after=code,
                cause=cause, at=self._clock.now(),
            )  # fmt: skip

    def _others(self, affiliate: Affiliate) -> list[Affiliate]:
        if affiliate.bank_fingerprint is None:
            return []
        same = (
            sa.select(Affiliate)
            .where(Affiliate.bank_fingerprint == affiliate.bank_fingerprint, Affiliate.id != affiliate.id)
            .order_by(Affiliate.code)
        )
        return list(self._database.scalars(same.limit(MOST_NAMED)))


def is_bank_shared() -> sa.ColumnElement[bool]:
    """Paid to a bank account that others are paid to as well, which no operator has accepted; answered from the index
    of fingerprints alone."""
    shared = (
        sa.select(Affiliate.bank_fingerprint)
        .where(Affiliate.bank_fingerprint.is_not(None))
        .group_by(Affiliate.bank_fingerprint)
        .having(sa.func.count() > 1)
    )
    is_accepted = sa.func.coalesce(Affiliate.accepted_bank, "") == Affiliate.bank_fingerprint
    return sa.and_(Affiliate.bank_fingerprint.in_(shared), sa.not_(is_accepted))
