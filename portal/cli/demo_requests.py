"""The demo's own requests to its portal and its stand-in: JSON over loopback, through no proxy."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 10.0


class DemoRequestError(Exception):
    """A request of the demo's own was not answered as it must be; the text says which."""


def status_of(address: str, path: str) -> int | None:
    """The HTTP status of a page; None if nobody answers."""
    try:
        return _ask("GET", address, path)[0]
    except (OSError, http.client.HTTPException):
        return None


def post(address: str, path: str, *, body: Mapping[str, Any], token: str | None = None) -> None:
    """Send JSON; raises DemoRequestError unless it is accepted."""
    try:
        status, answer = _ask("POST", address, path, body=body, token=token)
    except (OSError, http.client.HTTPException) as problem:
        raise DemoRequestError(f"{address}{path}: {problem}") from problem
    if not 200 <= status < 300:
        raise DemoRequestError(f"{address}{path}: {status} {answer.decode(errors='replace')[:500]}")


def _ask(
    method: str, address: str, path: str, *, body: Mapping[str, Any] | None = None, token: str | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
