"""Which machines may come in. Tokens are made and revoked in the shell; none is ever shown again."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from portal.web.access import access
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_tokens", __name__, url_prefix="/operator/tokens")


@pages.get("")
@access("operator")
def index() -> Response:
    return render("operator/tokens.html", tokens=services().access.tokens()[::-1])


def register(app: Flask) -> None:
    app.register_blueprint(pages)
