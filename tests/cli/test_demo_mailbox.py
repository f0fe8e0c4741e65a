"""The demo's mailbox: every mail that was written, and a sample of every kind."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.cli.demo_mailbox import Mailbox, mailbox_app
from portal.config import Settings
from portal.domain.notifications import MailKind
from portal.gateways.mail import ConsoleMail, Mail, Sender

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def visitor(portal_app: Flask, tmp_path: Path) -> FlaskClient:
    return mailbox_app(Mailbox(portal_app, tmp_path / "mail")).test_client()


@pytest.fixture
def write(settings: Settings, tmp_path: Path) -> ConsoleMail:
    return ConsoleMail(Sender.of(settings), folder=tmp_path / "mail")


def a_mail(subject: str, *, minute: int) -> Mail:
    at = datetime(2026, 12, 1, 9, minute, tzinfo=UTC)
    return Mail(UUID(int=minute), "ana@example.com", subject, "In words.", "<p>In HTML.</p>", at)


def test_what_was_written_is_listed_newest_first_and_shown_in_both_forms(
    visitor: FlaskClient, write: ConsoleMail
) -> None:
    write.send(a_mail("The first", minute=1))
    write.send(a_mail("The second", minute=2))
    listed = visitor.get("/").text
    assert listed.index("The second") < listed.index("The first")
    (address,) = re.findall(r'href="/demo/mail(/[^"]+)">The first<', listed)
    assert "In words." in visitor.get(address).text
    assert visitor.get(f"{address}/html").text.strip() == "<p>In HTML.</p>"


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_of_mail_can_be_looked_at_before_anybody_gets_one(
    visitor: FlaskClient, kind: MailKind
) -> None:
    assert f'href="/demo/mail/{kind.value}"' in visitor.get("/").text
    shown = visitor.get(f"/{kind.value}")
    assert "Hello Vera Castellanos," in shown.text
    assert "default-src 'self'" in shown.headers["Content-Security-Policy"]
    html = visitor.get(f"/{kind.value}/html")
    assert "Hello Vera Castellanos," in html.text
    assert html.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("address", ["/nothing", "/..%2f..%2fsecrets", "/nothing/html"])
def test_nothing_else_is_shown(visitor: FlaskClient, address: str) -> None:
    assert visitor.get(address).status_code == 404


def test_the_portal_itself_has_no_mailbox(portal_app: Flask) -> None:
    assert portal_app.test_client().get("/demo/mail/").status_code == 404
