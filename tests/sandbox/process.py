"""The stand-in as a process of its own, who listens to its webhooks, and a client of its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.stripe_description import conversation

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "sk_test_of_the_process_0123456789"
PATIENCE_SECONDS = 30
WEBHOOK_SECRETS = {"platform": "whsec_process_platform", "connect": "whsec_process_connect"}


class Listener(ThreadingHTTPServer):
    """Where a process delivers its webhooks; each is checked with the SDK."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Endpoint)

    def wait_for(self, event_type: str, *, account: str | None = None) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for event in list(self.events):
                if event["type"] == event_type and account in (None, event.get("account")):
                    return event
            time.sleep(0.05)
        pytest.fail(f"{event_type} did not arrive; there were {[event['type'] for event in self.events]}")


class _Endpoint(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = json.loads(body)
        conversation.keep(conversation.of_event(event))
        scope = "connect" if "account" in event else "platform"
        try:
            stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], WEBHOOK_SECRETS[scope])
        except stripe.SignatureVerificationError:
            self.send_response(400)
        else:
            self.server.events.append(event)
            self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's own name
        """Say nothing."""


@contextmanager
def running(*arguments: str, webhook_port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A sandbox as a process of its own; its address and the process."""
    environment = {
        **os.environ,
        "SANDBOX_SECRET_KEY": KEY,
        "SANDBOX_PLATFORM_WEBHOOK_SECRET": WEBHOOK_SECRETS["platform"],
        "SANDBOX_CONNECT_WEBHOOK_SECRET": WEBHOOK_SECRETS["connect"],
        "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{webhook_port}/webhooks/stripe",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.sandbox", "--port", "0", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removesuffix("/sandbox/"), process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


class _Listening(stripe.RequestsClient):
    """Holds what is asked and answered over the network against Stripe's description, as in process."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        conversation.keep(conversation.of_request(method, url, post_data))
        text, status, answered = super().request(method, url, headers, post_data, **more)
        conversation.keep(conversation.of_answer(method, url, status, str(text)))
        return text, status, answered


def client_of(address: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        KEY,
        base_addresses={"api": address},
        http_client=_Listening(timeout=10),
        max_network_retries=2,
    )
