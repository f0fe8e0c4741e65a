"""A sandbox in this process: the real SDK speaks to it, and what it delivers is collected."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient
from stripe import Account

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.sandbox.heartbeat import beat
from tests.fakes.wsgi_stripe import stripe_client
from tests.sandbox.process import PATIENCE_SECONDS, Listener
from tests.stripe_description import conversation

PORTAL = "http://127.0.0.1:5000"
RETURN_URL = f"{PORTAL}/stripe/return"
REFRESH_URL = f"{PORTAL}/stripe/refresh"
PLATFORM_SECRET = "whsec_platform_of_the_test"
CONNECT_SECRET = "whsec_connect_of_the_test"
BEGINNING = 1_790_000_000.0


@dataclass
class Mailbox:
    """Where the sandbox delivers webhooks: each as it came, answered as the test wants."""

    received: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    answer: Callable[[], int] = lambda: 200

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        conversation.keep(conversation.of_event(json.loads(body)))
        self.received.append((url, body, headers))
        return self.answer()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body, _ in self.received]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


@dataclass
class Hands:
    """The sandbox's clock: stands still until it is moved. Epoch seconds, UTC."""

    moment: float = BEGINNING

    def __call__(self) -> float:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += seconds


@dataclass
class Stand:
    """One sandbox with everything a test holds in its hands."""

    app: Flask
    stripe: stripe.StripeClient
    browser: FlaskClient
    mailbox: Mailbox
    hands: Hands

    def control(self, path: str, body: Any = None, *, method: str = "POST") -> dict[str, Any]:
        """Ask the control API, which has to agree."""
        answer = self.browser.open(f"/sandbox/api/{path}", method=method, json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def fault(self, name: str, *, path_prefix: str = "/v1/transfers", **more: Any) -> None:
        """Plan one fault for the next POST."""
        self.control("faults", {"method": "POST", "path_prefix": path_prefix, "fault": name, **more})

    def beat(self) -> None:
        """Let happen what is due."""
        beat(self.app.extensions["sandbox"])

    def express_account(self, **more: Any) -> Account:
        """A new Express account that asked for transfers."""
        params: Any = {
            "type": "express",
            "country": "US",
            "email": "ada@example.com",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"affiliate_code": "ada"},
            **more,
        }
        return self.stripe.v1.accounts.create(params)

    def approved_account(self, **more: Any) -> Account:
        """An Express account that can be paid."""
        account = self.express_account(**more)
        self.control(f"accounts/{account.id}/fate", {"fate": "approve"})
        return self.stripe.v1.accounts.retrieve(account.id)

    def onboarding_link(self, account_id: str) -> str:
        """A fresh account link."""
        link = self.stripe.v1.account_links.create(
            {
                "account": account_id,
                "type": "account_onboarding",
                "refresh_url": REFRESH_URL,
                "return_url": RETURN_URL,
            }
        )
        return link.url

    def onboard(self, account_id: str, outcome: str) -> str:
        """Visit a fresh link and press a button; where the person is sent."""
        url = self.onboarding_link(account_id)
        answer = self.browser.post(
            url, data={"visit": visit_in(self.browser.get(url).text), "outcome": outcome}
        )
        assert answer.status_code == 303
        return str(answer.location)

    def transfer(self, account_id: str, *, amount: int = 500, key: str | None = None, **more: Any) -> Any:
        """One transfer in US dollars."""
        params: Any = {"amount": amount, "currency": "usd", "destination": account_id, **more}
        return self.stripe.v1.transfers.create(params, {"idempotency_key": key} if key else {})

    def transfers(self) -> list[Any]:
        """All transfers there are."""
        return self.stripe.v1.transfers.list({"limit": 100}).data


MakeStand = Callable[..., Stand]


def visit_in(page: str) -> str:
    """The hidden field of an onboarding page."""
    found = re.search(r'name="visit" value="(\w+)"', page)
    assert found is not None
    return found[1]


def new_stand(**more: Any) -> Stand:
    """A sandbox of a test's own."""
    mailbox, hands = Mailbox(), Hands()
    options: dict[str, Any] = {
        "portal_url": PORTAL,
        "webhook_url": f"{PORTAL}/webhooks/stripe",
        "platform_webhook_secret": PLATFORM_SECRET,
        "connect_webhook_secret": CONNECT_SECRET,
        "deliver": mailbox,
        "clock": hands,
        **more,
    }
    app = create_sandbox(SandboxConfig(**options))
    return Stand(app, stripe_client(app), app.test_client(), mailbox, hands)


@pytest.fixture
def make_stand() -> Iterator[MakeStand]:
    """Makes sandboxes that are told something else than usual, and closes them."""
    made: list[Stand] = []

    def make(**more: Any) -> Stand:
        made.append(new_stand(**more))
        return made[-1]

    yield make
    for stand in made:
        stand.app.extensions["sandbox"].store.close()


@pytest.fixture
def stand(make_stand: MakeStand) -> Stand:
    """A sandbox in memory."""
    return make_stand()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Where a stand-in of its own process delivers to."""
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE_SECONDS)
