"""The audit trail: who changed what, when, from what to what, and why. Nothing here changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint, Flask, Response, request

from portal.models import ActorKind
from portal.services.audit_trail import AuditFilter, AuditLine
from portal.web.access import access
from portal.web.csv_files import BATCH_ROWS, all_pages, csv_file
from portal.web.filters import chosen, filter_day, filter_text
from portal.web.forms import page_before
from portal.web.operator.words import ACTION_WORDS, ACTOR_WORDS
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_audit", __name__, url_prefix="/operator")

PAGE_ROWS = 100

_FILTERS = ("actor", "action", "subject", "id", "from", "to")

_COLUMNS = (
    "id", "created_at", "actor_kind", "actor_id", "actor", "action", "subject_kind", "subject_id", "subject",
    "from", "to", "cause", "reason",
)  # fmt: skip


@pages.get("/audit")
@access("operator")
def index() -> Response:
    before = page_before()
    found = services().audit_trail.newest(_wanted(), before=before, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    return render(
        "operator/audit.html",
        lines=shown,
        kept=_kept(),
        actors=ACTOR_WORDS,
        actions=ACTION_WORDS,
        past=before,
        following=shown[-1].row.id if len(found) > PAGE_ROWS else None,
    )


@pages.get("/audit.csv")
@access("operator")
def as_csv() -> Response:
    """The same rows as a file, all of them."""
    return csv_file("audit.csv", _COLUMNS, _csv_rows(_wanted()))


def _wanted() -> AuditFilter:
    return AuditFilter(
        actor=chosen("actor", ActorKind),
        action=filter_text("action"),
        subject_kind=filter_text("subject"),
        subject_id=filter_text("id"),
        since=filter_day("from"),
        until=filter_day("to", days_later=1),
    )


def _kept() -> Mapping[str, str]:
    """The filters as an address carries them."""
    return {name: request.args[name].strip() for name in _FILTERS if request.args.get(name, "").strip()}


def _csv_rows(wanted: AuditFilter) -> Iterator[Sequence[object]]:
    def page(before: int | None) -> Sequence[AuditLine]:
        return services().audit_trail.newest(wanted, before=before, limit=BATCH_ROWS)

    for line in all_pages(page, place_of=lambda each: each.row.id):
        row = line.row
        yield (
            row.id, row.created_at, row.actor_kind, row.actor_id, line.actor, row.action, row.subject_kind,
            row.subject_id, line.subject, row.from_value, row.to_value, row.cause, row.reason,
        )  # fmt: skip


def register(app: Flask) -> None:
    app.register_blueprint(pages)
