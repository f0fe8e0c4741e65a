"""The sandbox's pages in a real browser: without scripts, readable by everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from tests.browser import violations
from tests.fakes.wsgi_stripe import stripe_client
from tests.sandbox.conftest import Hands, Mailbox, Stand
from tests.serving import served


@pytest.fixture
def served_stand(port: int) -> Iterator[Stand]:
    """A sandbox behind a real address; the portal's pages are its own overview."""
    address = f"http://127.0.0.1:{port}"
    hands = Hands()
    app = create_sandbox(SandboxConfig(base_url=address, portal_url=address, clock=hands))
    with served(app, port=port):
        yield Stand(app, stripe_client(app), app.test_client(), Mailbox(), hands)
    app.extensions["sandbox"].store.close()


def base_of(stand: Stand) -> str:
    return str(stand.app.extensions["sandbox"].config.base_url)


@pytest.mark.parametrize(
    ("outcome", "ending", "payable"),
    [("approve", "?return", True), ("restrict", "?return", False), ("expire", "?refresh", False)],
)
def test_a_person_presses_a_button_and_comes_back(
    served_stand: Stand, page: Page, outcome: str, ending: str, payable: bool
) -> None:
    account = served_stand.express_account()
    overview = f"{base_of(served_stand)}/sandbox/"
    link = served_stand.stripe.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": f"{overview}?refresh",
            "return_url": f"{overview}?return",
        }
    )
    page.goto(link.url)
    assert violations(page) == []
    page.click(f"button[name=outcome][value={outcome}]")
    assert page.url == f"{overview}{ending}"
    assert served_stand.stripe.v1.accounts.retrieve(account.id).payouts_enabled is payable
    page.goto(link.url)
    assert page.url == f"{overview}?refresh"


def test_the_other_pages_can_be_read_by_everybody_too(served_stand: Stand, page: Page) -> None:
    account = served_stand.approved_account()
    served_stand.transfer(account.id)
    served_stand.control(f"accounts/{account.id}/payouts", {"status": "paid"})
    login_link = served_stand.stripe.v1.accounts.login_links.create(account.id).url
    for address in ("/sandbox/", f"/sandbox/accounts/{account.id}", login_link, "/oidc/end_session"):
        page.goto(address if address.startswith("http") else base_of(served_stand) + address)
        assert violations(page) == []


def test_a_person_picks_who_they_are(served_stand: Stand, page: Page) -> None:
    base = base_of(served_stand)
    page.goto(
        f"{base}/oidc/authorize?response_type=code&client_id=portal&scope=openid&state=s&nonce=n"
        f"&redirect_uri={base}/auth/sandbox/callback&code_challenge_method=S256&code_challenge={'a' * 43}"
    )
    assert violations(page) == []
    page.get_by_role("button", name="Ada Affiliate").click()
    page.wait_for_url("**/auth/sandbox/callback?**")
    assert "code=" in page.url
