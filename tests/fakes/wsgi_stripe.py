"""The real Stripe SDK against a WSGI application in this very process: no socket, no mock."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import stripe
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client

from tests.stripe_description import conversation

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BASE_URL = "http://127.0.0.1:5001"


class WsgiHTTPClient(stripe.HTTPClient):
    """Hands the SDK's requests to an application; a dropped line is the SDK's own connection error.

    Both sides are held against Stripe's own description. A test that asks wrongly on purpose (`may_ask_wrongly`) has to
    be refused.
    """

    name = "wsgi"

    def __init__(self, application: WSGIApplication, *, may_ask_wrongly: bool = False) -> None:
        super().__init__()
        self._client = Client(application)
        self._may_ask_wrongly = may_ask_wrongly

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | bytes | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Answer one request; raises stripe.APIConnectionError where the application hangs up."""
        wrong = conversation.of_request(method, url, post_data)
        if not self._may_ask_wrongly:
            conversation.keep(wrong)
        parts = urlsplit(url)
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            response = self._client.open(
                path=parts.path,
                base_url=f"{parts.scheme}://{parts.netloc}",
                query_string=parts.query,
                method=method.upper(),
                headers=dict(headers or {}),
                data=body,
            )
        except ConnectionError as problem:
            # The SDK leaves its errors' constructors without types.
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                f"Unexpected error communicating with Stripe: {problem}", should_retry=True
            ) from problem
        text, status = response.get_data(as_text=True), response.status_code
        conversation.keep([f"{line}, and was taken" for line in wrong if status == HTTPStatus.OK])
        conversation.keep(conversation.of_answer(method, url, status, text))
        # As with requests, a header is found whatever the case of its name.
        return text, status, CaseInsensitiveDict(response.headers)

    def close(self) -> None:
        """Nothing to close."""


def stripe_client(
    application: WSGIApplication, api_key: str = "sk_test_sandbox", *, max_network_retries: int = 0
) -> stripe.StripeClient:
    """The SDK's client speaking to an application in this process."""
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": BASE_URL},
        http_client=WsgiHTTPClient(application, may_ask_wrongly=True),
        max_network_retries=max_network_retries,
    )
