"""The operators' first page: what needs a person, and whether jobs and webhooks are well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request, url_for

from portal.domain.errors import PortalError
from portal.domain.needs import PLACES, Need
from portal.domain.payouts import PayoutStatus
from portal.domain.webhooks import WebhookScope
from portal.models.base import MOST_COUNTED
from portal.services.overview import QUIET_DAYS, OverviewFacts
from portal.web.access import access
from portal.web.forms import problems_of
from portal.web.kept_forms import typed_fields
from portal.web.rendering import nothing_changed, render, wants_fragment
from portal.wiring import services

pages = Blueprint("operator", __name__, url_prefix="/operator")

#: How often the cards look again by themselves.
POLL_SECONDS = 60

#: Cards that stand there at zero too, so that people find them where they were.
_STEADY = (
    Need.requested, Need.held, Need.processing, Need.parked, Need.stuck, Need.restricted, Need.blocked,
)  # fmt: skip


@pages.get("/")
@access("operator")
def overview() -> Response:
    """The page; for htmx its cards, unless they read as those that were `seen`."""
    return overview_page()


def overview_page(refusal: PortalError | None = None) -> Response:
    """The page as it stands now, with what was refused, if anything was."""
    services().webhook_tally.write_what_is_due()
    facts = services().overview.get()
    cards = _cards(facts)
    seen, needs = _digest(render_template("operator/_cards.html", **cards)), _digest(str(facts.needs))
    if wants_fragment() and request.args.get("seen") == seen:
        return nothing_changed()
    return render(
        "operator/overview.html",
        "operator/_cards_change.html",
        status=refusal.status if refusal else 200,
        problems=problems_of(refusal) if refusal else {},
        typed_reason=typed_fields().get("reason", ""),
        is_need_new=request.args.get("needs") != needs,
        as_of=facts.at,
        poll_url=url_for("operator.overview", seen=seen, needs=needs),
        poll_seconds=POLL_SECONDS,
        **cards,
    )


def _cards(facts: OverviewFacts) -> Mapping[str, Any]:
    return {
        "facts": facts,
        "places": PLACES,
        "steady": _STEADY,
        "statuses": PayoutStatus,
        "scopes": WebhookScope,
        "most": MOST_COUNTED,
        "quiet_days": QUIET_DAYS,
    }


def _digest(text: str) -> str:
    """Another text has another one; no more than that."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def register(app: Flask) -> None:
    app.register_blueprint(pages)
