"""What `requests` asks at one address, answered by a WSGI application in this very process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class WsgiAdapter(BaseAdapter):
    """A transport of `requests` that ends in an application; it remembers what was asked."""

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__()
        self._client = Client(application, use_cookies=False)
        self.asked: list[str] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer one request; a ConnectionError of the application is one of the network."""
        parts = urlsplit(request.url or "")
        self.asked.append(str(parts.path))
        body = request.body.encode() if isinstance(request.body, str) else request.body
        try:
            answer = self._client.open(
                path=str(parts.path),
                base_url=f"{parts.scheme}://{parts.netloc}",
                query_string=str(parts.query),
                method=request.method or "GET",
                headers=dict(request.headers),
                data=body,
            )
        except ConnectionError as problem:
            raise requests.ConnectionError(str(problem)) from problem
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.get_data()
        response.url = request.url or ""
        response.request = request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def answered_by(application: WSGIApplication, *, at: str) -> Iterator[WsgiAdapter]:
    """Every request below the address `at` goes to the application."""
    adapter = WsgiAdapter(application)
    real = requests.Session.get_adapter

    def get_adapter(self: requests.Session, url: str | bytes) -> BaseAdapter:
        text = url.decode() if isinstance(url, bytes) else url
        return adapter if text.startswith(at) else real(self, text)

    with mock.patch.object(requests.Session, "get_adapter", get_adapter):
        yield adapter
