"""The self-test, over real HTTP: what Stripe is set up to send, and whether a signed event arrives and is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, Response

from portal.config import Settings, settings_from
from portal.domain.webhook_endpoints import Verdict
from portal.domain.webhooks import fingerprint
from portal.models import WebhookSelfTest
from portal.sandbox.state import Sandbox
from portal.services.journal import Cause
from portal.services.webhook_self_tests import LEFT_BEHIND_AFTER
from portal.wiring import Services, services
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.services.stand_in import StandIn
from tests.serving import served

SECRETS = TEST_SETTINGS["STRIPE_WEBHOOK_SECRETS"].split(",")
TEST = Cause.system("a test")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """HTTP and words are held here; the rows are like those of other requests."""
    return sqlite_url


@pytest.fixture
def settings(database_url: str, port: int) -> Settings:
    """With the address at which the portal is served."""
    address = {"PORTAL_BASE_URL": f"http://127.0.0.1:{port}", "DATABASE_URL": database_url}
    return settings_from({**TEST_SETTINGS, **address})


@pytest.fixture
def wired(portal_app: Flask) -> Iterator[Services]:
    """Its address is not served yet."""
    with portal_app.app_context():
        yield services()


def tells(sandbox: Flask, address: str) -> None:
    """Stripe is set up to send to this address."""
    state: Sandbox = sandbox.extensions["sandbox"]
    object.__setattr__(state.config, "webhook_url", address)


def said(wired: Services) -> dict[str, tuple[str, str]]:
    return {each.subject: (each.verdict.value, each.says) for each in wired.webhook_self_tests.run()}


def test_all_is_fine_where_stripe_sends_everything_to_the_served_address(
    wired: Services, served_portal: str, stand_in: Flask
) -> None:
    tells(stand_in, f"{served_portal}/webhooks/stripe")
    findings = said(wired)
    assert {verdict for verdict, _ in findings.values()} == {"fine"}, findings
    names = ["Your account", "Connected accounts", *(f"Secret {fingerprint(each)}" for each in SECRETS)]
    assert list(findings) == names
    assert wired.stripe_events.process_due() == len(SECRETS)
    assert wired.webhook_health.get().heard == {}


def test_no_endpoint_and_nobody_at_the_address_are_named(wired: Services, port: int) -> None:
    findings = said(wired)
    assert findings["Your account"][0] == findings["Connected accounts"][0] == "wrong"
    verdict, words = findings[f"Secret {fingerprint(SECRETS[0])}"]
    assert verdict == "wrong"
    assert f"Nobody answered at http://127.0.0.1:{port}/webhooks/stripe" in words


def test_a_key_that_may_not_list_endpoints_is_no_fault_and_neither_is_a_silent_stripe(
    wired: Services, stand_in: Flask, served_portal: str
) -> None:
    StandIn(stand_in).fault("400_saved", path="/v1/webhook_endpoints", method="GET", message="Not permitted.")
    verdict, words = said(wired)["Endpoints"]
    assert (verdict, "may not list" in words, "Not permitted." in words) == ("unknown", True, True)
    StandIn(stand_in).fault("401", path="/v1/webhook_endpoints", method="GET")
    assert said(wired)["Endpoints"][0] == "unknown"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "nothing was stored here"),
        (400, "without this secret"),
        (302, "answered 302"),
        (500, "answered 500"),
    ],
)
def test_somebody_else_at_the_address_is_found_out(
    wired: Services, port: int, status: int, words: str
) -> None:
    other = Flask("other")
    other.add_url_rule(
        "/webhooks/stripe",
        view_func=lambda: Response(status=status, headers={"Location": "/elsewhere"}),
        methods=["POST"],
    )
    with served(other, port=port):
        findings = said(wired)
    verdict, says = findings[f"Secret {fingerprint(SECRETS[0])}"]
    assert verdict == "wrong"
    assert words in says


def test_one_that_is_asked_for_is_done_once_by_the_worker(wired: Services, served_portal: str) -> None:
    asked = wired.webhook_self_tests.request(cause=TEST)
    assert wired.webhook_self_tests.request(cause=TEST).id == asked.id
    assert (wired.webhook_self_tests.do_waiting(), wired.webhook_self_tests.do_waiting()) == (1, 0)
    done = wired.webhook_self_tests.newest()
    assert done is not None
    assert done.id == asked.id
    assert [each["verdict"] for each in done.findings or []].count(Verdict.fine) == len(SECRETS)
    assert wired.webhook_self_tests.request(cause=TEST).id != asked.id


def test_one_that_a_dead_worker_took_is_done_by_another(
    wired: Services, served_portal: str, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired.webhook_self_tests.request(cause=TEST)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(wired.webhook_self_tests, "_post", dies)
        with pytest.raises(KeyboardInterrupt):
            wired.webhook_self_tests.do_waiting()
    assert wired.webhook_self_tests.do_waiting() == 0
    clock.advance(seconds=(LEFT_BEHIND_AFTER + timedelta(seconds=1)).total_seconds())
    assert wired.webhook_self_tests.do_waiting() == 1
    newest: WebhookSelfTest | None = wired.webhook_self_tests.newest()
    assert newest is not None
    assert newest.finished_at == clock.real_now()
