"""`python -m portal.sandbox` as a process: it starts, serves this machine alone, and ends when it is told to."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from tests.equipment import stripe_cli
from tests.sandbox.process import KEY, PATIENCE_SECONDS, ROOT, Listener, client_of, running


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
