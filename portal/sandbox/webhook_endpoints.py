"""Reading webhook endpoints: https://docs.stripe.com/api/webhook_endpoints

There are the two that the sandbox delivers to, or none. Which is for connected accounts is shown by its application.
"""

from __future__ import annotations

from portal.sandbox.events import API_VERSION
from portal.sandbox.state import Call
from portal.sandbox.store import Document

_APPLICATION = "ca_sandbox"


def list_endpoints(call: Call) -> Document:
    """`GET /v1/webhook_endpoints`: always one page."""
    url = call.sandbox.config.webhook_url
    data = [] if url is None else [_endpoint(url, "connect"), _endpoint(url, "platform")]
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/webhook_endpoints"}


def _endpoint(url: str, scope: str) -> Document:
    return {
        "id": f"we_sandbox_{scope}",
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": _APPLICATION if scope == "connect" else None,
        "created": 1_700_000_000,
        "description": None,
        "enabled_events": ["*"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
