"""Blocking an affiliate: a page of its own, which shows what it will do and what they will read before it is done."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import PortalError
from portal.domain.roles import Act
from portal.services.affiliates import LONGEST_TEXT
from portal.web.access import access
from portal.web.forms import problems_of
from portal.web.operator.affiliates import back_to, known
from portal.web.operator.fields import cause_with, form_text
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_blocking", __name__, url_prefix="/operator/affiliates")


@pages.get("/<code>/block")
@access("operator")
def show(code: str) -> Response:
    return _page(code)


@pages.post("/<code>/block")
@access("operator", act=Act.block)
def block(code: str) -> AnyResponse:
    """With the field `preview` nothing is done yet: the page shows what would be."""
    known(code)
    try:
        reason = form_text("reason", missing="Say why; operators and the audit trail keep it.")
        message = form_text("message")
        if request.form.get("preview"):
            return _page(code, is_preview=True)
        services().affiliates.block(code, message=message, cause=cause_with(reason))
    except PortalError as refusal:
        return _page(code, refusal=refusal)
    return back_to(code, f"{code} is blocked.")


def _page(code: str, *, is_preview: bool = False, refusal: PortalError | None = None) -> Response:
    affiliate = known(code)
    return render(
        "operator/affiliates/block.html",
        status=refusal.status if refusal else 200,
        affiliate=affiliate,
        offer=services().offers.of(affiliate.id),
        is_preview=is_preview,
        longest=LONGEST_TEXT,
        typed={name: request.form.get(name, "").strip() for name in ("reason", "message")},
        problems=problems_of(refusal) if refusal else {},
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
