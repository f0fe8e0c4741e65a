"""What an affiliate can request, why not, and what comes by itself: one look for every page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
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
from portal.models import Affiliate, Installation, Payout
from portal.models.base import Database, reading
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
    def of(self, affiliate_id: UUID) -> Offer:
        """The balances, the minimum, the first reason why nothing can be requested, and what is next."""
        affiliate, halted_at = self._with_switch(affiliate_id)
        automatic_at = self._automatic_at(affiliate)
        outlook = self._books.outlook(affiliate, until=automatic_at or self._clock.now())
        open_payout, retry_at = self._requests(affiliate_id)
        limits = self._limits(affiliate, outlook.balances, open_payout, retry_at)
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
            open_payout=open_payout,
            automatic=automatic,
            goes_out_at=self._goes_out_at(affiliate, halted_at),
        )

    def quote(self, offer: Offer, amount: str) -> Quote:
        """What a request of this amount, or of all if it is empty, would mean. Raises AmountIsRefused."""
        money = requested_amount(amount, offer.limits)
        return Quote(money, offer.limits.available - money, not self._rule.needs_no_operator(money))

    @reading
    def goes_out_at(self, affiliate_id: UUID) -> datetime | None:
        """When what is approved for an affiliate leaves next; see Offer."""
        return self._goes_out_at(*self._with_switch(affiliate_id))

    def limits(self, affiliate: Affiliate, balances: Balances, *, is_person: bool) -> Limits:
        """What a request is held to, in the unit of work that is open; the rate is for people."""
        open_payout, retry_at = self._requests(affiliate.id)
        return self._limits(affiliate, balances, open_payout, retry_at if is_person else None)

    def _limits(
        self, affiliate: Affiliate, balances: Balances, open_payout: Payout | None, retry_at: datetime | None
    ) -> Limits:
        return Limits(
            available=balances.available,
            minimum=minimum_of(self._settings.minimum_payout, affiliate.currency).money,
            open_reference=open_payout.reference if open_payout else None,
            retry_at=retry_at,
        )

    def _with_switch(self, affiliate_id: UUID) -> tuple[Affiliate, datetime | None]:
        """The affiliate, and since when sending is stopped, if it is."""
        halted_at = sa.select(Installation.halted_at).scalar_subquery()
        query = sa.select(Affiliate, halted_at).where(Affiliate.id == affiliate_id)
        affiliate, since = self._database.execute(query).one()
        return affiliate, since

    def _automatic_at(self, affiliate: Affiliate) -> datetime | None:
        fields = crontab_of(self._settings.payout_schedule) if affiliate.automatic else None
        return next_slot(fields, after=self._clock.now()) if fields else None

    def _goes_out_at(self, affiliate: Affiliate, halted_at: datetime | None) -> datetime | None:
        if halted_at is not None or affiliate.preferred_payout_type is PayoutMethod.crypto:
            return None
        now, cooldown = self._clock.now(), timedelta(hours=self._settings.bank_change_cooldown_hours)
        may_leave_at = affiliate.bank_changed_at + cooldown if affiliate.bank_changed_at else now
        return next_slot(self._settings.payout_run, after=max(now, may_leave_at))

    def _requests(self, affiliate_id: UUID) -> tuple[Payout | None, datetime | None]:
        """The payout that is open, and when the rate allows another request; only requests that were made count."""
        rate, now = self._settings.payout_request_rate, self._clock.now()
        window = timedelta(seconds=rate.seconds)
        counts = sa.and_(Payout.requested_by.is_not(None), Payout.created_at > now - window)
        found = self._database.execute(
            sa.select(Payout, counts)
            .where(Payout.affiliate_id == affiliate_id, sa.or_(Payout.status.in_(OPEN_STATUSES), counts))
            .order_by(Payout.number.desc())
            .limit(rate.count + 1)
        ).all()
        made = [payout.created_at for payout, is_counted in found if is_counted][: rate.count]
        return (
            next((payout for payout, _ in found if payout.status.is_open), None),
            made[-1] + window if len(made) >= rate.count else None,
        )
