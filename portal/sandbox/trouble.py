"""The page on which whoever runs the sandbox plans what is to go wrong; the control API knows the same and more."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from portal.sandbox.disorder import Disorder, DisorderRefused, planned_disorder
from portal.sandbox.faults import Fault, FaultRefused, planned
from portal.sandbox.state import Sandbox
from portal.sandbox.traffic import ENDPOINT_NAMES

trouble = Blueprint("trouble", __name__, url_prefix="/sandbox")


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _number(name: str, *, least: int = 1) -> int:
    text = request.form.get(name, str(least))
    if not text.isdigit() or not least <= int(text) <= 1_000_000:
        raise BadRequest(f"{name} is a number of at least {least}.")
    return int(text)


def _back() -> Response:
    return redirect(url_for("trouble.plans"), 303)


@trouble.get("/trouble")
def plans() -> str:
    """What waits to go wrong, and a form for each sort of it."""
    sandbox = _sandbox()
    return render_template(
        "sandbox/trouble.html",
        faults=list(Fault),
        waiting=[plan.described() for plan in sandbox.faults.waiting],
        disorders=list(Disorder),
        disorder=sandbox.webhooks.disorder.waiting,
        endpoints={name: name in sandbox.webhooks.thin_endpoints for name in ENDPOINT_NAMES},
        is_paused=sandbox.webhooks.paused,
        requests_per_second=sandbox.rate_limit.per_second,
    )


@trouble.post("/trouble/faults")
def plan_fault() -> Response:
    """Fields `fault`, `method`, `path_prefix`, `times`; with `fault` empty nothing goes wrong any more."""
    if not request.form.get("fault"):
        _sandbox().faults.clear()
        return _back()
    names = ("fault", "method", "path_prefix")
    given = {name: request.form[name] for name in names if name in request.form}
    try:
        _sandbox().faults.plan(planned({**given, "times": _number("times")}))
    except FaultRefused as problem:
        raise BadRequest(str(problem)) from problem
    return _back()


@trouble.post("/trouble/disorder")
def plan_disorder() -> Response:
    """Fields `disorder`, `times`, `seconds`; with `disorder` empty events come in order again."""
    webhooks = _sandbox().webhooks
    if not request.form.get("disorder"):
        webhooks.put_in_order()
        return _back()
    numbers = {name: _number(name) for name in ("times", "seconds")}
    try:
        webhooks.disorder.waiting.append(planned_disorder({"disorder": request.form["disorder"], **numbers}))
    except DisorderRefused as problem:
        raise BadRequest(str(problem)) from problem
    return _back()


@trouble.post("/trouble/deliveries")
def change_deliveries() -> Response:
    """Which of the fields `platform`, `connect` (thin) and `paused` are ticked."""
    webhooks = _sandbox().webhooks
    webhooks.paused = "paused" in request.form
    webhooks.thin_endpoints = {name for name in ENDPOINT_NAMES if name in request.form}
    return _back()


@trouble.post("/trouble/rate-limit")
def limit_requests() -> Response:
    """Field `requests_per_second`; 0 for as many as come."""
    _sandbox().rate_limit.per_second = _number("requests_per_second", least=0) or None
    return _back()


@trouble.post("/events/<event_id>/deliver")
def deliver_again(event_id: str) -> Response:
    """Send one event once more, now, freshly signed."""
    try:
        _sandbox().webhooks.redeliver(event_id)
    except KeyError as problem:
        raise NotFound("There is no such event.") from problem
    return redirect(url_for("overview.everything", _anchor="events"), 303)
