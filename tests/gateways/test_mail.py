"""Mail as it leaves: what a message is made of, and what each answer of a real server means."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.gateways.mail import (
    ConsoleMail,
    Mail,
    MailPostponedError,
    MailProblemError,
    MailRefusedError,
    MailServerAwayError,
    Sender,
    SmtpAddress,
    SmtpMail,
    composed,
)
from tests.post_office import PostOffice, open_post_office

SENDER = Sender("Partner portal", "payouts@example.com", "portal.example.com", "help@example.com")
AT = datetime(2026, 12, 14, 9, 5, tzinfo=UTC)


def mail(*, to: str = "ana@example.com", subject: str = "Payout P-1 of €5.00 was sent") -> Mail:
    return Mail(UUID(int=7), to, subject, "Hello Ana,\n\nyours: €5.00\n", "<p>Hello Ana, €5.00</p>", AT)


def gateway(
    address: str, *, sender: Sender = SENDER, may_sign_in_plain: bool = False, timeout_seconds: float = 5.0
) -> SmtpMail:
    return SmtpMail(
        SmtpAddress.parse(address),
        sender=sender,
        may_sign_in_plain=may_sign_in_plain,
        before_call=lambda: None,
        timeout_seconds=timeout_seconds,
    )


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with open_post_office() as office:
        yield office


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine with its key, which nobody trusts by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    return file


def shown(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_mail_arrives_with_both_parts_and_says_that_no_person_wrote_it(post_office: PostOffice) -> None:
    gateway(post_office.url).send(mail())
    (got,) = post_office.received
    assert {name: str(got[name]) for name in ("From", "To", "Reply-To", "Subject", "Auto-Submitted")} == {
        "From": "Partner portal <payouts@example.com>",
        "To": "ana@example.com",
        "Reply-To": "help@example.com",
        "Subject": "Payout P-1 of €5.00 was sent",
        "Auto-Submitted": "auto-generated",
    }
    assert got["Date"].datetime == AT
    assert post_office.greeted_by == "portal.example.com"
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "yours: €5.00" in text.get_content()
    assert html.get_content().strip() == "<p>Hello Ana, €5.00</p>"


def test_the_same_mail_has_the_same_message_id_whenever_it_is_sent(post_office: PostOffice) -> None:
    for _ in range(2):
        gateway(post_office.url).send(mail())
    ids = {str(got["Message-ID"]) for got in post_office.received}
    assert ids == {f"<{UUID(int=7)}@portal.example.com>"}


@pytest.mark.parametrize(
    "mischief", ["\r\nBcc: eve@example.com", "\nSubject: other", "\u2028X: y", "\x00\x0b"]
)
def test_no_name_or_subject_begins_another_header(post_office: PostOffice, mischief: str) -> None:
    sender = Sender(f"Portal{mischief}", "payouts@example.com", "portal.example.com", None)
    gateway(post_office.url, sender=sender).send(mail(subject=f"Paid{mischief}"))
    (got,) = post_office.received
    assert got["Bcc"] is None
    assert got["X"] is None
    assert got.get_all("Subject") == [" ".join(f"Paid{mischief}".replace("\x00", " ").split())]


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com\r\nBcc: eve@example.com",
        "ana@example.com\nRCPT TO:<eve@example.com>",
        "ana@example.com, eve@example.com",
        "Ana <ana@example.com>",
        "ana",
        "@",
        "",
        "a b@example.com",
    ],
)
def test_what_is_no_single_address_is_refused_before_anybody_is_asked(
    post_office: PostOffice, address: str
) -> None:
    with pytest.raises(MailRefusedError):
        gateway(post_office.url).send(mail(to=address))
    assert post_office.conversations == 0


@pytest.mark.parametrize(
    ("at", "reply", "meaning"),
    [
        ("RCPT", "550 5.1.1 <ana@example.com> is unknown here", MailRefusedError),
        ("RCPT", "451 4.7.1 <ana@example.com> come back later", MailPostponedError),
        ("RCPT", "421 4.3.2 closing", MailServerAwayError),
        ("RCPT", "530 5.7.0 sign in first", MailServerAwayError),
        ("DATA", "554 5.7.1 ana@example.com does not want this", MailRefusedError),
        ("DATA", "452 4.2.2 ana@example.com is full", MailPostponedError),
        ("MAIL", "553 5.7.1 payouts@example.com may not send", MailServerAwayError),
    ],
)
def test_an_answer_says_refused_or_later_and_is_noted_without_anybodys_address(
    post_office: PostOffice, at: str, reply: str, meaning: type[MailProblemError]
) -> None:
    post_office.replies[at] = reply
    with pytest.raises(meaning) as problem:
        gateway(post_office.url).send(mail())
    assert type(problem.value) is meaning
    assert "@" not in str(problem.value)
    assert reply[:9] in str(problem.value)
    assert post_office.received == []


def test_a_server_that_is_not_there_is_tried_later(port: int) -> None:
    with pytest.raises(MailServerAwayError, match="ConnectionRefused"):
        gateway(f"smtp://127.0.0.1:{port}").send(mail())


def test_a_server_that_takes_the_line_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(MailServerAwayError, match="timed out"):
            gateway(address, timeout_seconds=0.05).send(mail())


def test_a_server_that_goes_silent_over_the_mail_is_given_up(post_office: PostOffice) -> None:
    post_office.silence = threading.Event()
    with pytest.raises(MailServerAwayError, match="timed out"):
        gateway(post_office.url, timeout_seconds=0.2).send(mail())


def test_encryption_is_used_where_it_is_offered_and_a_password_only_over_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with open_post_office(certificate=shown(certificate), asks_who=True) as office:
        gateway(f"smtp://portal:hush@localhost:{office.port}").send(mail())
        assert office.signed_in == [("portal", True)]
        assert len(office.received) == 1


def test_smtps_is_encrypted_from_the_start(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with open_post_office(certificate=shown(certificate), is_tls_first=True) as office:
        gateway(f"smtps://localhost:{office.port}").send(mail())
        assert len(office.received) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail_and_no_password(
    certificate: Path, scheme: str
) -> None:
    context = shown(certificate)
    with open_post_office(certificate=context, is_tls_first=scheme == "smtps", asks_who=True) as office:
        with pytest.raises(MailServerAwayError, match="SSLCertVerificationError"):
            gateway(f"{scheme}://portal:hush@localhost:{office.port}").send(mail())
        assert (office.received, office.signed_in) == ([], [])


def test_in_production_no_password_leaves_in_the_clear() -> None:
    with open_post_office(asks_who=True) as office:
        address = f"smtp://portal:hush@127.0.0.1:{office.port}"
        with pytest.raises(MailServerAwayError, match="no encryption"):
            gateway(address).send(mail())
        assert office.signed_in == []
        gateway(address, may_sign_in_plain=True).send(mail())
        assert office.signed_in == [("portal", False)]


def test_a_wrong_password_is_a_matter_of_settings_and_is_not_repeated_in_the_problem() -> None:
    with open_post_office(asks_who=True) as office:
        address = f"smtp://portal:a-secret@127.0.0.1:{office.port}"
        with pytest.raises(MailServerAwayError, match="535") as problem:
            gateway(address, may_sign_in_plain=True).send(mail())
        assert "a-secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls", "user", "password"),
    [
        ("smtp://mail.example.com", "mail.example.com", 25, False, None, ""),
        ("smtp://me:p%40ss@mail.example.com", "mail.example.com", 587, False, "me", "p@ss"),
        ("smtps://me:x@mail.example.com", "mail.example.com", 465, True, "me", "x"),
        ("smtp://me%40example.com:x@[::1]:2525", "::1", 2525, False, "me@example.com", "x"),
    ],
)
def test_an_address_of_a_server_is_read(
    url: str, host: str, port: int, is_tls: bool, user: str | None, password: str
) -> None:
    assert SmtpAddress.parse(url) == SmtpAddress(host, port, is_tls, user, password)
    assert password == "" or password not in repr(SmtpAddress.parse(url)).replace(host, "").split()


def test_the_console_shows_a_mail_instead_of_sending_it() -> None:
    stream = StringIO()
    ConsoleMail(SENDER, stream=stream).send(mail())
    assert stream.getvalue() == (
        "mail to ana@example.com: Payout P-1 of €5.00 was sent\n  Hello Ana,\n  \n  yours: €5.00\n"
    )


def test_with_a_folder_each_mail_is_one_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    stream, folder = StringIO(), tmp_path / "mail"
    for _ in range(2):
        ConsoleMail(SENDER, folder=folder, stream=stream).send(mail(subject="../../Paid"))
    (file,) = folder.iterdir()
    assert b"Subject: ../../Paid" in file.read_bytes()
    assert folder.stat().st_mode & 0o077 == 0
    assert stream.getvalue() == "mail to ana@example.com: ../../Paid\n" * 2


def test_every_line_of_a_message_fits_servers_that_take_seven_bits_only() -> None:
    message = bytes(composed(mail(subject="ä" * 300), SENDER))
    assert message.isascii()
    assert max(map(len, message.split(b"\r\n"))) <= 998
