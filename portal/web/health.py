"""For whoever watches over the process: is it alive, and can it work."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify

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
    reachable = {
        "database": services().is_database_reachable(),
        "broker": services().is_broker_reachable(),
    }
    response = jsonify({"status": "ok" if all(reachable.values()) else "unavailable", **reachable})
    response.status_code = 200 if all(reachable.values()) else 503
    return response


def register(app: Flask) -> None:
    """Add both addresses."""
    app.register_blueprint(pages)
