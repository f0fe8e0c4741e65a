"""The books of each affiliate: earnings in, holds that pass, and every movement of a payout's money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import InvalidInput, PortalError
from portal.domain.ledger import Balances, EntryKind
from portal.models import Affiliate, Earning, LedgerEntry
from portal.models.base import Database, reading, writing
from portal.services.books import Books
from portal.services.journal import Cause

#: Database drivers bound how many values one statement takes.
CHUNK = 500


class EarningsConflict(PortalError):
    """A reference that is known comes with other content; nothing was written."""

    status = 409
    code = "reference_conflict"

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(sentence for _, sentence in problems))
        self.problems = problems


@dataclass(frozen=True)
class EarningData:
    """One commission to credit; `amount` in minor units, `occurred_at` with its offset."""

    reference: str
    affiliate_code: str
    amount: int
    currency: str
    occurred_at: datetime
    description: str


class Ledger:
    """What may be asked of the books from outside."""

    def __init__(self, database: Database, *, books: Books, clock: Clock, hold_days: int) -> None:
        self._database = database
        self._books = books
        self._clock = clock
        self._hold = timedelta(days=hold_days)

    @reading
    def balances(self, affiliate_id: UUID) -> Balances:
        """All balances of an affiliate as of now."""
        return self._books.balances(self._database.get_one(Affiliate, affiliate_id))

    @reading
    def entries(
        self, affiliate_id: UUID, *, before_id: int | None = None, limit: int = 50
    ) -> list[LedgerEntry]:
        """The affiliate's ledger lines, newest first, those before `before_id`."""
        query = sa.select(LedgerEntry).where(LedgerEntry.affiliate_id == affiliate_id)
        if before_id is not None:
            query = query.where(LedgerEntry.id < before_id)
        return list(self._database.scalars(query.order_by(LedgerEntry.id.desc()).limit(limit)))

    @writing
    def post_earnings(self, items: Sequence[EarningData], *, cause: Cause) -> list[tuple[str, str]]:
        """Credit all of them or none: `(reference, "created" or "duplicate")` for each, in their order. Raises
        InvalidInput or EarningsConflict, naming every fault by its index."""
        affiliates = self._affiliates_of(items)
        known = self._known(items)
        _refuse_faults(items, affiliates, known)
        for affiliate_id in sorted({affiliates[item.affiliate_code].id for item in items}):
            self._books.lock(affiliate_id)
        known = self._known(items)
        _refuse_faults(items, affiliates, known)
        results: list[tuple[str, str]] = []
        for item in items:
            if item.reference in known:
                results.append((item.reference, "duplicate"))
                continue
            known[item.reference] = self._post_earning(item, affiliates[item.affiliate_code])
            results.append((item.reference, "created"))
        return results

    def _post_earning(self, item: EarningData, affiliate: Affiliate) -> Earning:
        earning = Earning(
            affiliate_id=affiliate.id,
            reference=item.reference,
            amount=item.amount,
            currency=item.currency,
            description=item.description,
            occurred_at=item.occurred_at,
            available_at=item.occurred_at + self._hold,
            held=0,
            created_at=self._clock.now(),
        )
        self._database.add(earning)
        self._database.flush()
        self._books.post(
            EntryKind.earn,
            item.amount,
            affiliate=affiliate,
            source="earning",
            reference=item.reference,
            earning=earning,
        )
        return earning

    def _affiliates_of(self, items: Sequence[EarningData]) -> dict[str, Affiliate]:
        codes = sorted({item.affiliate_code for item in items})
        found: dict[str, Affiliate] = {}
        for start in range(0, len(codes), CHUNK):
            rows = self._database.scalars(
                sa.select(Affiliate).where(Affiliate.code.in_(codes[start : start + CHUNK]))
            )
            found.update((row.code, row) for row in rows)
        return found

    def _known(self, items: Sequence[EarningData]) -> dict[str, Earning]:
        references = sorted({item.reference for item in items})
        found: dict[str, Earning] = {}
        for start in range(0, len(references), CHUNK):
            chunk = references[start : start + CHUNK]
            rows = self._database.scalars(sa.select(Earning).where(Earning.reference.in_(chunk)))
            found.update((row.reference, row) for row in rows)
        return found


def _refuse_faults(
    items: Sequence[EarningData], affiliates: Mapping[str, Affiliate], known: Mapping[str, Earning]
) -> None:
    invalid: list[tuple[str, str]] = []
    conflicts: list[tuple[str, str]] = []
    seen: dict[str, EarningData] = {}
    for index, item in enumerate(items):
        affiliate = affiliates.get(item.affiliate_code)
        if affiliate is None:
            invalid.append(
                (f"earnings.{index}.affiliate_code", f"There is no affiliate {item.affiliate_code}.")
            )
        elif affiliate.currency != item.currency:
            invalid.append(
                (
                    f"earnings.{index}.currency",
                    f"{item.affiliate_code} is paid in {affiliate.currency}, not {item.currency}.",
                )
            )
        elif (earlier := known.get(item.reference)) is not None and not _is_same(earlier, item, affiliate):
            conflicts.append(
                (f"earnings.{index}.reference", f"{item.reference} is known with other content.")
            )
        if seen.setdefault(item.reference, item) != item:
            conflicts.append(
                (f"earnings.{index}.reference", f"{item.reference} stands here twice with different content.")
            )
    if invalid:
        raise InvalidInput(invalid)
    if conflicts:
        raise EarningsConflict(conflicts)


def _is_same(earlier: Earning, item: EarningData, affiliate: Affiliate) -> bool:
    return (
        earlier.affiliate_id,
        earlier.amount,
        earlier.currency,
        earlier.occurred_at,
        earlier.description,
    ) == (
        affiliate.id,
        item.amount,
        item.currency,
        item.occurred_at,
        item.description,
    )
