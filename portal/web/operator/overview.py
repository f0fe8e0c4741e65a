"""The operators' first page: what needs a person, and whether jobs and webhooks are well."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from portal.domain.payouts import PayoutStatus
from portal.services.overview import MOST_COUNTED, QUIET_DAYS
from portal.web.access import access
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator", __name__, url_prefix="/operator")


@pages.get("/")
@access("operator")
def overview() -> Response:
    return render(
        "operator/overview.html",
        facts=services().overview.get(),
        statuses=PayoutStatus,
        most=MOST_COUNTED,
        quiet_days=QUIET_DAYS,
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
