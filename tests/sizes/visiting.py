"""A portal on a generated database, and everybody who looks at its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.config import settings_from
from portal.models import Identity
from portal.models.base import new_id
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.services.journal import Cause
from portal.wiring import db, services
from tests.conftest import TEST_SETTINGS, close_queue
from tests.fakes.wsgi_stripe import BASE_URL as STAND_IN_ADDRESS
from tests.fakes.wsgi_stripe import WsgiHTTPClient
from tests.sizes.pages import Stock, Visit, Who, visits
from tests.web.access.journey import ISSUER, PROVIDER, signed_in_as

_TEST = Cause.system("a measurement")


@dataclass(frozen=True)
class Visitors:
    """Signed-in browsers, and what each looks at."""

    app: Flask
    engine: sa.Engine
    clients: Mapping[Who, FlaskClient]
    token: str
    visits: list[Visit]

    def ask(self, visit: Visit) -> int:
        """Fetch a page, or the beginning of a file; its length. Anything but 200 is a fault."""
        headers = {"Authorization": f"Bearer {self.token}"} if visit.who is Who.machine else {}
        response = self.clients[visit.who].get(visit.path, headers=headers)
        try:
            assert response.status_code == 200, f"{visit.path}: {response.status}"
            return (
                sum(map(len, response.response)) if not visit.is_file else len(_beginning(response.response))
            )
        finally:
            response.close()


def _beginning(lines: object) -> list[object]:
    """The first rows of a file: what somebody waits for before anything happens."""
    iterator = iter(lines)  # type: ignore[call-overload] # Werkzeug's own iterable of bytes
    return [line for line, _ in zip(iterator, range(3), strict=False)]


def fill(database_url: str, *arguments: str) -> None:
    """Fill a migrated database as the shell does."""
    app = create_app(settings_from({**TEST_SETTINGS, "DATABASE_URL": database_url}))
    result = app.test_cli_runner().invoke(args=["generate", *arguments])
    assert result.exit_code == 0, result.output
    with app.app_context():
        db.engine.dispose()


@contextmanager
def visiting(database_url: str) -> Iterator[Visitors]:
    """Everybody signed in."""
    stripe = create_sandbox(
        SandboxConfig(secret_key=TEST_SETTINGS["STRIPE_SECRET_KEY"], base_url=STAND_IN_ADDRESS)
    )
    settings = settings_from({**TEST_SETTINGS, **PROVIDER, "DATABASE_URL": database_url})
    app = create_app(settings, stripe_transport=WsgiHTTPClient(stripe))
    with app.app_context():
        with db.engine.connect() as connection:
            stock = Stock(connection)
            everything = visits(stock)
        engine = db.engine
        for person in (stock.busy, stock.ordinary):
            _known(person.user_id, person.code)
        services().access.add_operator("sandbox", "olga", role="admin", cause=_TEST)
        token = services().access.create_token(f"sizes {new_id()}", cause=_TEST)
    clients = {
        Who.operator: signed_in_as(app, "olga", email="olga@example.com"),
        Who.busy: signed_in_as(app, stock.busy.code),
        Who.ordinary: signed_in_as(app, stock.ordinary.code),
        Who.machine: app.test_client(),
        Who.nobody: app.test_client(),
    }
    try:
        yield Visitors(app, engine, clients, token, everything)
    finally:
        close_queue(app)
        engine.dispose()


def _known(user_id: UUID, subject: str) -> None:
    """Have a generated person be known to the provider."""
    with db.engine.begin() as connection:
        query = sa.select(Identity.id).where(Identity.issuer == ISSUER, Identity.subject == subject)
        if connection.scalar(query) is None:
            now = services().clock.now()
            connection.execute(
                sa.insert(Identity).values(
                    id=new_id(), user_id=user_id, provider="sandbox", issuer=ISSUER, subject=subject, email="",
                    is_email_verified=True, created_at=now, last_signed_in_at=now,
                )
            )  # fmt: skip
