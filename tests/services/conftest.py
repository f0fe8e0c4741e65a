"""A programme for each test of the services: the whole portal on both databases, Stripe's stand-in, a moving clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal import create_app
from portal.config import Settings
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.wiring import db
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS, close_queue
from tests.fakes.wsgi_stripe import BASE_URL as STAND_IN_ADDRESS
from tests.services.breaking import to_be_broken
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import Programme
from tests.services.stand_in import begin_anew


@pytest.fixture(scope="session")
def made_stand_in() -> Flask:
    """Made once: the key of its identity provider takes a while."""
    return create_sandbox(
        SandboxConfig(secret_key=TEST_SETTINGS["STRIPE_SECRET_KEY"], base_url=STAND_IN_ADDRESS)
    )


@pytest.fixture
def stand_in(made_stand_in: Flask) -> Flask:
    """Stripe's stand-in, of which nobody has asked anything yet."""
    begin_anew(made_stand_in)
    return made_stand_in


@pytest.fixture
def way(request: pytest.FixtureRequest) -> str:
    """Where accounts are made: one of the two in `both_ways`."""
    path: str = request.param
    return path


@pytest.fixture
def line(stand_in: Flask) -> Line:
    """The way to Stripe."""
    return Line(stand_in)


@pytest.fixture
def programme(settings: Settings, clock: MovableClock, stand_in: Flask, line: Line) -> Iterator[Programme]:
    """However a test ends, the books must balance."""
    app = create_app(settings, clock=clock, stripe_transport=line)
    with app.app_context():
        programme = Programme(app, stand_in, clock)
        try:
            yield programme
            assert_books_balance(programme)
        finally:
            close_queue(app)
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def adrift(settings: Settings, clock: MovableClock, stand_in: Flask, line: Line) -> Iterator[Programme]:
    """A programme whose books and Stripe shall not agree; nobody asks afterwards whether they do."""
    with to_be_broken(settings, clock, line, stand_in) as programme:
        yield programme
