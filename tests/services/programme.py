"""An affiliate programme: a whole portal on one database and one stand-in, and what its people do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from portal.domain.ledger import Balances
from portal.domain.payout_runs import RunTrigger
from portal.models import Affiliate, AuditRow, Payout, PayoutAttempt, StripeAccount, User
from portal.models.base import new_id
from portal.services.affiliates import AffiliateData, PreferenceChange
from portal.services.journal import Cause
from portal.services.ledger import EarningData
from portal.services.transfers import RunTally
from portal.wiring import Services, db
from tests.clocks import MovableClock
from tests.services.stand_in import StandIn, signed

#: A row of a query whose columns nobody declares.
Row = sa.Row[*tuple[Any, ...]]

TEST = Cause.system("a test")
WALLET = "0x" + "12" * 20


class Programme:
    """What happens in a programme; amounts are minor units of the affiliate's currency."""

    def __init__(
        self, app: Flask, sandbox: Flask | StandIn, clock: MovableClock, *, first_number: int = 1
    ) -> None:
        self.app = app
        self.clock = clock
        self.stripe = sandbox if isinstance(sandbox, StandIn) else StandIn(sandbox)
        self.services: Services = app.extensions["portal"]
        self.services.look_at_events = lambda: None  # no worker listens; the tests do its work themselves
        self._numbers = itertools.count(first_number)

    # people

    def person(self) -> UUID:
        """Somebody who can sign in."""
        user_id = new_id()
        self.execute(sa.insert(User).values(id=user_id, name="", email="", created_at=self.clock.real_now()))
        return user_id

    def affiliate(self, *, currency: str = "usd", country: str = "US") -> UUID:
        """A new affiliate without a Stripe account."""
        code = f"aff-{next(self._numbers)}"
        data = AffiliateData(email=f"{code}@example.com", currency=currency, country=country)
        return self.services.affiliates.put(code, data, cause=TEST)[0].id

    def onboard(self, affiliate_id: UUID, *, fate: str | None = "approve") -> str:
        """The affiliate goes through Stripe's pages, and the portal looks at the account; its id."""
        self.services.onboarding.start(affiliate_id, cause=TEST)
        account_id = self.account_of(affiliate_id)
        if fate is not None:
            self.stripe.fate(account_id, fate)
            self.sync(affiliate_id)
        return account_id

    def verified(self, *, earned: int = 0, currency: str = "usd", country: str = "US") -> UUID:
        """An affiliate who may be paid, with so much available."""
        affiliate_id = self.affiliate(currency=currency, country=country)
        self.onboard(affiliate_id)
        if earned:
            self.earn(affiliate_id, earned)
        return affiliate_id

    def crypto(self, *, earned: int = 0) -> UUID:
        """An affiliate who is paid to a wallet."""
        affiliate_id = self.affiliate()
        change = PreferenceChange(method="crypto", wallet_address=WALLET)
        self.services.affiliates.set_preferences(affiliate_id, change, cause=TEST)
        if earned:
            self.earn(affiliate_id, earned)
        return affiliate_id

    def block(self, affiliate_id: UUID) -> None:
        cause = Cause.system("a test") if self.get(affiliate_id).is_blocked else TEST
        self.services.affiliates.block(
            self.get(affiliate_id).code, message="Please write to us.", cause=cause
        )

    def unblock(self, affiliate_id: UUID) -> None:
        self.services.affiliates.unblock(self.get(affiliate_id).code, cause=TEST)

    # money

    def earning(self, affiliate_id: UUID, amount: int, *, days_ago: float = 31) -> EarningData:
        """A commission that the host business could post."""
        affiliate = self.get(affiliate_id)
        number = next(self._numbers)
        return EarningData(
            reference=f"order-{number}",
            affiliate_code=affiliate.code,
            amount=amount,
            currency=affiliate.currency,
            occurred_at=self.clock.now() - timedelta(days=days_ago),
            description=f"Order {number}",
        )

    def earn(self, affiliate_id: UUID, amount: int, *, days_ago: float = 31) -> None:
        self.services.ledger.post_earnings(
            [self.earning(affiliate_id, amount, days_ago=days_ago)], cause=TEST
        )

    def request(
        self, affiliate_id: UUID, amount: str = "", *, key: str | None = None, by: UUID | None = None
    ) -> UUID:
        """The affiliate asks for a payout; its id."""
        payout = self.services.payouts.request(
            affiliate_id,
            amount=amount,
            request_key=f"form-{next(self._numbers)}" if key is None else key,
            requested_by=by,
            cause=TEST,
        )
        return payout.id

    def approved(self, amount: int = 10_000) -> UUID:
        """A payout of a new verified affiliate, small enough to be approved at once."""
        payout_id = self.request(self.verified(earned=amount))
        assert self.payout(payout_id).status == "approved"
        return payout_id

    def run(self) -> RunTally:
        """The payout run."""
        return self.services.payout_runs.run(
            trigger=RunTrigger.timetable, cause=Cause.system("process-payouts")
        )

    def retry(self) -> RunTally:
        """The worker's sweep over what is of unknown outcome."""
        return self.services.transfers.retry(cause=Cause.system("retry"))

    # Stripe

    def starts_anew(self, **settings: Any) -> None:
        """From now on accounts are made as by a portal that was started with other settings."""
        making = vars(vars(self.services.onboarding)["_making"])
        making["_settings"] = replace(making["_settings"], **settings)

    def sync(self, affiliate_id: UUID) -> Affiliate:
        return self.services.accounts.sync(affiliate_id, cause=TEST)

    def account_of(self, affiliate_id: UUID) -> str:
        account_id = self.get(affiliate_id).stripe_account_id
        assert account_id is not None
        return account_id

    def receive(self, event: object) -> bool:
        """One webhook arrives, properly signed."""
        body, signature = signed(event, at=self.clock.real_now())
        return self.services.stripe_events.receive(body, signature)

    # what stands in the books

    def get(self, affiliate_id: UUID) -> Affiliate:
        return self.services.affiliates.get(affiliate_id)

    def payout(self, payout_id: UUID) -> Payout:
        return self.services.payouts.get(payout_id)

    def balances(self, affiliate_id: UUID) -> Balances:
        return self.services.ledger.balances(affiliate_id)

    def attempts(self, payout_id: UUID) -> Sequence[Row]:
        query = sa.select(PayoutAttempt.__table__).where(PayoutAttempt.payout_id == payout_id)
        return self.rows(query.order_by(PayoutAttempt.generation))

    def makings(self, affiliate_id: UUID) -> Sequence[Row]:
        """The attempts at making an affiliate's account, oldest first."""
        query = sa.select(StripeAccount.__table__).where(StripeAccount.affiliate_id == affiliate_id)
        return self.rows(query.order_by(StripeAccount.generation))

    def changes(
        self, subject_id: UUID, action: str | None = None
    ) -> list[tuple[str | None, str | None, str]]:
        """From, to and why of everything that the audit trail knows of a subject, oldest first."""
        query = sa.select(
            AuditRow.from_value, AuditRow.to_value, AuditRow.cause, AuditRow.subject_kind, AuditRow.action
        ).where(AuditRow.subject_id == str(subject_id))
        rows = self.rows(query.order_by(AuditRow.id))
        assert len({row.subject_kind for row in rows}) <= 1  # a subject is always called the same
        return [tuple(row[:3]) for row in rows if action in {None, row.action}]

    def rows(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[Row]:
        """What a query finds, on a connection of its own."""
        with db.engine.connect().execution_options(is_writer=False) as connection:
            return connection.execute(query).all()

    def execute(self, *statements: sa.Executable) -> None:
        """Write past the services, in one transaction, as somebody with the database's password could."""
        with db.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def tried(self, *statements: sa.Executable) -> Iterator[None]:
        """Write past the services and take it back at once: what is legal raises nothing."""
        with db.engine.connect() as connection, connection.begin() as transaction:
            for statement in statements:
                connection.execute(statement)
            yield
            transaction.rollback()
