"""Every kind of mail as it is written: it leads to a page of the portal, and nobody's words become markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g

from portal.cli.demo_mailbox import SAMPLE_FACTS
from portal.config import Settings, settings_from
from portal.domain.notifications import MailKind
from portal.gateways.mail import Mail
from portal.models import OutboxMail
from portal.services.letters import Letters, Recipient
from portal.wiring import MailWords
from tests.house.tree import ROOT
from tests.test_config import PRODUCTION

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SCRIPT = "<script>alert('1')</script>\r\nBcc: eve@example.com"
ANA = Recipient("Ana", "ana@example.com")

#: Everything that any of them may name, with what people typed at its worst.
FACTS: dict[str, Any] = {
    **SAMPLE_FACTS,
    "wanted": ["Your tax number – <b>wrong</b>", "Your full name"],
    "message": SCRIPT,
    "reason": SCRIPT,
}


def written(app: Flask, settings: Settings, kind: MailKind, to: Recipient = ANA, **facts: Any) -> Mail:
    letters = Letters(settings=settings, render=MailWords(app))
    at = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
    told = OutboxMail(id=UUID(int=1), kind=kind, facts=FACTS | facts, created_at=at)
    return letters.write(told, to, at=at)


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_has_a_subject_and_leads_to_a_page_of_the_portal_and_nowhere_else(
    portal_app: Flask, settings: Settings, kind: MailKind
) -> None:
    mail = written(portal_app, settings, kind)
    assert 10 < len(mail.subject) < 80
    assert mail.subject.isprintable()
    addresses = set(re.findall(r"https?://[^\s\"<]+", mail.text + unescape(mail.html)))
    assert len(addresses) == 1 or kind is MailKind.daily_digest
    routes = portal_app.url_map.bind("portal.example")
    for address in addresses:
        assert address.startswith(f"{settings.base_url}/")
        assert address in [line.strip() for line in mail.text.splitlines()]
        assert routes.match(address.removeprefix(settings.base_url).partition("?")[0], method="GET")


def test_times_in_a_mail_are_in_the_zone_of_whoever_gets_it(portal_app: Flask, settings: Settings) -> None:
    indian = Recipient("Ana", "ana@example.com", "Asia/Kolkata")
    late = datetime(2026, 12, 31, 20, 30, tzinfo=UTC)
    reminder = {"deadline_at": late.isoformat(), "stands": True}
    with portal_app.test_request_context():
        g.time_zone = "Europe/Berlin"  # whoever happens to be answered meanwhile
        mail = written(portal_app, settings, MailKind.bank_changed, indian)
        due = written(portal_app, settings, MailKind.action_reminder, indian, **reminder)
        assert g.time_zone == "Europe/Berlin"
    for part in (mail.text, mail.html):
        assert "was changed on 1 Dec 2026, 14:35 IST" in part
        assert "as of 1 Dec 2026, 14:35 IST" in part
        assert "UTC" not in part
    assert due.subject == "Action needed by 1 Jan 2027 for your payouts"
    assert "1 Dec 2026, 09:05 UTC" in written(portal_app, settings, MailKind.bank_changed).text


OF_OPERATORS = {
    MailKind.sending_stopped,
    MailKind.run_sent_nothing,
    MailKind.bank_payout_short,
    MailKind.transfer_taken_back,
    MailKind.daily_digest,
}


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind not in OF_OPERATORS])
@pytest.mark.parametrize("has_more", [False, True])
def test_a_mail_is_in_the_language_of_whoever_gets_it(
    portal_app: Flask, settings: Settings, kind: MailKind, has_more: bool
) -> None:
    german = Recipient("Ana", "ana@example.com", "Europe/Berlin", "de")
    wanted = ["Your full name – the back was missing; the front was missing", "Your home address"]
    more: dict[str, Any] = {
        "wanted": wanted if has_more else [],
        "is_last": True,
        "message": "",
        "reason": "",
    }
    with portal_app.test_request_context(headers={"Accept-Language": "en"}):
        mail = written(portal_app, settings, kind, german, **more)
        plain = written(portal_app, settings, kind, **more)
    assert mail.subject != plain.subject
    assert '<html lang="de">' in mail.html
    body = mail.text.split("\n-- ")[0].split("\n\n")
    assert body[0] == "Guten Tag Ana,"
    same = {each for each in body if len(each.split()) > 2} & set(plain.text.split("\n\n"))
    assert same == set()
    assert "Stand 1. Dez. 2026, 10:05 MEZ" in mail.text
    if "Ihr vollständiger Name" in mail.text:
        assert "Ihr vollständiger Name – die Rückseite fehlte; die Vorderseite fehlte" in mail.text


@pytest.mark.parametrize("kind", MailKind)
def test_nobodys_words_become_markup_or_lines_of_their_own(
    portal_app: Flask, settings: Settings, kind: MailKind
) -> None:
    mail = written(portal_app, settings, kind, Recipient(f"Ana {SCRIPT}", "ana@example.com"))
    assert "<script" not in mail.html
    assert "<b>" not in mail.html
    assert "Hello Ana &lt;script&gt;alert(" in mail.html
    assert not re.search(r"^Bcc", mail.text, re.MULTILINE)
    assert not re.search(r"[{}]|None|Undefined", mail.text.replace("{}", ""))


@pytest.mark.parametrize("kind", MailKind)
def test_both_parts_say_the_same(portal_app: Flask, settings: Settings, kind: MailKind) -> None:
    mail = written(portal_app, settings, kind, reason="Because.", message="Because.")
    body = re.split(r"<body[^>]*>", mail.html)[1]
    html = unescape(re.sub(r"<[^>]+>", " ", body)).split()
    text = re.sub(r"https?://\S+|^--? |:\n(?=http)", " ", mail.text, flags=re.MULTILINE).split()
    assert html == text


def test_every_kind_has_its_words_and_no_others_lie_about(database_url: str) -> None:
    folders = {path.name for path in (ROOT / "templates/emails").iterdir() if path.is_dir()}
    assert folders == set(MailKind)


def test_amounts_and_times_read_as_on_the_pages(portal_app: Flask, settings: Settings) -> None:
    sent = written(portal_app, settings, MailKind.payout_sent)
    assert sent.subject == "Payout P-1042 of $412.50 was sent"
    assert "on 1 Dec 2026." in sent.text
    changed = written(portal_app, settings, MailKind.bank_changed)
    assert (
        "was changed on 1 Dec 2026, 09:05 UTC. To protect you, no payout is sent before 2 Dec 2026, 09:05 UTC."
        in (" ".join(changed.text.split()))
    )


def test_what_needs_doing_is_a_list_with_its_deadline(portal_app: Flask, settings: Settings) -> None:
    mail = written(portal_app, settings, MailKind.status_restricted)
    assert (
        "the following; it is due on 14 Dec 2026:\n\n- Your tax number – <b>wrong</b>\n- Your full name\n\n"
        in mail.text
    )
    assert "<li>Your full name</li>" in mail.html
    bare = written(portal_app, settings, MailKind.status_restricted, wanted=[], deadline_at=None)
    assert "Payouts are stopped until you give Stripe what it asks for.\n" in bare.text


def test_somebody_without_a_name_is_greeted_all_the_same(portal_app: Flask, settings: Settings) -> None:
    mail = written(portal_app, settings, MailKind.account_unblocked, Recipient("", "ana@example.com"))
    assert mail.text.startswith("Hello,\n\nPartner portal lifted the hold")


def test_no_real_money_moves_under_a_test_key_and_the_mail_says_so(portal_app: Flask) -> None:
    live = settings_from(PRODUCTION)
    test = settings_from(PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_0123456789"})
    assert written(portal_app, live, MailKind.payout_sent).subject.startswith("Payout P-1042")
    assert written(portal_app, test, MailKind.payout_sent).subject.startswith("[Test mode] Payout P-1042")
