"""Every movement of an affiliate's money, one line each, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Flask, Response

from portal.domain.ledger import MOVES, AccountKind
from portal.domain.money import Money
from portal.models import LedgerEntry
from portal.web.access import access, current_affiliate
from portal.web.forms import page_before
from portal.web.rendering import render
from portal.web.words import ENTRY_WORDS, moved_words
from portal.wiring import services

pages = Blueprint("earnings", __name__)

PAGE_ROWS = 50

#: Whose reference is a person's word for it (an order, a refund) and not one of our ids.
_NAMED_SOURCES = {"earning", "refund"}


@dataclass(frozen=True)
class Line:
    """One ledger entry as it is shown; `money` is negative where it lessens what was earned in all."""

    at: datetime
    words: str
    source: str
    target: str
    money: Money
    reference: str
    payout_id: UUID | None


@pages.get("/earnings")
@access("affiliate")
def index() -> Response:
    before = page_before()
    found = services().ledger.entries(current_affiliate().id, before_id=before, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    return render(
        "earnings/index.html",
        lines=[_line(entry) for entry in shown],
        before=before,
        older=shown[-1].id if len(found) > PAGE_ROWS else None,
    )


def _line(entry: LedgerEntry) -> Line:
    is_loss = MOVES[entry.kind][1] is AccountKind.earned
    source, target = moved_words(entry.kind)
    return Line(
        at=entry.created_at,
        words=ENTRY_WORDS[entry.kind],
        source=source,
        target=target,
        money=Money(-entry.amount if is_loss else entry.amount, entry.currency),
        reference=entry.reference if entry.source in _NAMED_SOURCES else "",
        payout_id=entry.payout_id,
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
