"""Runs of the nightly verification, and asking for one now; the worker does it, not this request."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.accounts import Requirements
from portal.domain.roles import Act
from portal.web.access import access, cause
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_verification", __name__, url_prefix="/operator/verification")

PAGE_ROWS = 50

#: The rest is in the list of affiliates.
STUCK_SHOWN = 10

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
        "operator/verification.html",
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
    """Have every account asked for; pressed again while that lasts, it is the same run."""
    services().requested_runs.request(cause=cause())
    services().sweep_soon()
    flash("Asked for. The worker begins within a minute; this page shows how far it is.", "verified")
    return redirect(url_for("operator_verification.index"), 303)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
