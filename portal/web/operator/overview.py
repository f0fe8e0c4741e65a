"""The operators' first page: what needs a person, and whether jobs and webhooks are well."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from portal.domain.errors import PortalError
from portal.domain.payouts import PayoutStatus
from portal.domain.webhooks import WebhookScope
from portal.models.base import MOST_COUNTED
from portal.services.overview import QUIET_DAYS
from portal.web.access import access
from portal.web.forms import problems_of
from portal.web.kept_forms import typed_fields
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator", __name__, url_prefix="/operator")


@pages.get("/")
@access("operator")
def overview() -> Response:
    return overview_page()


def overview_page(refusal: PortalError | None = None) -> Response:
    """The page as it stands now, with what was refused, if anything was."""
    services().webhook_tally.write_what_is_due()
    return render(
        "operator/overview.html",
        status=refusal.status if refusal else 200,
        problems=problems_of(refusal) if refusal else {},
        typed_reason=typed_fields().get("reason", ""),
        facts=services().overview.get(),
        statuses=PayoutStatus,
        scopes=WebhookScope,
        most=MOST_COUNTED,
        quiet_days=QUIET_DAYS,
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
