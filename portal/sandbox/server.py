"""Serving a sandbox over HTTP, to this machine alone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal.sandbox.config import ConfigurationError


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open, as Stripe does, and says nothing about requests that went well."""

    protocol_version = "HTTP/1.1"
    # A kept connection holds a thread; it is let go when nothing comes for this long (seconds).
    timeout = 60

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Close a line that is dropped on purpose; a kept one would leave the caller waiting."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the control API lists the requests."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- Werkzeug's own name
        """Say only what went wrong here; a line that is dropped on purpose is not."""
        if type == "error" and "LineDropped" not in message:
            super().log(type, message, *args)


def loopback(host: str) -> str:
    """The host, if it is this machine's own address; raises ConfigurationError."""
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as problem:
        raise ConfigurationError(f"host: {host} is no address of this machine") from problem
    if not addresses or not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise ConfigurationError(
            f"host: {host} is not a loopback address; the sandbox serves this machine alone"
        )
    return host


def open_server(host: str, port: int, *, make_app: Callable[[str], Flask]) -> tuple[BaseWSGIServer, Flask]:
    """Bind first, then make the application for the address that was bound (port 0 picks a free one).

    Raises ConfigurationError for an address that is not this machine's own, OSError for one that is taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in loopback(host) else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        app = make_app(f"http://{shown}:{bound}")
        server = make_server(
            host, bound, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
    finally:
        # The server listens on a copy of the descriptor.
        listener.close()
    return server, app
