"""The books against Stripe: each pass, and the differences that are left."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from portal.web.access import access
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_reconciliation", __name__, url_prefix="/operator/reconciliation")

PAGE_ROWS = 50


@pages.get("")
@access("operator")
def index() -> Response:
    return render(
        "operator/reconciliation.html",
        passes=services().reconciliation.passes(limit=PAGE_ROWS),
        acceptances=services().acceptances.newest(limit=PAGE_ROWS),
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
