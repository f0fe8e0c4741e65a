"""Which machines may come in: making tokens, each shown once and never again, and revoking them."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import InvalidInput, PortalError
from portal.domain.roles import Act
from portal.services.tokens import Scope, is_in_use
from portal.web.access import access, cause
from portal.web.forms import problems_of
from portal.web.kept_forms import typed_fields
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_tokens", __name__, url_prefix="/operator/tokens")

_SCOPE_WORDS = {
    Scope.affiliates_read: "Read affiliates and their balances",
    Scope.affiliates_write: "Make and change affiliates",
    Scope.earnings_write: "Post earnings and refunds",
    Scope.payouts_read: "Read payouts",
    Scope.verification_run: "Start verifications",
}

#: What the form offers; the shell takes any number of days.
_EXPIRY_WORDS = {"30": "After 30 days", "90": "After 90 days", "365": "After a year", "": "Never"}
_USUAL_EXPIRY = "365"


@pages.get("")
@access("operator")
def index() -> Response:
    return _page()


@pages.post("")
@access("operator", act=Act.manage_tokens, form_at="operator_tokens.index")
def create() -> Response:
    """The answer itself shows the token, as the only one ever: no address leads to it again."""
    name = request.form.get("name", "").strip()
    try:
        token = services().access.create_token(
            name, request.form.getlist("scope"), expires_days=_expires_days(), cause=cause()
        )
    except PortalError as refusal:
        return _page(refusal)
    return render("operator/tokens/made.html", name=name, token=token)


@pages.post("/revoke")
@access("operator", act=Act.manage_tokens, form_at="operator_tokens.index")
def revoke() -> AnyResponse:
    """The field `revoked` names the token."""
    name = request.form.get("revoked", "")
    services().access.revoke_token(name, cause=cause())
    flash(f"{name} opens nothing any more.", "verified")
    return redirect(url_for("operator_tokens.index"), 303)


def _page(refusal: PortalError | None = None) -> Response:
    typed, now = typed_fields(), services().clock.real_now()
    return render(
        "operator/tokens/index.html",
        status=refusal.status if refusal else 200,
        tokens=[(token, is_in_use(token, now)) for token in services().access.tokens()[::-1]],
        scopes=_SCOPE_WORDS,
        expiries=_EXPIRY_WORDS,
        typed_name=typed.get("name", ""),
        typed_scopes=typed.getlist("scope"),
        typed_expiry=typed.get("expires_days", _USUAL_EXPIRY),
        problems=problems_of(refusal) if refusal else {},
    )


def _expires_days() -> int | None:
    text = request.form.get("expires_days", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise InvalidInput([("expires_days", "Choose when it ends.")])
    return int(text)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
