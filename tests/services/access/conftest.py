"""The service on a fresh database of each kind, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import scoped_session, sessionmaker

from portal.config import settings_from
from portal.models.base import Database
from portal.services.access import Access
from tests.clocks import MovableClock

MakeAccess = Callable[..., Access]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    engine = sa.create_engine(database_url)
    database = scoped_session(sessionmaker(engine, expire_on_commit=False))
    yield database
    database.remove()
    engine.dispose()


@pytest.fixture
def access_with(database: Database, clock: MovableClock) -> MakeAccess:
    """The service with some settings of its own."""

    def make(**environment: str) -> Access:
        settings = settings_from(
            {
                "PORTAL_ENV": "test",
                "SECRET_KEY": "a-key-for-tests-of-more-than-32-characters",
                "PORTAL_OIDC_COMPANY_ISSUER": "https://id.example",
                "PORTAL_OIDC_COMPANY_CLIENT_ID": "portal",
                "PORTAL_OIDC_COMPANY_CLIENT_SECRET": "hush",
                **environment,
            }
        )
        return Access(database, clock=clock, settings=settings)

    return make


@pytest.fixture
def access(access_with: MakeAccess) -> Access:
    return access_with()


@pytest.fixture
def trusting(access_with: MakeAccess) -> Access:
    """The same, where the provider's verified e-mails are trusted."""
    return access_with(PORTAL_OIDC_COMPANY_TRUST_EMAIL="true")
