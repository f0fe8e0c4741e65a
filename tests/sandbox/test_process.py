"""`python -m portal.sandbox` as a process: it starts, serves this machine alone, and ends when it is told to."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from authlib.integrations.requests_client import OAuth2Session

from tests.equipment import stripe_cli

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


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE_SECONDS)


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


def client_of(address: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        KEY,
        base_addresses={"api": address},
        http_client=stripe.RequestsClient(timeout=10),
        max_network_retries=2,
    )


def test_an_approval_reaches_the_portal_by_webhook_a_moment_later(listener: Listener, tmp_path: Path) -> None:
    with running("--approve-after", "0.2", "--data", str(tmp_path), webhook_port=listener.server_port) as (
        base,
        _,
    ):
        assert requests.get(f"{base}/sandbox/healthz", timeout=10).json() == {"status": "ok"}
        client = client_of(base)
        params: Any = {"type": "express", "capabilities": {"transfers": {"requested": True}}}
        account = client.v1.accounts.create(params)
        link = client.v1.account_links.create(
            {
                "account": account.id,
                "type": "account_onboarding",
                "refresh_url": "http://127.0.0.1:5000/stripe/refresh",
                "return_url": "http://127.0.0.1:5000/stripe/return",
            }
        )
        page = requests.get(link.url, timeout=10).text
        visit = page.split('name="visit" value="')[1].split('"')[0]
        requests.post(
            link.url, data={"visit": visit, "outcome": "approve"}, timeout=10, allow_redirects=False
        )
        listener.wait_for("capability.updated", account=account.id)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not client.v1.accounts.retrieve(account.id).payouts_enabled:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.v1.transfers.create({"amount": 500, "currency": "usd", "destination": account.id})
        assert "account" not in listener.wait_for("transfer.created")


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after"])
def test_a_dropped_line_is_settled_by_the_sdks_own_retry(listener: Listener, fault: str) -> None:
    with running(webhook_port=listener.server_port) as (base, process):
        client = client_of(base)
        plan = {"method": "POST", "path_prefix": "/v1/accounts", "fault": fault}
        assert requests.post(f"{base}/sandbox/api/faults", json=plan, timeout=10).status_code == 201
        client.v1.accounts.create({"type": "express"})
        assert len(client.v1.accounts.list().data) == 1
        log = requests.get(f"{base}/sandbox/api/requests", timeout=10).json()["requests"]
        assert [entry["status"] for entry in log[:2]] == [None, 200]
        assert log[1]["replayed"]
        process.terminate()
        _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
        assert complaints == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told_to(listener: Listener, number: signal.Signals) -> None:
    with running(webhook_port=listener.server_port) as (base, process):
        assert requests.get(f"{base}/sandbox/healthz", timeout=10).ok
        process.send_signal(number)
        _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "loopback"),  # noqa: S104 -- it has to be refused
        (("--secret-key", "sk_live_0123456789"), "secret key"),
        (("--approve-after", "soon"), "approve-after"),
        (("--port", "http"), "port"),
        (("--portal-url", "ftp://127.0.0.1"), "portal url"),
        (("--people", "/nowhere.json"), "people"),
    ],
)
def test_what_can_not_work_is_refused_by_name(arguments: tuple[str, ...], words: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "portal.sandbox", "--port", "0", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert answer.returncode == 2
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "sk_live_0123456789" not in answer.stderr


def test_a_client_of_authlib_signs_in_over_the_network(listener: Listener) -> None:
    with running(
        "--client-secret",
        "a-secret",
        "--redirect-uri",
        "http://127.0.0.1:5000/back",
        webhook_port=listener.server_port,
    ) as (base, _):
        metadata = requests.get(f"{base}/oidc/.well-known/openid-configuration", timeout=10).json()
        assert metadata["issuer"] == f"{base}/oidc"
        client = OAuth2Session(
            "portal",
            "a-secret",
            scope="openid email",
            redirect_uri="http://127.0.0.1:5000/back",
            code_challenge_method="S256",
        )
        verifier = secrets.token_urlsafe(48)
        url, _state = client.create_authorization_url(
            metadata["authorization_endpoint"], nonce="n", code_verifier=verifier
        )
        back = requests.post(url, data={"person": "person-ada"}, timeout=10, allow_redirects=False)
        token = client.fetch_token(
            metadata["token_endpoint"],
            authorization_response=back.headers["Location"],
            code_verifier=verifier,
        )
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == "ada@example.com"
        assert token["id_token"]
        client.close()


def test_stripes_own_command_triggers_signed_events(listener: Listener, tmp_path: Path) -> None:
    program = stripe_cli()
    environment = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
    }
    with running(webhook_port=listener.server_port) as (base, _):

        def command(*arguments: str) -> str:
            done = subprocess.run(
                [str(program), *arguments, "--api-base", base, "--api-key", KEY],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        command("trigger", "account.updated")
        listener.wait_for("account.updated")
        command("trigger", "account.application.deauthorized")
        listener.wait_for("account.application.deauthorized")
        command(
            "trigger", "account.updated", "--override", "account:type=express",
            "--override", "account:capabilities[transfers][requested]=true",
            "--override", "update_account:metadata.affiliate_code=ada",
        )  # fmt: skip
        express = client_of(base).v1.accounts.list().data[0]
        assert (express.type, express.to_dict()["metadata"]["affiliate_code"]) == ("express", "ada")
        rejected = json.loads(
            command("post", f"/v1/accounts/{express.id}/reject", "-d", "reason=fraud_other")
        )
        assert rejected["requirements"]["disabled_reason"] == "rejected.platform_fraud"
        refused = json.loads(command("post", f"/v1/accounts/{express.id}", "-d", "payouts_enabled=true"))
        assert refused["error"]["code"] == "parameter_unknown"
