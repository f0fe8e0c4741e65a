"""Postings: the one place where ledger entries are made, inside a unit of work that somebody else owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import NotFound
from portal.domain.ledger import MOVES, AccountKind, Balances, EntryKind, Hold, Release, balances_at
from portal.domain.money import Money
from portal.models import Affiliate, Earning, LedgerAccount, LedgerEntry, Payout
from portal.models.base import Database, new_id, utc_day, written_out


@dataclass(frozen=True)
class Outlook:
    """An affiliate's money now, and by the holds alone later: if nothing else is earned, refunded or paid."""

    balances: Balances
    releases: Sequence[Release]
    """What is on hold, by the day on which it stops being so, the next one first."""
    available_then: Money
    """What will be available at the moment that was asked about."""


def is_held() -> sa.ColumnElement[bool]:
    """Whether something of an earning is still on hold; as their index says it."""
    return Earning.held > written_out(0)


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
            .where(Earning.affiliate_id == affiliate.id, is_held(), Earning.available_at <= now)
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
                is_held(),
                Earning.available_at <= self._clock.now(),
            )
        )
        return balances_at(
            self.stored_balances(affiliate.id),
            [Hold(held, available_at) for held, available_at in holds],
            currency=affiliate.currency,
            now=self._clock.now(),
        )

    def outlook(self, affiliate: Affiliate, *, until: datetime) -> Outlook:
        """The balances now, and what the holds will make of them; one statement, however many earnings there are."""
        now, ends_at = self._clock.now(), Earning.available_at
        holds = (
            sa.select(
                # what has passed is one row, whenever it was
                sa.case((ends_at > now, utc_day(ends_at))).label("day"),
                sa.func.sum(Earning.held).label("held"),
                sa.func.sum(sa.case((ends_at <= until, Earning.held), else_=0)).label("passed_then"),
                sa.func.max(ends_at).label("last_at"),
            )
            .where(Earning.affiliate_id == affiliate.id, is_held())
            .group_by("day")
            .subquery()
        )
        found = self._database.execute(
            sa.select(LedgerAccount.kind, LedgerAccount.balance, *holds.c)
            .outerjoin(holds, LedgerAccount.kind == AccountKind.on_hold)
            .where(LedgerAccount.affiliate_id == affiliate.id)
            .order_by(holds.c.day)
        ).all()
        stored: Mapping[AccountKind, int] = {kind: balance for kind, balance, *_ in found}
        rows = [row for _, _, *row in found if row[1] is not None]

        def balances(passed: int) -> Balances:
            return balances_at(stored, [Hold(passed, now)], currency=affiliate.currency, now=now)

        return Outlook(
            balances=balances(sum(int(held) for day, held, *_ in rows if day is None)),
            releases=[
                Release(Money(int(held), affiliate.currency), last) for day, held, _, last in rows if day
            ],
            available_then=balances(sum(int(passed) for _, _, passed, _ in rows)).available,
        )

    def stored_balances(self, affiliate_id: UUID) -> Mapping[AccountKind, int]:
        rows = self._database.execute(
            sa.select(LedgerAccount.kind, LedgerAccount.balance).where(
                LedgerAccount.affiliate_id == affiliate_id
            )
        )
        return dict(rows.all())

    def _accounts(self, affiliate: Affiliate) -> Mapping[AccountKind, int]:
        """The affiliate's account numbers; opened at the first posting, under the affiliate's lock."""
        query = sa.select(LedgerAccount.kind, LedgerAccount.id).where(
            LedgerAccount.affiliate_id == affiliate.id
        )
        accounts = dict(self._database.execute(query).all())
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
            accounts = dict(self._database.execute(query).all())
        return accounts
