"""What an affiliate can request, why not, and what comes by itself: one look for every page that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.config import Settings
from portal.domain.approval import ApprovalRule
from portal.domain.automatic_payouts import AutomaticPayout, automatic_payout, crontab_of
from portal.domain.conditions import Condition, conditions
from portal.domain.errors import PortalError
from portal.domain.gate import Limits, has_enough, request_refusal, requested_amount
from portal.domain.ledger import Balances, Release
from portal.domain.minimum import Minimum, minimum_of
from portal.domain.money import Money
from portal.domain.payouts import OPEN_STATUSES, PayoutMethod
from portal.models import Affiliate, BankPayout, CarriedPayout, Installation, Payout
from portal.models.base import Database, reading
from portal.services.bank_payouts import counting_banks
from portal.services.books import Books
from portal.services.payout_moves import payee_of
from portal.services.timetable import next_slot


@dataclass(frozen=True)
class Offer:
    """What an affiliate can request right now, and why not if so."""

    affiliate: Affiliate
    balances: Balances
    releases: Sequence[Release]
    """What is on hold, by the day on which it stops being so, the next one first."""
    limits: Limits
    minimum: Minimum
    refusal: PortalError | None
    conditions: Sequence[Condition]
    """The whole list of what must hold, the same question as `refusal` and `minimum` answer."""
    open_payout: Payout | None
    latest: Sequence[Payout]
    """As many of the latest payouts as were asked for, the newest first."""
    banks: Mapping[UUID, BankPayout]
    """For each of those that a bank payout carries: the one that counts now."""
    automatic: AutomaticPayout | None
    """The next one, if the affiliate chose to be paid automatically and the programme has days for it."""
    goes_out_at: datetime | None
    """When what is approved leaves next (UTC); None where nobody can say: by hand, or while sending is stopped."""

    @property
    def is_enough(self) -> bool:
        """Whether there is as much as the minimum."""
        return has_enough(self.limits)

    @property
    def retry_at(self) -> datetime | None:
        """When the rate allows another request (UTC); None while it does."""
        return self.limits.retry_at


@dataclass(frozen=True)
class Quote:
    """What a request of an amount would mean."""

    money: Money
    left: Money
    needs_review: bool


#: An affiliate, since when sending is stopped, a payout, and a bank payout that carries it.
_Row = tuple[Affiliate, datetime | None, Payout | None, BankPayout | None]


@dataclass(frozen=True)
class _Seen:
    """An affiliate, since when sending is stopped, if it is, and the payouts that matter now, the newest first."""

    affiliate: Affiliate
    halted_at: datetime | None
    payouts: Sequence[Payout]
    banks: Mapping[UUID, BankPayout]

    @property
    def open_payout(self) -> Payout | None:
        return next((payout for payout in self.payouts if payout.status.is_open), None)


class Offers:
    """Reads what a request would be judged on. The request itself, in its own unit of work, judges the same."""

    def __init__(
        self, database: Database, *, clock: Clock, settings: Settings, books: Books, rule: ApprovalRule
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._books = books
        self._rule = rule

    @reading
    def of(self, affiliate_id: UUID, *, latest: int = 0) -> Offer:
        """The balances, the minimum, the first reason why nothing can be requested, what is next, and the `latest`
        payouts; two statements whatever the history."""
        seen = self._seen(affiliate_id, latest=latest)
        affiliate = seen.affiliate
        automatic_at = self._automatic_at(affiliate)
        outlook = self._books.outlook(affiliate, until=automatic_at or self._clock.now())
        limits = self._limits(seen, outlook.balances)
        payee, detail = payee_of(affiliate), affiliate.stripe_account_detail
        automatic = None
        if automatic_at is not None:
            automatic = automatic_payout(
                payee,
                limits,
                detail=detail,
                rule=self._rule,
                at=automatic_at,
                available=outlook.available_then,
            )
        return Offer(
            affiliate=affiliate,
            balances=outlook.balances,
            releases=outlook.releases,
            limits=limits,
            minimum=minimum_of(self._settings.minimum_payout, affiliate.currency),
            refusal=request_refusal(payee, limits),
            conditions=conditions(payee, limits, detail=detail),
            open_payout=seen.open_payout,
            latest=seen.payouts[:latest],
            banks=seen.banks,
            automatic=automatic,
            goes_out_at=self._goes_out_at(seen),
        )

    def quote(self, offer: Offer, amount: str) -> Quote:
        """What a request of this amount, or of all if it is empty, would mean. Raises AmountIsRefused."""
        money = requested_amount(amount, offer.limits)
        return Quote(money, offer.limits.available - money, not self._rule.needs_no_operator(money))

    @reading
    def goes_out_at(self, affiliate_id: UUID) -> datetime | None:
        """When what is approved for an affiliate leaves next; see Offer."""
        return self._goes_out_at(self._seen(affiliate_id))

    def limits(self, affiliate: Affiliate, balances: Balances, *, is_person: bool) -> Limits:
        """What a request is held to, in the unit of work that is open; the rate is for people."""
        return self._limits(self._seen(affiliate.id), balances, is_person=is_person)

    def _limits(self, seen: _Seen, balances: Balances, *, is_person: bool = True) -> Limits:
        return Limits(
            available=balances.available,
            minimum=minimum_of(self._settings.minimum_payout, seen.affiliate.currency).money,
            open_reference=seen.open_payout.reference if seen.open_payout else None,
            retry_at=self._retry_at(seen) if is_person else None,
        )

    def _automatic_at(self, affiliate: Affiliate) -> datetime | None:
        fields = crontab_of(self._settings.payout_schedule) if affiliate.automatic else None
        return next_slot(fields, after=self._clock.now()) if fields else None

    def _goes_out_at(self, seen: _Seen) -> datetime | None:
        affiliate = seen.affiliate
        if seen.halted_at is not None or affiliate.preferred_payout_type is PayoutMethod.crypto:
            return None
        now, cooldown = self._clock.now(), timedelta(hours=self._settings.bank_change_cooldown_hours)
        may_leave_at = affiliate.bank_changed_at + cooldown if affiliate.bank_changed_at else now
        return next_slot(self._settings.payout_run, after=max(now, may_leave_at))

    def _retry_at(self, seen: _Seen) -> datetime | None:
        """When the rate allows another request; None while it does."""
        rate = self._settings.payout_request_rate
        made = [payout.created_at for payout in seen.payouts if self._counts(payout)][: rate.count]
        return made[-1] + timedelta(seconds=rate.seconds) if len(made) >= rate.count else None

    def _counts(self, payout: Payout) -> bool:
        """Against the rate, which is for people; only requests that were made count."""
        return payout.requested_by is not None and payout.created_at > self._counted_from

    @property
    def _counted_from(self) -> datetime:
        return self._clock.now() - timedelta(seconds=self._settings.payout_request_rate.seconds)

    def _seen(self, affiliate_id: UUID, *, latest: int = 0) -> _Seen:
        rows = self._rows(affiliate_id, latest)
        payouts = dict.fromkeys(payout for _, _, payout, _ in rows if payout)
        banks = counting_banks((payout.id, bank) for _, _, payout, bank in rows if payout and bank)
        return _Seen(rows[0][0], rows[0][1], list(payouts), banks)

    def _rows(self, affiliate_id: UUID, latest: int) -> Sequence[_Row]:
        """One for each payout that matters and each bank payout that carries it; one without them if there are none."""
        newest = sa.select(Payout.number).where(Payout.affiliate_id == affiliate_id)
        matters = sa.or_(
            Payout.status.in_(OPEN_STATUSES),
            sa.and_(Payout.requested_by.is_not(None), Payout.created_at > self._counted_from),
            Payout.number.in_(newest.order_by(Payout.number.desc()).limit(latest)),
        )
        return self._database.execute(
            sa.select(Affiliate, sa.select(Installation.halted_at).scalar_subquery(), Payout, BankPayout)
            .outerjoin(Payout, sa.and_(Payout.affiliate_id == Affiliate.id, matters))
            .outerjoin(CarriedPayout, CarriedPayout.payout_id == Payout.id)
            .outerjoin(BankPayout, BankPayout.id == CarriedPayout.bank_payout_id)
            .where(Affiliate.id == affiliate_id)
            .order_by(Payout.number.desc())
        ).all()
