"""Verification runs for the host business's systems: ask for one, as a cron elsewhere would, and read its tally."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, jsonify

from portal.domain.errors import NotFound
from portal.services.tokens import Scope
from portal.web.access import access, cause
from portal.wiring import services

pages = Blueprint("api_verification", __name__, url_prefix="/api/v1/verification-runs")


@pages.post("")
@access("api", scope=Scope.verification_run)
def start() -> Response:
    """202: it is written down and the worker does it; asked again while it lasts, it is the same run."""
    run = services().requested_runs.request(cause=cause())
    services().sweep_soon()
    response = jsonify({"id": str(run.id)})
    response.status_code = 202
    return response


@pages.get("/<run_id>")
@access("api", scope=Scope.verification_run)
def show(run_id: str) -> Response:
    """The tally so far; `finished_at` is null while the run lasts."""
    try:
        run = services().requested_runs.get(UUID(run_id))
    except ValueError:
        raise NotFound("There is no such verification run.") from None
    return jsonify(
        {
            "id": str(run.id),
            "trigger": run.trigger,
            "started_at": _moment(run.started_at),
            "finished_at": None if run.finished_at is None else _moment(run.finished_at),
            "checked": run.checked,
            "changed": run.changed,
            "unchanged": run.unchanged,
            "errors": run.errors,
            "webhooks_missed": run.webhooks_missed,
        }
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def register(app: Flask) -> None:
    """Add both addresses."""
    app.register_blueprint(pages)
