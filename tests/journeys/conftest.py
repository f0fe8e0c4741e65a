"""Installations that run, one of each kind for a whole test run where a journey leaves nothing behind for others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import attentive_page, fresh_profile
from tests.databases import PostgresCluster
from tests.journeys.affiliates import Affiliate
from tests.journeys.inside import CAUSE, inside
from tests.journeys.operators import Operator
from tests.journeys.running import RunningPortal, running_portal


@dataclass(frozen=True)
class Town:
    """A whole installation at work: portal, worker, stand-in, and a token of the host business's."""

    portal: RunningPortal
    token: str

    def status_of(self, code: str) -> str | None:
        """How an affiliate's Stripe account stands, as the host business reads it."""
        status: str | None = self.portal.api(self.token, f"affiliates/{code}")["stripe_account_status"]
        return status

    def payouts_of(self, code: str) -> list[int]:
        """What an affiliate ever requested, in minor units, the newest first."""
        listed = self.portal.api(self.token, f"payouts?affiliate_code={code}")["data"]
        return [payout["amount"] for payout in listed]


#: Olga watches over payouts; what is approved is sent when a journey says so.
_SETTINGS = {"PORTAL_OPERATORS": "sandbox:person-olga", "PORTAL_PAYOUT_RUN": "0 0 29 2 *"}


def _at_work(database_url: str, folder: Path) -> Iterator[Town]:
    with running_portal(database_url, folder, **_SETTINGS) as portal:
        portal.start_worker()
        portal.start_portal()
        with inside(portal) as here:
            token = here.access.create_token("host business", cause=CAUSE)
        yield Town(portal, token)


@pytest.fixture(scope="session")
def sqlite_town(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """At work on SQLite, for all journeys: everybody on them is somebody new."""
    folder = tmp_path_factory.mktemp("town")
    shutil.copyfile(sqlite_template, folder / "portal.db")
    yield from _at_work(f"sqlite:///{folder / 'portal.db'}", folder)


@pytest.fixture(scope="session")
def postgresql_town(postgresql: PostgresCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The same on PostgreSQL."""
    with postgresql.fresh_database() as database_url:
        yield from _at_work(database_url, tmp_path_factory.mktemp("town"))


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    """Where journeys take place unless a test says otherwise."""
    return sqlite_town


@pytest.fixture
def ada(page: Page, town: Town) -> Affiliate:
    """Somebody new with a browser."""
    return Affiliate(page, town.portal, "Ada Lindqvist")


@pytest.fixture(params=["page", "page_without_scripts"])
def grace(request: pytest.FixtureRequest, town: Town) -> Affiliate:
    """Somebody new, once with a browser that runs scripts and once without."""
    page: Page = request.getfixturevalue(request.param)
    return Affiliate(page, town.portal, "Grace Osei")


@pytest.fixture(params=["no JavaScript", "no htmx"])
def page_without_htmx(request: pytest.FixtureRequest, chromium_process: Browser) -> Iterator[Page]:
    """A browser that runs no JavaScript, or whose network lets htmx not through."""
    has_scripts = request.param == "no htmx"
    with fresh_profile(chromium_process, javascript=has_scripts) as context:
        context.route("**/htmx.min.js*", lambda route: route.abort())
        with attentive_page(context) as page:
            yield page


@pytest.fixture
def context_without_scripts(chromium_process: Browser) -> Iterator[BrowserContext]:
    """A browser that runs no JavaScript."""
    with fresh_profile(chromium_process, javascript=False) as context:
        yield context


@pytest.fixture
def page_without_scripts(context_without_scripts: BrowserContext) -> Iterator[Page]:
    with attentive_page(context_without_scripts) as page:
        yield page


@pytest.fixture
def olga(chromium_process: Browser, town: Town) -> Iterator[Operator]:
    """An operator, signed in, with a browser of her own."""
    with fresh_profile(chromium_process) as context, attentive_page(context) as page:
        olga = Operator(page, town.portal)
        olga.sign_in()
        yield olga


@pytest.fixture
def standing(database_url: str, tmp_path: Path) -> Iterator[RunningPortal]:
    """An installation of a test's own on each kind of database, of which only the stand-in runs."""
    with running_portal(database_url, tmp_path) as portal:
        yield portal


@pytest.fixture(params=["sqlite", "postgresql"])
def each_town(request: pytest.FixtureRequest) -> Town:
    """The journey is made once in each."""
    town: Town = request.getfixturevalue(f"{request.param}_town")
    return town


@pytest.fixture
def standing_on_sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[RunningPortal]:
    """The same on SQLite alone, for what no database has a part in."""
    with running_portal(sqlite_url, tmp_path) as portal:
        yield portal
