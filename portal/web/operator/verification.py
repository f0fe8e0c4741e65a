"""Runs of the nightly verification, and asking for one now; the worker does it, not this request."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.accounts import Requirements
from portal.domain.roles import Act
from portal.web.access import access, cause
from portal.web.forms import page_after
from portal.web.operator.words import DETAIL_WORDS, FINDING_WORDS
from portal.web.rendering import nothing_changed, render, wants_fragment
from portal.wiring import services

pages = Blueprint("operator_verification", __name__, url_prefix="/operator/verification")

PAGE_ROWS = 50

#: The rest is in the list of affiliates.
STUCK_SHOWN = 10

#: How often the page of a run looks again while it goes on.
POLL_SECONDS = 2

_TRIGGER_WORDS = {
    "timetable": "Every night",
    "operator": "An operator",
    "machine": "A machine",
    "shell": "The shell",
}


@pages.get("")
@access("operator")
def index() -> Response:
    return render(
        "operator/verification/index.html",
        runs=services().requested_runs.newest(limit=PAGE_ROWS),
        triggers=_TRIGGER_WORDS,
        stuck=[
            (each, Requirements.from_json(each.stripe_requirements or {}).missing)
            for each in services().affiliate_search.stuck(limit=STUCK_SHOWN)
        ],
    )


@pages.post("/run")
@access("operator", act=Act.verify)
def run() -> AnyResponse:
    """Have every account asked for; pressed again while that lasts, it leads to the same run."""
    run = services().requested_runs.request(cause=cause())
    services().sweep_soon()
    flash("Asked for. The worker begins within a minute; this page shows how far it is.", "verified")
    return redirect(url_for("operator_verification.show", verification_id=run.id), 303)


@pages.get("/<uuid:verification_id>")
@access("operator")
def show(verification_id: UUID) -> Response:
    run, after = services().requested_runs.get(verification_id), page_after()
    progress = services().findings.progress(run)
    seen = f"{progress.done}-{progress.is_left_behind}-{run.finished_at is not None}"
    if wants_fragment() and request.args.get("seen") == seen:
        return nothing_changed()
    found = services().findings.of(run.id, after=after, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    is_going_on = run.finished_at is None and not progress.is_left_behind
    poll_url = url_for("operator_verification.show", verification_id=run.id, after=after, seen=seen)
    return render(
        "operator/verification/show.html",
        "operator/verification/_change.html",
        run=run,
        progress=progress,
        findings=shown,
        triggers=_TRIGGER_WORDS,
        kinds=FINDING_WORDS,
        details=DETAIL_WORDS,
        after=after,
        following=shown[-1].row.id if len(found) > PAGE_ROWS else None,
        poll_url=poll_url if is_going_on else None,
        poll_seconds=POLL_SECONDS,
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
