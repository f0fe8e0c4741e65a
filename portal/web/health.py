"""For whoever watches over the process: is it alive, and can it work."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from portal.domain.webhooks import WebhookScope
from portal.web.access import access
from portal.wiring import services

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@access("public")
def healthz() -> Response:
    """Alive: the process answers."""
    return jsonify({"status": "ok"})


@pages.get("/readyz")
@access("public")
def readyz() -> Response:
    """Ready: what every request needs is reachable; 503 otherwise."""
    reachable: dict[str, object] = {
        "database": services().is_database_reachable(),
        "broker": services().is_broker_reachable(),
    }
    answer = {"status": "ok" if all(reachable.values()) else "unavailable", **reachable}
    if reachable["database"]:
        answer["webhooks"] = _webhooks()
    response = jsonify(answer)
    response.status_code = 200 if all(reachable.values()) else 503
    return response


def _webhooks() -> dict[str, object] | None:
    """How Stripe is heard, for information: a portal that hears nothing still serves its pages."""
    services().webhook_tally.write_what_is_due()
    try:
        facts = services().metrics.get().overview.health.webhooks
    except SQLAlchemyError:  # gone just now, or not migrated yet
        return None
    return {
        "last_event_at": {
            scope.value: facts.heard[scope].isoformat() if scope in facts.heard else None
            for scope in WebhookScope
        },
        "waiting": facts.waiting,
        "parked": facts.parked,
        "refused_last_day": sum(facts.refused.values()),
    }


def register(app: Flask) -> None:
    """Add both addresses."""
    app.register_blueprint(pages)
