"""The demo's mailbox: what its people were sent, and how every kind of mail looks.

An app of its own beside the portal, so that nothing of it exists anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, Response, abort, render_template

from portal.cli.demo_people import VERA
from portal.cli.demo_settings import MAILBOX
from portal.config import PROJECT_ROOT
from portal.domain.notifications import MailKind
from portal.gateways.mail import Sender, composed
from portal.models import OutboxMail
from portal.services.letters import Letters, Recipient
from portal.wiring import MailWords, services

#: Everything that a mail of any kind may name.
SAMPLE_FACTS: Mapping[str, Any] = {
    "code": "vera",
    "detail": "action_required",
    "wanted": ["Your tax number", "A photo of your identity document"],
    "deadline_at": "2026-12-14T09:00:00+00:00",
    "is_blocked": False,
    "is_new_account": False,
    "method": "fiat",
    "wallet_ending": "9f3c1a",
    "message": "We are looking into two of your orders and will write to you by Friday.",
    "is_automatic": False,
    "is_approved": True,
    "payout_id": str(UUID(int=5)),
    "reference": "P-1042",
    "amount": 41_250,
    "currency": "usd",
    "reason": "Two of the orders in it were returned.",
    "cause": "Your bank says the account is closed",
    "next_step": "Add a different bank account on Stripe",
    "is_ours": False,
    "bank_payout_id": "po_1",
    "bank_reference": "061000104711",
    "because": "amount_below_minimum",
    "has_begun": True,
    "is_last": False,
    "is_paying": True,
    "run_id": str(UUID(int=6)),
    "payouts": 5,
    "totals": {"eur": 123_450, "usd": 10_000},
    "is_broken_off": True,
    "waits": {"funds": 2, "stripe_away": 1},
    "counts": {"failed": 1, "unknown": 1},
    "needs": {"requested": 3, "held": 1, "stuck": 2, "halted": 1},
    "sums": {"requested": {"eur": 123_450, "usd": 10_000}, "held": {"usd": 5_000}},
    "oldest_request_at": "2026-11-29T16:20:00+00:00",
    "halt_reason": "The balance looks wrong.",
    "yesterday": {"paid": {"usd": 412_500}, "failed": {"eur": 5_000}},
    "covers": {"usd": {"total": 50_000, "available": 20_000, "short_by": 30_000}},
    "nightly_at": "2026-12-01T02:00:00+00:00",
    "verification": {"id": str(UUID(int=7)), "checked": 120, "changed": 2, "errors": 0},
    "platform_heard_at": "2026-12-01T08:58:00+00:00",
    "accounts_heard_at": None,
    "events_missed": 1,
}

#: A mail brings its own style, and nothing else.
_MAILS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_PAGES_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Mailbox:
    """What lies in the folder, and a sample of each kind."""

    def __init__(self, portal: Flask, folder: Path) -> None:
        with portal.app_context():
            settings = services().settings
        self._folder = folder
        self._sender = Sender.of(settings)
        self._letters = Letters(settings=settings, render=MailWords(portal))

    def sent(self) -> dict[str, EmailMessage]:
        """By the name of its file, newest first."""
        files = sorted(self._folder.glob("*.eml"), reverse=True)
        return {file.stem: message_from_bytes(file.read_bytes(), policy=policy.default) for file in files}

    def samples(self) -> dict[str, EmailMessage]:
        """By the name of its kind."""
        return {kind.value: self._sample(kind) for kind in MailKind}

    def find(self, name: str) -> EmailMessage | None:
        """One of either."""
        return self.samples().get(name) or self.sent().get(name)

    def _sample(self, kind: MailKind) -> EmailMessage:
        at = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
        told = OutboxMail(id=UUID(int=1), kind=kind, facts=dict(SAMPLE_FACTS), created_at=at)
        mail = self._letters.write(told, Recipient(VERA.name, VERA.email), at=at)
        return message_from_bytes(bytes(composed(mail, self._sender)), policy=policy.default)


def mailbox_app(mailbox: Mailbox) -> Flask:
    """Its pages: the list, one mail, and its HTML alone."""
    app = Flask(__name__, template_folder=str(PROJECT_ROOT / "templates"), static_folder=None)
    app.jinja_env.globals["path"] = MAILBOX

    def found(name: str) -> EmailMessage:
        return mailbox.find(name) or abort(404)

    @app.get("/")
    def index() -> str:
        return render_template("demo/mailbox.html", sent=mailbox.sent(), samples=mailbox.samples())

    @app.get("/<name>")
    def show(name: str) -> str:
        mail = found(name)
        return render_template("demo/mail.html", name=name, mail=mail, text=_part(mail, "plain"))

    @app.get("/<name>/html")
    def html(name: str) -> Response:
        headers = {"Content-Security-Policy": _MAILS_POLICY}
        return Response(_part(found(name), "html"), mimetype="text/html", headers=headers)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _PAGES_POLICY)
        return response

    return app


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""
