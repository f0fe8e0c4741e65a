"""The sandbox as one WSGI application."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, request

from portal.sandbox.api import ApiAnswer, ApiRequest, answer
from portal.sandbox.config import SandboxConfig
from portal.sandbox.control import control
from portal.sandbox.onboarding import hosted
from portal.sandbox.overview import overview
from portal.sandbox.provider import identity_provider
from portal.sandbox.state import Sandbox
from portal.sandbox.trouble import trouble

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HANG_UP = "sandbox.hang_up"
_LARGEST_BODY = 1024 * 1024
_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502 Bad Gateway</body></html>\r\n"
)

stripe_api = Blueprint("stripe_api", __name__)


class LineDropped(ConnectionError):
    """The stand-in hung up without an answer; a server closes the connection, an in-process caller sees this."""


def create_sandbox(config: SandboxConfig) -> Flask:
    """One stand-in for Stripe with its hosted pages and an identity provider.

    `app.extensions["sandbox"]` is its Sandbox. Nothing runs in the background; see `heartbeat` for that.
    """
    app = Flask(
        __name__, template_folder="templates", static_folder="static", static_url_path="/sandbox/static"
    )
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    app.extensions["sandbox"] = Sandbox(config)
    app.add_template_filter(_moment, "moment")
    for blueprint in (stripe_api, hosted, overview, trouble, control, identity_provider(app, config)):
        app.register_blueprint(blueprint)
    app.after_request(_finish)
    # Flask types this attribute as a method, and documents wrapping it like this.
    app.wsgi_app = _DropsLines(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %H:%M:%S UTC")


@stripe_api.route("/v2/<path:rest>", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
@stripe_api.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
def stripe_endpoint(rest: str) -> Response:
    """Whatever the SDK asks."""
    reply = answer(
        current_app.extensions["sandbox"],
        ApiRequest(
            method=request.method,
            path=request.path,
            query=request.query_string,
            body=request.get_data(),
            authorization=request.headers.get("Authorization"),
            account=request.headers.get("Stripe-Account"),
            idempotency_key=request.headers.get("Idempotency-Key"),
        ),
    )
    if reply.hang_up:
        request.environ[_HANG_UP] = reply.hang_up
    return _rendered(reply)


def _rendered(reply: ApiAnswer) -> Response:
    if reply.garbled == "html":
        return Response(_GATEWAY_PAGE, status=502, content_type="text/html")
    text = json.dumps(reply.body, indent=2)
    if reply.garbled == "truncated":
        text = text[: len(text) // 2]
    return Response(text, status=reply.status or 200, headers=reply.headers, content_type="application/json")


def _finish(response: Response) -> Response:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    if sandbox.config.deliver_at_once:
        sandbox.webhooks.deliver_due()
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


class _DropsLines:
    """Ends the connection without an answer where a fault asks for it."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun: list[tuple[Any, ...]] = []

        def hold(*arguments: Any) -> Callable[[bytes], object]:
            begun.append(arguments)
            return lambda _chunk: None

        body = self._application(environ, hold)
        how = environ.get(_HANG_UP)
        if how is None:
            start_response(*begun[-1])
            return body
        if how == "reset":
            _reset(environ.get("werkzeug.socket"))
        raise LineDropped("the stand-in hung up without an answer")


def _reset(connection: socket.socket | None) -> None:
    if connection is None:
        return
    # Lingering for zero seconds makes closing send RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
