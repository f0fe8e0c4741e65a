"""The line between the portal and the stand-in: it can be listened to, cut by death, and lied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.test import Client

from tests.fakes.wsgi_stripe import WsgiHTTPClient

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Answer = tuple[str, int, Mapping[str, str]]


class Killed(BaseException):
    """The process ends here: no code of the portal's handles it."""


class Line(WsgiHTTPClient):
    """The SDK's transport. `watch` sees every request and its idempotency key before it leaves, and then `on_request`,
    which may end the process; `on_answer` may change what comes back or end the process once it has."""

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__(application)
        self.watch: Callable[[str, str, str | None], None] = lambda _method, _path, _key: None
        self.is_quiet_again()

    def is_quiet_again(self) -> None:
        """Nothing happens on it any more."""
        self.on_request: Callable[[str, str], None] = lambda _method, _path: None
        self.on_answer: Callable[[str, str, Answer], Answer] = lambda _method, _path, answer: answer

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | bytes | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> Answer:
        path = urlsplit(url).path
        self.watch(method.upper(), path, (headers or {}).get("Idempotency-Key"))
        self.on_request(method.upper(), path)
        answer = super().request(method, url, headers, post_data, _usage=_usage)
        return self.on_answer(method.upper(), path, answer)

    def speaks_to(self, application: WSGIApplication) -> None:
        """From now on somebody else is at the other end."""
        self._client = Client(application)

    def meanwhile(self, act: Callable[[], object], *, request: int, only: str = "/v1/") -> None:
        """Somebody else is at work while the so many-th request below `only` is about to leave, the first being 1."""
        left = request

        def pause(_method: str, path: str) -> None:
            nonlocal left
            left -= path.startswith(only)
            if left == 0:
                self.is_quiet_again()
                act()

        self.on_request = pause

    def dies_after(self, method: str, path: str) -> None:
        """The process is killed when the next such answer has arrived, before anything reads it."""

        def die(asked_method: str, asked_path: str, answer: Answer) -> Answer:
            if (asked_method, asked_path) != (method, path):
                return answer
            self.on_answer = lambda _method, _path, answer: answer
            raise Killed

        self.on_answer = die

    def dies_before(self, method: str, path: str) -> None:
        """The process is killed when the next such request is about to leave."""

        def die(asked_method: str, asked_path: str) -> None:
            if (asked_method, asked_path) == (method, path):
                self.on_request = lambda _method, _path: None
                raise Killed

        self.on_request = die

    def answers(self, method: str, path: str, answer: tuple[str, int]) -> None:
        """Once, somebody between us and Stripe answers such a request with this text and status."""

        def lie(asked_method: str, asked_path: str, true_answer: Answer) -> Answer:
            if (asked_method, asked_path) != (method, path):
                return true_answer
            self.on_answer = lambda _method, _path, answer: answer
            return (*answer, {})

        self.on_answer = lie
