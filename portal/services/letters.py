"""How a fact becomes a mail: its words from `templates/emails/`, as text and as HTML, and the page it leads to.

Each mail's words are written once, as paragraphs and lists (lines that begin with “- ”); the frames `body.txt` and
`body.html` show them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.config import Settings
from portal.domain.bank_payouts import as_sentence
from portal.domain.languages import Language
from portal.domain.needs import PLACES
from portal.domain.notifications import MailKind
from portal.domain.requirements import as_requirement
from portal.domain.sentences import Sentence
from portal.gateways.mail import Mail
from portal.models import OutboxMail

#: A template of `templates/` with what it shows, rendered; wiring knows how.
Render = Callable[[str, Mapping[str, Any]], str]

_ITEM, _LEADS_TO = "- ", " → "

_PAYOUT = (Sentence("See this payout"), "/payouts/{payout_id}")
_DASHBOARD = (Sentence("Go to your dashboard"), "/dashboard")

#: Where each mail leads: the words on the link, and the portal's page.
LINKS: Mapping[MailKind, tuple[str, str]] = {
    **dict.fromkeys(MailKind, _DASHBOARD),
    **{kind: _PAYOUT for kind in MailKind if kind.startswith("payout_")},
    MailKind.payout_skipped: _DASHBOARD,
    MailKind.preference_changed: (Sentence("See your payout preferences"), "/payouts/preferences"),
    MailKind.daily_digest: ("Go to the overview", "/operator/"),
    MailKind.sending_stopped: ("Go to the overview", "/operator/"),
    MailKind.run_sent_nothing: ("See this run", "/operator/payouts/runs/{run_id}"),
    MailKind.bank_payout_short: ("See this payout", "/operator/payouts/{payout_id}"),
    MailKind.transfer_taken_back: ("See this payout", "/operator/payouts/{payout_id}"),
}


@dataclass(frozen=True)
class Recipient:
    """Who a mail is for, as known at the moment of sending."""

    name: str
    email: str
    time_zone: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Item:
    """An entry of a list; `link` is the page of the portal that it leads to, if it leads anywhere."""

    words: str
    link: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Words, or a list."""

    words: str
    items: tuple[Item, ...]


class Letters:
    """Writes mails."""

    def __init__(self, *, settings: Settings, render: Render) -> None:
        self._settings = settings
        self._render = render

    def write(self, told: OutboxMail, to: Recipient, *, at: datetime) -> Mail:
        """The mail that tells a row of the outbox to its recipient; `at` is when it is written."""
        facts = self._facts(told) | {"time_zone": to.time_zone, "language": to.language or Language.en}
        folder = f"emails/{told.kind.value}"
        words, path = LINKS[told.kind]
        frame = {
            **facts,
            "greeting": Sentence("Hello {name},", name=_one_line(to.name)) if to.name else Sentence("Hello,"),
            "paragraphs": _paragraphs(self._render(f"{folder}/body.txt", facts), self._settings.base_url),
            "link_words": words,
            "link": self._settings.base_url + path.format(**told.facts),
        }
        return Mail(
            id=told.id,
            to=to.email,
            subject=self._mark() + _one_line(self._render(f"{folder}/subject.txt", facts)),
            text=self._render("emails/body.txt", frame).strip() + "\n",
            html=self._render("emails/body.html", frame),
            at=at,
        )

    def _facts(self, told: OutboxMail) -> dict[str, Any]:
        """What the words may name: the row's facts, times as times, texts of people as one line."""
        facts = {
            name: _one_line(each) if isinstance(each, str) else each for name, each in told.facts.items()
        }
        facts |= {name: as_sentence(facts[name]) for name in ("cause", "next_step") if name in facts}
        facts["wanted"] = [as_requirement(each) for each in facts.get("wanted", ())]
        moments = [name for name, each in facts.items() if name.endswith("_at") and each]
        facts |= {name: datetime.fromisoformat(facts[name]) for name in moments}
        cooldown = timedelta(hours=self._settings.bank_change_cooldown_hours)
        return facts | {
            "at": told.created_at,
            "places": PLACES,
            "sends_again_at": told.created_at + cooldown if cooldown else None,
            "portal_name": self._settings.name,
            "support_email": self._settings.support_email,
        }

    def _mark(self) -> str:
        """No real money moves under a test key: every page says so, and every mail."""
        is_test = self._settings.is_production and not self._settings.is_stripe_live
        return "[Test mode] " if is_test else ""


def _paragraphs(text: str, base_url: str) -> list[Paragraph]:
    """Blocks between empty lines; the lines of one are joined, unless all of them are a list's."""
    blocks = [[line.strip() for line in block.split("\n") if line.strip()] for block in text.split("\n\n")]
    return [
        Paragraph("", tuple(_item(line.removeprefix(_ITEM), base_url) for line in lines))
        if all(line.startswith(_ITEM) for line in lines)
        else Paragraph(" ".join(lines), ())
        for lines in blocks
        if lines
    ]


def _item(line: str, base_url: str) -> Item:
    """An entry that ends with “→ /operator/…” leads there."""
    words, _, path = line.rpartition(_LEADS_TO)
    return Item(words, base_url + path) if words and path.startswith("/operator/") else Item(line)


def _one_line(text: str) -> str:
    return " ".join(text.split())
