"""Where Stripe's events arrive: stored durably before the 200, worked on by the worker."""

from __future__ import annotations

import sys

from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ServiceUnavailable

from portal.services.stripe_events import LARGEST_BODY_BYTES
from portal.web.access import access
from portal.wiring import services

webhooks = Blueprint("webhooks", __name__)


@webhooks.post("/webhooks/stripe")
@access("stripe")
def receive() -> Response:
    """200 once the event is stored, 400 if it is not one of Stripe's, 503 if it can't be stored, so that Stripe
    sends it again."""
    body = _body()
    try:
        is_new = services().stripe_events.receive(body, request.headers.get("Stripe-Signature", ""))
    except SQLAlchemyError as problem:
        raise ServiceUnavailable("The event could not be stored. Send it again.") from problem
    if is_new:
        services().look_at_events()
    return Response("stored\n", mimetype="text/plain")


def _body() -> bytes:
    """The raw body, of which the signature was made; of a larger one than an event may be, one byte more than that."""
    request.max_content_length = sys.maxsize  # what is larger is answered like all that is not taken
    return request.stream.read(LARGEST_BODY_BYTES + 1)


def register(app: Flask) -> None:
    """Add the address."""
    app.register_blueprint(webhooks)
