"""Bank payouts: when the money of a sent payout reaches the bank, or where it is if the bank sent it back.

Looked at when an event speaks of one, and every few hours for what is still on its way, so that nothing depends on
events. Whatever a bank does, a payout of ours stays paid: no second transfer, no movement in the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.bank_payouts import OUR_FAULT, BankPayoutStatus
from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.gateways.bank_payout_facts import BankPayoutFacts
from portal.gateways.stripe import (
    StripeGateway,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeRefusedError,
)
from portal.models import Affiliate, BankPayout, CarriedPayout, Payout
from portal.models.base import Database, reading, writing
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications

log = structlog.get_logger(__name__)

#: For how long after it was sent the bank payout of a payout is looked for: a month of an account that is paid out
#: monthly, and what follows.
LOOKED_FOR = timedelta(days=45)

#: How long after its arrival it is looked at still: a bank may send it back, and its trace may come ten days later.
WATCHED_AFTER_ARRIVAL = timedelta(days=14)

#: Clocks differ, and a bank payout may have been made right when the money came.
OVERLAP = timedelta(days=1)

#: How Stripe answers for an account that is gone, or a payout that is not the account's.
_NOT_SHOWN = frozenset({403, 404})

#: How it answers for one whose contents it does not tell, though it seemed that it would.
_NOT_ANSWERED = 400

#: A look at all of them ends after that, so that the worker gets to its other work.
LONGEST_LOOK = timedelta(minutes=20)


@dataclass
class LookTally:
    """What one look at all that is on its way came to."""

    accounts: int = 0
    changed: int = 0
    errors: int = 0

    def as_json(self) -> dict[str, object]:
        return {"accounts": self.accounts, "changed": self.changed, "errors": self.errors}


class BankPayouts:
    """Writes down what Stripe says of bank payouts that carry ours, and shows it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        journal: Journal,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._clock = clock
        self._stripe = stripe
        self._journal = journal

    def look(self, account_id: str, bank_payout_id: str, *, cause: Cause) -> str | None:
        """Retrieve one and write down what it is; what changed, in words, None if it carries nothing of ours. Raises
        StripeProblemError."""
        if not self._is_paid_to(account_id):
            return None
        asked_at = self._clock.real_now()
        try:
            facts = self._stripe.retrieve_bank_payout(account_id, bank_payout_id)
            return self._write(facts, self._transfers_in(facts), asked_at=asked_at, cause=cause)
        except StripeRefusedError as refusal:
            if refusal.http_status not in _NOT_SHOWN:
                raise
            return "not shown to us"

    def look_for_all(self, *, cause: Cause) -> LookTally:
        """Ask about everything that was sent and has not safely arrived yet. An account that gives no answer is left
        for the next time. Raises StripeKeyRefusedError."""
        tally, ends_at = LookTally(), self._clock.real_now() + LONGEST_LOOK
        for account_id, since in self._on_their_way():
            if self._clock.real_now() >= ends_at:
                log.warning("bank_payouts.look_cut_short", accounts=tally.accounts)
                break
            tally.accounts += 1
            try:
                tally.changed += self._look_since(account_id, since, cause)
            except StripeKeyRefusedError:
                raise
            except StripeProblemError as problem:
                tally.errors += 1
                log.warning("bank_payouts.not_reached", account=account_id, problem=str(problem))
        return tally

    def _look_since(self, account_id: str, since: datetime, cause: Cause) -> int:
        changed = 0
        asked_at = self._clock.real_now()
        for facts in self._stripe.bank_payouts_since(account_id, since):
            effect = self._write(facts, self._transfers_in(facts), asked_at=asked_at, cause=cause)
            changed += effect not in {None, "no change"}
        return changed

    def _transfers_in(self, facts: BankPayoutFacts, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """The transfers that a bank payout carries, those of earlier ones that came back included; none where Stripe
        does not say, or where it takes money from the bank."""
        if not facts.is_itemised or facts.amount <= 0:
            return frozenset()
        try:
            contents = self._stripe.contents_of_bank_payout(facts.account_id, facts.id)
        except StripeRefusedError as refusal:
            if refusal.http_status != _NOT_ANSWERED:
                raise
            log.warning("bank_payout.not_itemised", id=facts.id, problem=str(refusal))
            return frozenset()
        transfers = contents.transfers
        for earlier_id in contents.returned - seen:
            earlier = self._stripe.retrieve_bank_payout(facts.account_id, earlier_id)
            transfers |= self._transfers_in(earlier, seen | {facts.id, earlier_id})
        return transfers

    @writing
    def _write(
        self, facts: BankPayoutFacts, transfers: Collection[str], *, asked_at: datetime, cause: Cause
    ) -> str | None:
        """Write down freshly retrieved facts; an answer older than the one that is there changes nothing."""
        row = self._database.get(BankPayout, facts.id, with_for_update=True)
        carried = self._carried(facts.account_id, transfers)
        if row is None:
            if not carried:
                return None
            row = BankPayout(
                id=facts.id, affiliate_id=carried[0].affiliate_id, stripe_account_id=facts.account_id,
                created_at=facts.created_at, first_seen_at=asked_at,
            )  # fmt: skip
            self._database.add(row)
        elif asked_at < row.last_seen_at:
            return "no change"
        before = row.status
        _set(row, facts, asked_at)
        self._database.flush()
        return self._note(row, before, carried, cause)

    def _note(
        self, row: BankPayout, before: BankPayoutStatus | None, carried: Iterable[Payout], cause: Cause
    ) -> str:
        """Tie it to what it carries, and let the audit trail of each say what changed."""
        known = self._payouts_in(row.id)
        new = [payout for payout in carried if payout.id not in {each.id for each in known}]
        self._database.add_all(CarriedPayout(bank_payout_id=row.id, payout_id=payout.id) for payout in new)
        if row.status is not before:
            for payout in known:
                self._changed(payout, f"{row.id} {before}", row, cause)
        for payout in new:
            self._changed(payout, None, row, cause)
        if row.status is before and not new:
            return "no change"
        if row.status.is_over:
            self._came_back(row, [*known, *new])
        elif row.status is BankPayoutStatus.paid:
            self._arrived(row, [*known, *new])
        return f"{before or 'none'} → {row.status}"

    def _arrived(self, row: BankPayout, carried: Collection[Payout]) -> None:
        """Tell whom it concerns; what is found long afterwards is no news."""
        if row.arrival_on < (self._clock.real_now() - WATCHED_AFTER_ARRIVAL).date():
            return
        affiliate = self._database.get_one(Affiliate, row.affiliate_id)
        for payout in self._counting(row, carried):
            self._notifications.arrived(payout, affiliate, row)

    def _counting(self, row: BankPayout, carried: Collection[Payout]) -> list[Payout]:
        """Those that were sent and that no other bank payout has taken along since."""
        current = self._current([payout.id for payout in carried])
        return [
            payout for payout in carried if payout.status is PayoutStatus.paid and current[payout.id] is row
        ]

    def _came_back(self, row: BankPayout, carried: Collection[Payout]) -> None:
        """Tell whom it concerns, unless another bank payout has taken the money along since."""
        alert = log.error if row.failure_code == OUR_FAULT else log.warning
        alert("bank_payout.came_back", id=row.id, status=row.status.value, code=row.failure_code)
        if row.status is not BankPayoutStatus.failed:
            return
        affiliate = self._database.get_one(Affiliate, row.affiliate_id)
        for payout in self._counting(row, carried):
            self._notifications.came_back_from_bank(payout, affiliate, row)

    def _changed(self, payout: Payout, before: str | None, row: BankPayout, cause: Cause) -> None:
        self._journal.changed(
            "payout", payout.id, action="payout.bank_payout_changed", before=before, after=f"{row.id} {row.status}",
            cause=cause, at=self._clock.now(),
        )  # fmt: skip

    @reading
    def current_of(self, payout_ids: Collection[UUID]) -> Mapping[UUID, BankPayout]:
        """For each of these payouts that one carries: the one that counts now."""
        return self._current(payout_ids)

    def _current(self, payout_ids: Collection[UUID]) -> Mapping[UUID, BankPayout]:
        if not payout_ids:
            return {}
        query = sa.select(CarriedPayout.payout_id, BankPayout).join_from(CarriedPayout, BankPayout)
        rows = self._database.execute(query.where(CarriedPayout.payout_id.in_(payout_ids))).all()
        return counting_banks((payout_id, bank) for payout_id, bank in rows)

    @reading
    def of_payout(self, payout_id: UUID) -> list[BankPayout]:
        """Every one that carries, or carried, a payout; the one that counts now comes last."""
        query = sa.select(BankPayout).join(CarriedPayout, CarriedPayout.bank_payout_id == BankPayout.id)
        rows = self._database.scalars(query.where(CarriedPayout.payout_id == payout_id))
        return sorted(rows, key=attrgetter("place"))

    def is_looked_for(self, payout: Payout) -> bool:
        """Whether the portal still asks Stripe which bank payout carries it."""
        return payout.paid_at is not None and payout.paid_at > self._clock.now() - LOOKED_FOR

    @reading
    def _is_paid_to(self, account_id: str) -> bool:
        query = sa.select(Payout.id).where(Payout.destination == account_id).limit(1)
        return self._database.scalar(query) is not None

    @reading
    def _on_their_way(self) -> list[tuple[str, datetime]]:
        """The accounts with money that has not safely arrived, and since when (Stripe's time) to look."""
        now, real_now = self._clock.now(), self._clock.real_now()
        has_arrived = (
            sa.select(CarriedPayout.payout_id)
            .join(BankPayout, BankPayout.id == CarriedPayout.bank_payout_id)
            .where(
                CarriedPayout.payout_id == Payout.id,
                BankPayout.status == BankPayoutStatus.paid,
                BankPayout.arrival_on < (real_now - WATCHED_AFTER_ARRIVAL).date(),
            )
        )
        query = (
            sa.select(Payout.destination, sa.func.min(Payout.paid_at).label("paid_at"))
            .where(
                Payout.status == PayoutStatus.paid,
                Payout.method == PayoutMethod.fiat,
                Payout.paid_at > now - LOOKED_FOR,
                ~has_arrived.exists(),
            )
            .group_by(Payout.destination)
            .order_by(sa.func.random())  # whom a look that is cut short leaves out, another one reaches
        )
        shift = now - real_now
        return [
            (account_id, min(paid_at - shift, real_now) - OVERLAP)
            for account_id, paid_at in self._database.execute(query)
            if paid_at is not None
        ]

    def _carried(self, account_id: str, transfers: Collection[str]) -> list[Payout]:
        query = sa.select(Payout).where(Payout.transfer_id.in_(transfers), Payout.destination == account_id)
        return list(self._database.scalars(query.order_by(Payout.number)))

    def _payouts_in(self, bank_payout_id: str) -> list[Payout]:
        query = sa.select(Payout).join(CarriedPayout, CarriedPayout.payout_id == Payout.id)
        query = query.where(CarriedPayout.bank_payout_id == bank_payout_id).order_by(Payout.number)
        return list(self._database.scalars(query))


def _set(row: BankPayout, facts: BankPayoutFacts, asked_at: datetime) -> None:
    row.status = facts.status
    row.amount, row.currency = facts.amount, facts.currency
    row.arrival_on = facts.arrival_on
    row.trace_id = facts.trace_id
    row.failure_code, row.failure_message = facts.failure_code, facts.failure_message
    row.returned_at = facts.returned_at
    row.last_seen_at = asked_at


def counting_banks(carried: Iterable[tuple[UUID, BankPayout]]) -> Mapping[UUID, BankPayout]:
    """Of all that carry a payout, by its id, the one that counts now."""
    found: dict[UUID, BankPayout] = {}
    for payout_id, bank in carried:
        found[payout_id] = max(found.get(payout_id, bank), bank, key=attrgetter("place"))
    return found
