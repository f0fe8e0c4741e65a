"""What every room's tests share: two databases, a portal on each, a browser, and nothing outside this machine.

Fixtures only tie together what the modules beside this file know how to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from portal import create_app
from portal.config import PROJECT_ROOT, Settings, settings_from
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from tests.browser import attentive_page, fresh_profile, running_chromium
from tests.clocks import MovableClock
from tests.compiled_once import compile_once
from tests.databases import TEMPLATE, PostgresCluster, free_port, postgres_cluster, quick_folder
from tests.fakes.wsgi_stripe import BASE_URL as STAND_IN_ADDRESS
from tests.fakes.wsgi_stripe import WsgiHTTPClient
from tests.lending import Lending
from tests.network import only_this_machine
from tests.serving import served
from tests.stripe_description import conversation

#: The settings of every test's portal; `@pytest.mark.settings(PORTAL_…="…")` changes some.
TEST_SETTINGS = {
    "PORTAL_ENV": "test",
    "SECRET_KEY": "a-key-for-tests-of-more-than-32-characters",
    "STRIPE_SECRET_KEY": "sk_test_portal",
    "STRIPE_API_BASE": STAND_IN_ADDRESS,
    "STRIPE_WEBHOOK_SECRETS": "whsec_platform_test,whsec_connect_test",
    # nobody waits: the pace is tried where it matters
    "STRIPE_RATE_LIMIT": "10000",
    "STRIPE_TRANSFER_RATE_LIMIT": "10000",
    "PORTAL_SUPPORT_EMAIL": "help@portal.example",
    "PORTAL_MAIL_FROM": "payouts@portal.example",
}


compile_once()


@pytest.fixture(scope="session", autouse=True)
def no_outside_connections() -> Iterator[None]:
    """Stripe, providers and mail servers are stand-ins on this machine; anything else is a mistake."""
    with only_this_machine():
        yield


@pytest.fixture(autouse=True)
def as_stripe_describes_it() -> Iterator[None]:
    """What was asked of Stripe's stand-in, and what it said, is what Stripe itself describes."""
    yield
    differences = conversation.take_differences()
    assert not differences, "\n".join(["Stripe describes it otherwise:", *differences])


@pytest.fixture
def clock() -> MovableClock:
    """The portal's clock, standing at the moment the test began."""
    return MovableClock()


def _migrate(database_url: str) -> None:
    """Bring an empty database up to date the way `flask db upgrade` does."""
    app = create_app(settings_from({**TEST_SETTINGS, "DATABASE_URL": database_url}))
    with app.app_context():
        flask_migrate.upgrade(directory=str(PROJECT_ROOT / "migrations"))
    _disconnect(app)


def close_queue(app: Flask) -> None:
    """Let go of the worker's queue, if anything was announced there: its connection would outlive the test."""
    jobs = vars(app.extensions["portal_jobs"])
    if "_huey" in jobs:
        jobs["_huey"].storage.close()


def _disconnect(app: Flask) -> None:
    """Close every pooled connection: a template must have none, and none may outlive its test."""
    close_queue(app)
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("template") / "portal.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresCluster]:
    """The run's PostgreSQL server, with a migrated template database."""
    with postgres_cluster() as cluster:
        _migrate(cluster.create_database(TEMPLATE))
        yield cluster


@pytest.fixture(scope="session")
def lending(postgresql: PostgresCluster) -> Lending:
    """The server's databases, for one test after the other."""
    return Lending(postgresql)


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> Iterator[str]:
    """A fresh, migrated SQLite database."""
    with quick_folder() as folder:
        file = folder / "portal.db"
        shutil.copyfile(sqlite_template, file)
        yield f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(lending: Lending) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    with lending.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    """The portal's settings, with what the test's `settings` markers change; the nearest marker wins."""
    environment = {**TEST_SETTINGS, "DATABASE_URL": database_url}
    for marker in reversed(list(request.node.iter_markers("settings"))):
        environment.update(marker.kwargs)
    return settings_from(environment)


@pytest.fixture
def stand_in() -> Flask:
    """Stripe's stand-in and the identity provider, in this very process; it delivers no webhooks by itself."""
    return create_sandbox(
        SandboxConfig(secret_key=TEST_SETTINGS["STRIPE_SECRET_KEY"], base_url=STAND_IN_ADDRESS)
    )


@pytest.fixture
def portal_app(settings: Settings, clock: MovableClock, stand_in: Flask) -> Iterator[Flask]:
    """The portal, built as in production, on a fresh database, the stand-in, and a clock that the test moves."""
    app = create_app(settings, clock=clock, stripe_transport=WsgiHTTPClient(stand_in))
    yield app
    _disconnect(app)


@pytest.fixture
def port() -> int:
    """A free loopback port."""
    return free_port()


@pytest.fixture
def served_portal(portal_app: Flask, port: int) -> Iterator[str]:
    """The portal behind a real address, for a browser."""
    with served(portal_app, port=port) as address:
        yield address


@pytest.fixture(scope="session")
def chromium_process() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def browser_context(chromium_process: Browser) -> Iterator[BrowserContext]:
    """A person's browser: a fresh profile."""
    with fresh_profile(chromium_process) as context:
        yield context


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """An open tab; a broken script or a refusal by the content security policy fails the test."""
    with attentive_page(browser_context) as page:
        yield page
