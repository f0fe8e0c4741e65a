"""Operators who are signed in, and affiliates for them to look after."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.config import Settings, settings_from
from portal.services.journal import Cause
from portal.services.people import VerifiedIdentity
from portal.wiring import services
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.web.access.journey import ISSUER, PROVIDER, signed_in_as
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor

#: Nothing is approved by itself, so that everything comes to the operators.
STRICT = {"PORTAL_AUTO_APPROVE_LIMIT": "usd:100,eur:100"}

NewOperator = Callable[..., Visitor]
NewPartner = Callable[[str], Partner]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these tests hold is the web's; the services' tests run on both databases."""
    return sqlite_url


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    """With a provider whose people can be operators; `settings` markers change more, the nearest wins."""
    environment = {**TEST_SETTINGS, **PROVIDER, **STRICT, "DATABASE_URL": database_url}
    for marker in reversed(list(request.node.iter_markers("settings"))):
        environment.update(marker.kwargs)
    return settings_from(environment)


@pytest.fixture
def new_operator(portal_app: Flask) -> NewOperator:
    """Makes signed-in operators, each with a browser of their own."""

    def make(name: str, *, role: str = "admin") -> Visitor:
        with portal_app.app_context():
            services().access.add_operator("sandbox", name, role=role, cause=Cause.system("a test"))
        return Visitor(signed_in_as(portal_app, name, email=f"{name}@example.com"))

    return make


@pytest.fixture
def olga(new_operator: NewOperator) -> Visitor:
    """An operator who may do everything."""
    return new_operator("olga")


@pytest.fixture
def viewer(new_operator: NewOperator) -> Visitor:
    """An operator who may only look."""
    return new_operator("victor", role="viewer")


@pytest.fixture
def new_partner(portal_app: Flask, stand_in: Flask, clock: MovableClock) -> NewPartner:
    """Makes signed-in affiliates."""

    def make(name: str) -> Partner:
        identity = VerifiedIdentity("sandbox", ISSUER, name, name, f"{name}@example.com")
        return Partner(portal_app, stand_in, clock, identity)

    return make


@pytest.fixture
def ada(new_partner: NewPartner) -> Partner:
    """An affiliate who has not set anything up yet."""
    return new_partner("ada")


@pytest.fixture
def waiting(ada: Partner) -> str:
    """The id of Ada's payout of $412.50, which waits for approval."""
    ada.set_up()
    ada.earn(41_250)
    return requested(ada)


def requested(partner: Partner) -> str:
    """Ask for everything; the payout's id."""
    page = partner.send(partner.get("/payouts/new"), "/payouts")
    assert page.status == 303, page.said
    return page.location.split("/")[2].partition("?")[0]
