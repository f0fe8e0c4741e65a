"""Mail: SMTP as the standard library speaks it, or the terminal of whoever develops."""

from __future__ import annotations

import re
import smtplib
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol, TextIO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from portal.config import Settings

#: How long the server may be silent, at each step of the conversation.
TIMEOUT_SECONDS = 15.0

#: Where submission with a password, or over TLS from the start, and mail between servers are listened for.
#: https://www.rfc-editor.org/rfc/rfc8314, https://www.rfc-editor.org/rfc/rfc6409
_SUBMISSION_PORT, _SUBMISSION_TLS_PORT, _RELAY_PORT = 587, 465, 25

#: Not every server between us and the reader takes eight bits.
_POLICY = SMTP.clone(cte_type="7bit")

#: Replies that speak of the whole conversation, not of this mail. https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3
_CLOSING, _NEEDS_SIGN_IN = 421, 530

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


class MailProblemError(Exception):
    """A mail was not sent, as far as is known. The text names no address."""


class MailServerAwayError(MailProblemError):
    """Nothing can be sent at the moment: no answer, no encryption, or the settings are wrong. Try again later."""


class MailPostponedError(MailProblemError):
    """The server does not take this mail now. Try again later."""


class MailRefusedError(MailProblemError):
    """This mail will never be taken."""


@dataclass(frozen=True)
class Mail:
    """One mail to one person. The same `id` is the same mail, however often it is sent."""

    id: UUID
    to: str
    subject: str
    text: str
    html: str
    at: datetime
    """When it was written (UTC)."""


@dataclass(frozen=True)
class Sender:
    """Whom mail comes from; `host` is the portal's, for the Message-ID."""

    name: str
    address: str
    host: str
    reply_to: str | None

    @classmethod
    def of(cls, settings: Settings) -> Sender:
        host = urlsplit(settings.base_url).hostname or "localhost"
        address = settings.mail_from or "portal@localhost"  # only the console does without
        return cls(settings.name, address, host, settings.support_email)


class MailGateway(Protocol):
    """Sends one mail; raises MailProblemError."""

    def send(self, mail: Mail) -> None: ...


def composed(mail: Mail, sender: Sender) -> EmailMessage:
    """The message, text and HTML; raises MailRefusedError for an address that is none."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_one_line(sender.name), addr_spec=sender.address)
    try:
        message["To"] = Address(addr_spec=mail.to)
    except (ValueError, IndexError, MessageError):  # what the parser makes of odd texts
        raise MailRefusedError("the address can't be written to") from None
    if sender.reply_to:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = mail.at
    message["Message-ID"] = f"<{mail.id}@{sender.host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _one_line(text: str) -> str:
    """A header is one line; nothing in it begins another."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True)
class SmtpAddress:
    """`smtp://user:password@host:port` or `smtps://…`: the latter speaks TLS from the start."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> SmtpAddress:
        """Raises ValueError for a port that is none."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "smtps"
        user = unquote(parts.username) if parts.username else None
        usual = _SUBMISSION_TLS_PORT if is_tls else _SUBMISSION_PORT if user else _RELAY_PORT
        return cls(parts.hostname or "", parts.port or usual, is_tls, user, unquote(parts.password or ""))


class SmtpMail:
    """A mail server. Encryption is used wherever it is offered, and then its certificate must be good."""

    def __init__(
        self,
        address: SmtpAddress,
        *,
        sender: Sender,
        may_sign_in_plain: bool,
        before_call: Callable[[], None],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._address = address
        self._sender = sender
        self._may_sign_in_plain = may_sign_in_plain
        self._before_call = before_call
        self._timeout_seconds = timeout_seconds

    def send(self, mail: Mail) -> None:
        """Raises MailProblemError. A connection that breaks after the mail was taken reads as one before it: the
        same mail may then go out again."""
        self._before_call()
        message = composed(mail, self._sender)
        try:
            with _ending(self._connect()) as server:
                self._secure(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as problem:
            code, text = next(iter(problem.recipients.values()))
            raise _problem_of(code, text) from None
        except smtplib.SMTPDataError as problem:
            raise _problem_of(problem.smtp_code, problem.smtp_error) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefusedError("the server can't write to such an address") from None
        except smtplib.SMTPResponseException as problem:  # greeting, sign-in or sender: true of every mail
            reply = _reply(problem.smtp_code, problem.smtp_error)
            raise MailServerAwayError(f"{type(problem).__name__}: {reply}") from None
        except OSError as problem:  # no connection, a broken one, a timeout, a bad certificate
            raise MailServerAwayError(f"{type(problem).__name__}: {problem}") from None

    def _connect(self) -> smtplib.SMTP:
        host, port, timeout = self._address.host, self._address.port, self._timeout_seconds
        name = (
            self._sender.host
        )  # else this machine's own is looked up, which servers refuse or nobody answers
        if self._address.is_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, name, timeout=timeout, context=context)
        return smtplib.SMTP(host, port, name, timeout=timeout)

    def _secure(self, server: smtplib.SMTP) -> None:
        """Encrypt if it is offered, then sign in; a password never leaves in the clear in production."""
        server.ehlo_or_helo_if_needed()
        is_encrypted = self._address.is_tls
        if not is_encrypted and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            is_encrypted = True
        if self._address.user is None:
            return
        if not is_encrypted and not self._may_sign_in_plain:
            raise MailServerAwayError("the server offers no encryption, so no password is sent to it")
        try:
            server.login(self._address.user, self._address.password)
        except smtplib.SMTPNotSupportedError:
            raise MailServerAwayError("the server takes no user and password") from None


@contextmanager
def _ending(server: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    """Says goodbye; a server that does not answer that has taken the mail all the same."""
    try:
        yield server
        with suppress(OSError):
            server.quit()
    finally:
        server.close()


def _problem_of(code: int, text: bytes | str) -> MailProblemError:
    reply = _reply(code, text)
    if code in {_CLOSING, _NEEDS_SIGN_IN}:
        return MailServerAwayError(reply)
    return MailRefusedError(reply) if code >= 500 else MailPostponedError(reply)


def _reply(code: int, text: bytes | str) -> str:
    """A reply's two codes; its words may repeat the address."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = _ENHANCED.match(words)
    return f"{code} {enhanced[0]}" if enhanced else str(code)


class ConsoleMail:
    """Shows mail to whoever develops instead of sending it; with a folder, a line for each and a file to open."""

    def __init__(self, sender: Sender, *, folder: Path | None = None, stream: TextIO | None = None) -> None:
        self._sender = sender
        self._folder = folder
        self._stream = stream

    def send(self, mail: Mail) -> None:
        """Raises MailRefusedError as a server would."""
        message = composed(mail, self._sender)
        stream = self._stream or sys.stderr
        stream.write(f"mail to {message['To']}: {message['Subject']}\n")
        if self._folder is None:
            stream.write("".join(f"  {line}\n" for line in mail.text.splitlines()))
        else:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / _file_name(mail)).write_bytes(bytes(message))
        stream.flush()


def mail_gateway(settings: Settings, *, before_call: Callable[[], None]) -> MailGateway:
    """What PORTAL_MAIL_URL names; `before_call` runs before a server is spoken to."""
    sender = Sender.of(settings)
    if settings.mail_url == "console:":
        return ConsoleMail(sender)
    return SmtpMail(
        SmtpAddress.parse(settings.mail_url),
        sender=sender,
        may_sign_in_plain=not settings.is_production,
        before_call=before_call,
    )


def _file_name(mail: Mail) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", f"{mail.to} {mail.subject}".lower()).strip("-")[:80]
    return f"{mail.at:%Y%m%d-%H%M%S}-{words}-{str(mail.id)[-4:]}.eml"
