"""Static files leave compressed: they are most of what a first visit loads.

Pages leave as they are: a form's secret stands beside what others have written, and a compressed length tells of both
(the attack is called BREACH, https://www.breachattack.com).
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request

#: What compressing makes smaller; the first two are one kind by the names of different systems.
_WORTH_IT = {"text/javascript", "application/javascript", "text/css", "image/svg+xml"}


@lru_cache(maxsize=32)
def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _compress(response: Response) -> Response:
    if request.endpoint != "static":
        return response
    # also where nothing is sent: a cache takes over what “not modified” says, and has the file as it was sent before
    response.vary.add("Accept-Encoding")
    is_worth_it = response.status_code == 200 and response.mimetype in _WORTH_IT
    if not is_worth_it or not request.accept_encodings.quality("gzip"):
        return response
    response.direct_passthrough = False
    response.set_data(_gzipped(response.get_data()))
    response.content_encoding = "gzip"
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)  # the same file in other bytes
    return response


def register(app: Flask) -> None:
    app.after_request(_compress)
