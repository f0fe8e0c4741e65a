"""Posting an event to the portal's own address, by the way that Stripe's take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import requests

#: Stripe waits about as long for an answer.
TIMEOUT_SECONDS = 10


class WebhookPost:
    """Sends to one address. `before_call` is told of every request before it leaves."""

    def __init__(self, *, before_call: Callable[[], None]) -> None:
        self._before_call = before_call

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; a redirect is none that Stripe would follow. Raises OSError if nobody answers."""
        self._before_call()
        answer = requests.post(
            url, data=body, headers=dict(headers), timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return answer.status_code
