"""Stopping all sending and letting it go on, from the overview."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import PortalError
from portal.domain.roles import Act
from portal.web.access import access
from portal.web.operator.fields import cause_with, form_text
from portal.web.operator.overview import overview_page
from portal.wiring import services

pages = Blueprint("operator_sending", __name__, url_prefix="/operator/payouts")


@pages.post("/halt")
@access("operator", act=Act.halt)
def halt() -> AnyResponse:
    try:
        services().payout_control.halt(cause=cause_with(form_text("reason", missing="Say why.")))
    except PortalError as refusal:
        return overview_page(refusal)
    return _done("Sending is stopped. What is under way runs out.")


@pages.post("/resume")
@access("operator", act=Act.resume, form_at="operator.overview")
def resume() -> AnyResponse:
    """Only when the books hold and agree with Stripe; both are asked now."""
    try:
        services().payout_control.resume(cause=cause_with(form_text("reason", missing="Say why.")))
    except PortalError as refusal:
        return overview_page(refusal)
    return _done("Sending is on. The books hold and agree with Stripe.")


def _done(words: str) -> AnyResponse:
    flash(words, "verified")
    return redirect(url_for("operator.overview"), 303)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
