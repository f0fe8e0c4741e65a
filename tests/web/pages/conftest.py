"""An affiliate who is signed in, and a hand on what Stripe's stand-in says about their account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page as BrowserPage

from portal.domain.payout_runs import RunTrigger
from portal.models import Affiliate
from portal.services.journal import Cause
from portal.services.ledger import EarningData
from portal.services.people import VerifiedIdentity
from portal.web.session_cookie import set_token
from portal.wiring import services
from tests.clocks import MovableClock
from tests.web.pages.markup import read
from tests.web.pages.visitor import Page, Visitor

TEST = Cause.system("a test")

FRIDAY = datetime(2031, 11, 28, 9, 30, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these tests hold is the web's; the services' tests run on both databases."""
    return sqlite_url


@dataclass
class Partner(Visitor):
    """A signed-in affiliate."""

    app: Flask
    stand_in: Flask
    clock: MovableClock
    identity: VerifiedIdentity
    id: UUID = field(init=False)

    def __post_init__(self) -> None:
        super().__init__(self.app.test_client())
        self.id = self.sign_in()

    def sign_in(self) -> UUID:
        """Begin a session, as after the provider's answer; the first time also join the programme."""
        with self.app.test_request_context():
            signed_in = services().access.sign_in(self.identity)
            affiliate = services().affiliates.create_for_user(signed_in.user_id, country="DE", cause=TEST)
            cookie = set_token(self.app.make_response(""), signed_in.token).headers["Set-Cookie"]
        name, _, value = cookie.partition(";")[0].partition("=")
        self.client.set_cookie(name, value)
        return affiliate.id

    def wait(self, **parts: float) -> None:
        """Let time pass; after a day one has to sign in again."""
        self.clock.advance(**parts)
        self.sign_in()

    def row(self) -> Affiliate:
        with self.app.app_context():
            return services().affiliates.get(self.id)

    def earn(self, amount: int, *, days_ago: int = 31, reference: str = "order-1") -> None:
        """Credit a commission in minor units; after 30 days it is available."""
        row = self.row()
        earning = EarningData(
            reference, row.code, amount, row.currency, self.clock.now() - timedelta(days=days_ago), "A sale"
        )
        with self.app.app_context():
            services().ledger.post_earnings([earning], cause=TEST)

    def set_up(self, outcome: str = "approve") -> Page:
        """Go to Stripe, choose an outcome there, and come back as the browser does."""
        link = urlsplit(self.post("/stripe/onboarding").location).path
        stripe = self.stand_in.test_client()
        visit = read(stripe.get(link).text).all("input", name="visit")[0].attributes["value"]
        back = stripe.post(link, data={"outcome": outcome, "visit": visit})
        return self.get(urlsplit(back.location).path)

    def meet(self, fate: str) -> None:
        """Let the account meet a fate at Stripe; the portal does not know yet."""
        answer = self.stand_in.test_client().post(
            f"/sandbox/api/accounts/{self.row().stripe_account_id}/fate", json={"fate": fate}
        )
        assert answer.status_code < 300, answer.text

    def is_away(self, path: str = "/v1/account", *, method: str = "POST", times: int = 5) -> None:
        """Let Stripe hang up on the next requests."""
        fault = {"method": method, "path_prefix": path, "fault": "timeout_before", "times": times}
        assert self.stand_in.test_client().post("/sandbox/api/faults", json=fault).status_code == 201

    def pays(self) -> None:
        """Let a run send what is approved."""
        with self.app.app_context():
            services().payout_runs.run(trigger=RunTrigger.timetable, cause=TEST)


@pytest.fixture
def new_partner(portal_app: Flask, stand_in: Flask, clock: MovableClock) -> Callable[[str], Partner]:
    """Makes signed-in affiliates, each with a browser of their own."""

    def make(name: str) -> Partner:
        identity = VerifiedIdentity("demo", "https://issuer.example", name, name, f"{name}@example.com")
        return Partner(portal_app, stand_in, clock, identity)

    return make


@pytest.fixture
def ada(new_partner: Callable[[str], Partner]) -> Partner:
    """An affiliate who has not set anything up yet."""
    return new_partner("ada")


@pytest.fixture
def verified(ada: Partner) -> Partner:
    """An affiliate whom Stripe has verified and who can be paid $412.50."""
    ada.set_up()
    ada.earn(41_250)
    return ada


@pytest.fixture
def on_friday(ada: Partner) -> Partner:
    """Ada, at a known moment."""
    ada.clock.set(FRIDAY)
    ada.sign_in()
    return ada


@pytest.fixture
def rich(on_friday: Partner) -> Partner:
    """Verified on that Friday, with $912.50 available."""
    on_friday.set_up()
    on_friday.earn(91_250)
    return on_friday


#: Opens one of our pages in the browser as a signed-in partner.
Open = Callable[[Partner, str], BrowserPage]


@pytest.fixture
def opened(page: BrowserPage, served_portal: str) -> Open:
    """Opens a page in the browser as a signed-in partner."""

    return lambda partner, path: partner.opens(page, served_portal, path)
