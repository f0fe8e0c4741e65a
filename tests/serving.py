"""A WSGI app behind a real loopback port, for browsers and for whoever follows redirects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """Requests are the test's business, not its output."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's own signature)
        return


@contextmanager
def served(app: WSGIApplication, *, port: int) -> Iterator[str]:
    """Serve `app` from threads of this process until the block ends; yields its address, without a closing slash."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, name="served", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
