"""The books of each affiliate: earnings in, holds that pass, and every movement of a payout's money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.domain.ledger import MOVES, AccountKind, Balances, EntryKind, Hold, balances_at
from portal.models import Affiliate, Earning, LedgerAccount, LedgerEntry, Payout
from portal.models.base import Database, new_id, reading, writing
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


class Books:
    """Postings inside a unit of work that somebody else owns. The affiliate's row is locked first, always."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def lock(self, affiliate_id: UUID) -> Affiliate:
        """The affiliate, locked until the unit of work ends: all postings of one affiliate happen one after another.
        Raises NotFound."""
        affiliate = self._database.scalar(
            sa.select(Affiliate)
            .where(Affiliate.id == affiliate_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        if affiliate is None:
            raise NotFound("There is no such affiliate.")
        return affiliate

    def post(
        self,
        kind: EntryKind,
        amount: int,
        *,
        affiliate: Affiliate,
        source: str,
        reference: str,
        payout: Payout | None = None,
        earning: Earning | None = None,
    ) -> None:
        """Add one entry; the database moves the balances, and refuses what would take one below zero."""
        accounts = self._accounts(affiliate)
        debit, credit = MOVES[kind]
        self._database.add(
            LedgerEntry(
                affiliate_id=affiliate.id,
                debit_account_id=accounts[debit],
                credit_account_id=accounts[credit],
                amount=amount,
                currency=affiliate.currency,
                kind=kind,
                source=source,
                reference=reference,
                payout_id=payout.id if payout else None,
                earning_id=earning.id if earning else None,
                created_at=self._clock.now(),
            )
        )
        self._database.flush()

    def post_payout(self, kind: EntryKind, payout: Payout, affiliate: Affiliate) -> None:
        """Reserve, settle or release a payout's whole amount."""
        self.post(
            kind, payout.amount, affiliate=affiliate, source="payout", reference=str(payout.id), payout=payout
        )

    def write_down_passed_holds(self, affiliate: Affiliate) -> None:
        """Move every hold that has passed to available, and pay what is owed from it."""
        now = self._clock.now()
        passed = self._database.scalars(
            sa.select(Earning)
            .where(Earning.affiliate_id == affiliate.id, Earning.held > 0, Earning.available_at <= now)
            .order_by(Earning.available_at, Earning.id)
        ).all()
        for earning in passed:
            self.post(
                EntryKind.mature,
                earning.held,
                affiliate=affiliate,
                source="earning",
                reference=earning.reference,
                earning=earning,
            )
        self.pay_off_debt(affiliate, reference=str(new_id()))

    def pay_off_debt(self, affiliate: Affiliate, *, reference: str) -> None:
        """Whatever is available pays what is owed first."""
        stored = self.stored_balances(affiliate.id)
        amount = min(stored.get(AccountKind.available, 0), -stored.get(AccountKind.owed, 0))
        if amount > 0:
            self.post(EntryKind.pay_owed, amount, affiliate=affiliate, source="debt", reference=reference)

    def balances(self, affiliate: Affiliate) -> Balances:
        """The balances as of now, by the business clock."""
        holds = self._database.execute(
            sa.select(Earning.held, Earning.available_at).where(
                Earning.affiliate_id == affiliate.id,
                Earning.held > 0,
                Earning.available_at <= self._clock.now(),
            )
        )
        return balances_at(
            self.stored_balances(affiliate.id),
            [Hold(held, available_at) for held, available_at in holds],
            currency=affiliate.currency,
            now=self._clock.now(),
        )

    def next_release(self, affiliate_id: UUID) -> Hold | None:
        """The hold that ends next."""
        row = self._database.execute(
            sa.select(Earning.held, Earning.available_at)
            .where(
                Earning.affiliate_id == affiliate_id,
                Earning.held > 0,
                Earning.available_at > self._clock.now(),
            )
            .order_by(Earning.available_at)
            .limit(1)
        ).first()
        return Hold(*row) if row else None

    def stored_balances(self, affiliate_id: UUID) -> Mapping[AccountKind, int]:
        rows = self._database.execute(
            sa.select(LedgerAccount.kind, LedgerAccount.balance).where(
                LedgerAccount.affiliate_id == affiliate_id
            )
        )
        return dict(rows.tuples().all())

    def _accounts(self, affiliate: Affiliate) -> Mapping[AccountKind, int]:
        """The affiliate's account numbers; opened at the first posting, under the affiliate's lock."""
        query = sa.select(LedgerAccount.kind, LedgerAccount.id).where(
            LedgerAccount.affiliate_id == affiliate.id
        )
        accounts = dict(self._database.execute(query).tuples().all())
        if not accounts:
            self._database.add_all(
                LedgerAccount(
                    affiliate_id=affiliate.id,
                    kind=kind,
                    currency=affiliate.currency,
                    balance=0,
                    last_entry_id=0,
                )
                for kind in AccountKind
            )
            self._database.flush()
            accounts = dict(self._database.execute(query).tuples().all())
        return accounts


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
    def next_release(self, affiliate_id: UUID) -> Hold | None:
        """The hold that ends next."""
        return self._books.next_release(affiliate_id)

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
            id=new_id(),
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
