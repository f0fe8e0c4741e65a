"""The sample data, made the way real data is: people sign in, earn, go to Stripe, ask for payouts; in weeks past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from portal.cli.demo_people import BRUNO, HANNA, OLGA, SIGNED_UP, VERA, WALTER, DemoPerson, Sale
from portal.cli.demo_requests import post
from portal.cli.demo_settings import PROVIDER, write_private
from portal.clock import Clock
from portal.domain.payout_runs import RunTrigger
from portal.models import ActorKind, Affiliate
from portal.services.affiliates import AffiliateData
from portal.services.journal import Cause
from portal.services.ledger import EarningData
from portal.services.people import VerifiedIdentity
from portal.services.tokens import Scope
from portal.wiring import Services

#: The token by which the demo's host business comes in, kept beside the data.
HOST_TOKEN_FILE = "host-business-token"  # noqa: S105 (a file's name)
HOST_TOKEN_NAME = "demo host business"  # noqa: S105 (a token's name)

_HOST = Cause(ActorKind.machine, None, "demo: host business")

_Step = tuple[float, Callable[[], None]]


class Calendar(Clock):
    """A business clock that is led through the weeks before the demo's first start; the real time stays real."""

    def __init__(self, begun_at: datetime) -> None:
        super().__init__()
        # The class above is frozen so that no code moves the clock by accident; here it is the whole point.
        object.__setattr__(self, "_begun_at", begun_at)
        object.__setattr__(self, "_at", begun_at)

    def now(self) -> datetime:
        at: datetime = object.__getattribute__(self, "_at")
        return at

    def days_ago(self, days: float) -> datetime:
        """That many days before the demo's first start."""
        begun_at: datetime = object.__getattribute__(self, "_begun_at")
        return begun_at - timedelta(days=days)

    def go_to(self, days_ago: float) -> None:
        """Let it be that many days before the first start."""
        object.__setattr__(self, "_at", self.days_ago(days_ago))


class Samples:
    """Tells the story of the sample affiliates, oldest step first."""

    def __init__(self, services: Services, calendar: Calendar, *, folder: Path) -> None:
        self._services = services
        self._calendar = calendar
        self._folder = folder
        self._users: dict[str, UUID] = {}

    def add(self) -> None:
        """Make what is not there yet."""
        self._let_host_business_in()
        for person in (OLGA, *SIGNED_UP):
            self._calendar.go_to(90)
            self._sign_in(person)
        for days_ago, step in sorted(self._steps(), key=lambda pair: -pair[0]):
            self._calendar.go_to(days_ago)
            step()

    def _steps(self) -> Iterator[_Step]:
        for place, person in enumerate(SIGNED_UP):
            yield 88.0 - place, partial(self._sign_up, person)
            if person.fate is not None:
                yield _days_since_onboarding(person), partial(self._onboard, person)
            yield from self._sales(person, partial(self._code, person))
        yield 45.0, self._enter_hanna
        yield from self._sales(HANNA, partial(str, HANNA.key), currency="eur")
        yield 12.2, partial(self._request, VERA)
        yield 12.1, self._run_payouts
        yield 3.2, partial(self._request, BRUNO)
        yield 3.1, self._block_bruno
        yield 0.2, partial(self._request, WALTER)

    def _sales(
        self, person: DemoPerson, code: Callable[[], str], *, currency: str = "usd"
    ) -> Iterator[_Step]:
        for sale in person.sales:
            # The host business reports a sale an hour later.
            yield sale.days_ago - 0.04, partial(self._earn, sale, code, currency)

    def _earn(self, sale: Sale, code: Callable[[], str], currency: str) -> None:
        earning = EarningData(
            reference=sale.reference,
            affiliate_code=code(),
            amount=sale.amount,
            currency=currency,
            occurred_at=self._calendar.days_ago(sale.days_ago),
            description=sale.description,
        )
        self._services.ledger.post_earnings([earning], cause=_HOST)

    def _let_host_business_in(self) -> None:
        file = self._folder / HOST_TOKEN_FILE
        access = self._services.access
        if file.exists() and access.token(file.read_text(encoding="utf-8")) is not None:
            return
        if any(token.name == HOST_TOKEN_NAME and token.revoked_at is None for token in access.tokens()):
            access.revoke_token(HOST_TOKEN_NAME, cause=_HOST)  # made by a start that ended before it was kept
        write_private(file, access.create_token(HOST_TOKEN_NAME, [Scope.earnings_write], cause=_HOST))

    def _sign_in(self, person: DemoPerson) -> None:
        """As if they had come from the identity provider; the browser they used is closed again."""
        access = self._services.access
        claims = VerifiedIdentity(
            provider=PROVIDER,
            issuer=self._services.settings.providers[PROVIDER].issuer,
            subject=person.subject,
            name=person.name,
            email=person.email,
            is_email_verified=True,
        )
        signed_in = access.sign_in(claims)
        access.sign_out(signed_in.token)
        self._users[person.key] = signed_in.user_id

    def _sign_up(self, person: DemoPerson) -> None:
        self._services.affiliates.create_for_user(
            self._users[person.key], country=person.country, cause=self._by(person)
        )

    def _onboard(self, person: DemoPerson) -> None:
        affiliate = self._affiliate(person)
        if affiliate.stripe_account_id is None:
            self._services.onboarding.start(affiliate.id, cause=self._by(person))
            affiliate = self._affiliate(person)
        path = f"/sandbox/api/accounts/{affiliate.stripe_account_id}/fate"
        if person.fate == "reject":
            # Stripe rejects after everything was handed in.
            post(self._stand_in(), path, body={"fate": "review", "silently": True})
        post(self._stand_in(), path, body={"fate": person.fate})
        self._services.accounts.sync(affiliate.id, cause=self._by(person))

    def _enter_hanna(self) -> None:
        data = AffiliateData(email=HANNA.email, name=HANNA.name, country=HANNA.country, currency="eur")
        self._services.affiliates.put(HANNA.key, data, cause=_HOST)

    def _request(self, person: DemoPerson) -> None:
        self._services.payouts.request(
            self._affiliate(person).id,
            amount="1240.00" if person is WALTER else "",
            request_key=f"sample-{person.key}",
            requested_by=self._users[person.key],
            cause=self._by(person),
        )

    def _run_payouts(self) -> None:
        self._services.payout_runs.run(trigger=RunTrigger.timetable, cause=Cause.system("process-payouts"))

    def _block_bruno(self) -> None:
        olga = Cause(
            ActorKind.operator, str(self._users[OLGA.key]), "demo", "Several orders came from one device."
        )
        self._services.affiliates.block(
            self._affiliate(BRUNO).code,
            message="We are looking into some of your orders. We will write to you this week.",
            cause=olga,
        )

    def _affiliate(self, person: DemoPerson) -> Affiliate:
        affiliate = self._services.affiliates.of_user(self._users[person.key])
        if affiliate is None:
            raise LookupError(f"{person.name} has no affiliate account")
        return affiliate

    def _code(self, person: DemoPerson) -> str:
        return self._affiliate(person).code

    def _by(self, person: DemoPerson) -> Cause:
        return Cause(ActorKind.affiliate, str(self._users[person.key]), "demo")

    def _stand_in(self) -> str:
        address = self._services.settings.stripe_api_base
        if address is None:
            raise LookupError("the demo's portal has no stand-in for Stripe")
        return address


def _days_since_onboarding(person: DemoPerson) -> float:
    """Whoever is still reviewed began two days ago; the others are through for weeks."""
    return 2.1 if person.fate == "review" else 70.0
