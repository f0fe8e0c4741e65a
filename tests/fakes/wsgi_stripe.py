"""The real Stripe SDK against a WSGI application in this very process: no socket, no mock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import stripe
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BASE_URL = "http://127.0.0.1:5001"


class WsgiHTTPClient(stripe.HTTPClient):
    """Hands the SDK's requests to an application; a dropped line is the SDK's own connection error."""

    name = "wsgi"

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__()
        self._client = Client(application)

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
        # As with requests, a header is found whatever the case of its name.
        return response.get_data(as_text=True), response.status_code, CaseInsensitiveDict(response.headers)

    def close(self) -> None:
        """Nothing to close."""


def stripe_client(
    application: WSGIApplication, api_key: str = "sk_test_sandbox", *, max_network_retries: int = 0
) -> stripe.StripeClient:
    """The SDK's client speaking to an application in this process."""
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": BASE_URL},
        http_client=WsgiHTTPClient(application),
        max_network_retries=max_network_retries,
    )
