"""A real mail server on this machine: it keeps what it takes, and refuses, postpones or dawdles on request."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.databases import free_port

#: What it says once to the next mail, by the command that it answers so.
Replies = dict[str, str]


class PostOffice:
    """`received` holds every mail that was taken, oldest first; `signed_in` who came with a password."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.signed_in: list[tuple[str, bool]] = []
        """The user, and whether the line was encrypted."""
        self.conversations = 0
        self.greeted_by = ""
        self.replies: Replies = {}
        """Instead of OK, once: `{"RCPT": "550 …"}`; for CONNECT, MAIL, RCPT and DATA."""
        self.on_mail: Callable[[], None] = lambda: None
        """Runs before a mail is taken, while the other side waits."""
        self.silence: threading.Event | None = None
        """While this is there and not set, no mail is answered."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.received]

    # what the server asks its handler

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, host: str, responses: list[str]
    ) -> list[str]:
        self.conversations += 1
        self.greeted_by = host
        session.host_name = host
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self.replies.pop("MAIL", None):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self.replies.pop("RCPT", None):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.silence is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.silence.wait)
        if reply := self.replies.pop("DATA", None):
            return reply
        await asyncio.get_running_loop().run_in_executor(None, self.on_mail)
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append((data.login.decode(), session.ssl is not None))
        return AuthResult(success=data.password == b"hush", handled=False)


@contextmanager
def open_post_office(
    *, certificate: ssl.SSLContext | None = None, is_tls_first: bool = False, asks_who: bool = False
) -> Iterator[PostOffice]:
    """A mail server until the block ends. With a certificate it offers STARTTLS, or speaks TLS from the start."""
    office = PostOffice()
    office.port = free_port()
    controller = Controller(
        office,
        hostname="127.0.0.1",
        port=office.port,
        ssl_context=certificate if is_tls_first else None,
        tls_context=None if is_tls_first else certificate,
        authenticator=office.authenticate if asks_who else None,
        auth_require_tls=False,
        auth_exclude_mechanism=[] if asks_who else ["LOGIN", "PLAIN"],
    )
    controller.start()
    try:
        yield office
    finally:
        if office.silence is not None:
            office.silence.set()
        controller.stop()
