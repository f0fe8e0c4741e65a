"""A portal whose sign-in provider is the stand-in's, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import create_app
from portal.config import Settings, settings_from
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.services.journal import Cause
from portal.wiring import services
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.fakes.real_providers import answering, cognito, google
from tests.fakes.wsgi_requests import WsgiAdapter, answered_by
from tests.web.access.described import DescribedClient
from tests.web.access.journey import PROVIDER, Browser, Visitor
from tests.web.access.machine import Send


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these tests hold is the web's; the services' tests run on both databases."""
    return sqlite_url


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    """With the stand-in as provider; `settings` markers change more, the nearest wins."""
    environment = {**TEST_SETTINGS, **PROVIDER, "DATABASE_URL": database_url}
    for marker in reversed(list(request.node.iter_markers("settings"))):
        environment.update(marker.kwargs)
    return settings_from(environment)


@pytest.fixture
def app(settings: Settings, clock: MovableClock) -> Iterator[Flask]:
    """The portal."""
    app = create_app(settings, clock=clock)
    app.test_client_class = DescribedClient
    yield app
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


@pytest.fixture(scope="session")
def made_provider() -> Flask:
    """Made once: its key takes a while."""
    return create_sandbox(SandboxConfig())


@pytest.fixture
def asked(made_provider: Flask) -> Iterator[WsgiAdapter]:
    """What the portal asked of the provider."""
    with answered_by(made_provider, at="http://127.0.0.1:5001/") as adapter:
        yield adapter


@pytest.fixture
def browser(app: Flask, made_provider: Flask, asked: WsgiAdapter) -> Browser:
    return Browser(app.test_client(), made_provider.test_client())


@pytest.fixture(scope="session")
def pool() -> Flask:
    """A user pool of Amazon Cognito."""
    return cognito()


@pytest.fixture(scope="session")
def goog() -> Flask:
    """Google."""
    return google()


@pytest.fixture
def visitor(app: Flask, pool: Flask, goog: Flask) -> Iterator[Visitor]:
    """For portals with the settings OF_COGNITO and OF_GOOGLE."""
    portal = app.test_client()
    with answering(pool, goog):
        yield Visitor(Browser(portal, pool.test_client()), Browser(portal, goog.test_client()))


@pytest.fixture
def token(app: Flask) -> str:
    """A machine's token that has every scope."""
    with app.app_context():
        return services().access.create_token("shop", cause=Cause.system("a test"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser or a machine that nobody knows."""
    return app.test_client()


@pytest.fixture
def send(client: FlaskClient, token: str) -> Send:
    """A machine's request, with its token."""

    def send(method: str, path: str, **more: Any) -> TestResponse:
        return client.open(
            f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {token}"}, **more
        )

    return send


@pytest.fixture
def ana(send: Send) -> TestResponse:
    """An affiliate whom the host business has created."""
    return send("PUT", "/affiliates/ana", json={"email": "ana@example.com", "name": "Ana", "currency": "usd"})
