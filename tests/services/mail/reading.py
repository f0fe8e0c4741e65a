"""What arrived, as its reader sees it."""

from __future__ import annotations

from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from portal.models import ActorKind, OutboxMail
from portal.services.journal import Cause
from tests.post_office import PostOffice
from tests.services.programme import Programme, Row

BASE = "http://127.0.0.1:5000"
OPERATOR = Cause(ActorKind.operator, "olga", "request-1", "Too many returns.")
IN_PERSON = Cause(ActorKind.affiliate, "ana", "request-2")

#: What only reads differently is tried on one database.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def delivered(programme: Programme, post_office: PostOffice) -> list[EmailMessage]:
    """Send what waits; what arrived by that, in order."""
    before = len(post_office.received)
    programme.services.mail_delivery.send_due()
    return post_office.received[before:]


def texts(mail: EmailMessage) -> tuple[str, str]:
    """The words of both parts, in one line each."""
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    text, html = [part.get_content() if part is not None else "" for part in parts]
    return " ".join(text.split()), " ".join(unescape(html).split())


def assert_says(mail: EmailMessage, subject: str, *sentences: str) -> None:
    """The subject, and each sentence in both parts."""
    assert str(mail["Subject"]) == subject
    for part in texts(mail):
        assert [sentence for sentence in sentences if sentence not in part] == [], part


def outbox(programme: Programme, **having: Any) -> list[Row]:
    """The rows, oldest first."""
    table = OutboxMail.__table__
    wanted = [table.c[name] == value for name, value in having.items()]
    return list(programme.rows(sa.select(table).where(*wanted).order_by(table.c.id)))
