"""An affiliate on the way through the portal, in a real browser or by plain requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import requests
from playwright.sync_api import Locator, Page, expect

from tests.journeys.running import RunningPortal, eventually

#: Longer ago than an earning's hold.
_LONG_AGO = timedelta(days=60)

#: A page that waits for news asks every 3 or 5 seconds.
_NEWS_MILLISECONDS = 15_000


class Affiliate:
    """Somebody whom nobody knows yet, in front of a browser."""

    def __init__(self, page: Page, portal: RunningPortal, name: str) -> None:
        self.page = page
        self._portal = portal
        self.name = name
        self.email = f"{name.partition(' ')[0].lower()}.{uuid4().hex[:8]}@example.com"

    @property
    def badge(self) -> Locator:
        """The one status badge."""
        return self.page.locator("[data-stripe-account-status]")

    @property
    def payout(self) -> Locator:
        """The payout, on its own page."""
        return self.page.locator("#payout[data-payout-id]")

    @property
    def problems(self) -> Locator:
        """The summary of what is wrong with a form that came back."""
        return self.page.locator("#error-summary")

    @property
    def code(self) -> str:
        """As the dashboard shows it."""
        code = self.page.locator("[data-affiliate-code]").get_attribute("data-affiliate-code")
        assert code
        return code

    def open(self, path: str) -> None:
        self.page.goto(f"{self._portal.address}{path}")

    def sign_in(self) -> None:
        """Through the provider's page, as somebody it has never seen."""
        self.open("/login")
        self.page.get_by_role("link", name="Sign in with Example ID").click()
        expect(self.page).to_have_url(re.compile(re.escape(f"{self._portal.sandbox_address}/oidc/authorize")))
        assert "code_challenge_method=S256" in self.page.url
        self.page.get_by_label("Name", exact=True).fill(self.name)
        self.page.get_by_label("E-mail", exact=True).fill(self.email)
        self.page.get_by_role("button", name="Sign in as someone new").click()

    def signs_in_again(self) -> None:
        """As somebody the provider knows by now."""
        self.page.get_by_role("link", name="Sign in with Example ID").click()
        self.page.get_by_role("button", name=self.email).click()

    def join(self) -> None:
        """Sign in for the first time and create the affiliate account; ends at the preferences."""
        self.sign_in()
        self.page.get_by_role("button", name="Create my affiliate account").click()
        expect(self.page).to_have_url(f"{self._portal.address}/payouts/preferences")

    def set_up_stripe(self) -> None:
        """Press the dashboard's button; ends on Stripe's page."""
        self.open("/dashboard")
        self.page.get_by_role("button", name="Set up Stripe payouts").click()
        self.is_at_stripe()

    def is_at_stripe(self) -> None:
        expect(self.page.get_by_role("heading", name="Set up payouts")).to_be_visible()
        assert self.page.url.startswith(f"{self._portal.sandbox_address}/connect/onboarding/")

    def choose(self, outcome: str) -> None:
        """What becomes of it, on Stripe's page."""
        self.page.locator(f"#outcome-{outcome}").click()

    def has_badge(self, status: str, words: str) -> None:
        """The badge, to the letter, and only once."""
        expect(self.badge).to_have_count(1)
        expect(self.badge).to_have_attribute("data-stripe-account-status", status, timeout=_NEWS_MILLISECONDS)
        expect(self.badge).to_have_text(words)

    def is_verified(self) -> None:
        """Wait until Stripe's yes has come through, as somebody who looks again now and then."""
        self.open("/dashboard")
        eventually(lambda: self._looks_again() == "verified", what="the badge to say verified")

    def turns_verified_by_itself(self) -> None:
        """No reload: what was put into the page's memory is still there afterwards, and it was said aloud."""
        self.page.evaluate("window.stillThere = true")
        self.has_badge("verified", "✓ Verified")
        expect(self.page.get_by_role("heading", name="You're all set")).to_be_visible()
        expect(self.page.locator("#live")).to_have_text("Your Stripe account is now verified.")
        assert self.page.evaluate("window.stillThere") is True

    def becomes_payable(self, token: str, *, amount: int) -> str:
        """Join, earn, and be verified by Stripe; the affiliate's code. `amount` in cents."""
        self.join()
        self.open("/dashboard")
        code = self.code
        earn(self._portal, token, code=code, amount=amount)
        self.set_up_stripe()
        self.choose("approve")
        self.is_verified()
        return code

    def asks_for(self, amount: str) -> None:
        """Type an amount into the form for a payout and send it; what became of it is on the page."""
        self.open("/payouts/new")
        self.page.get_by_label("Amount in USD").fill(amount)
        self.press_request()

    def press_request(self) -> None:
        self.page.get_by_role("button", name="Request payout").click()

    def has_receipt(self) -> str:
        """Wait for the page of the payout that was requested; its reference."""
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(re.compile(r"Payout P-\d+"))
        return heading.inner_text().removeprefix("Payout ")

    def has_payout(self, status: str) -> None:
        """Wait until the payout on the page is in that state; a page that asks by itself needs no reload."""
        expect(self.payout).to_have_attribute("data-payout-status", status, timeout=_NEWS_MILLISECONDS)

    def _looks_again(self) -> str | None:
        self.page.reload()
        return self.badge.get_attribute("data-stripe-account-status")


def earn(portal: RunningPortal, token: str, *, code: str, amount: int) -> None:
    """One earning whose hold has passed, by the API; `amount` in cents."""
    earning = {
        "reference": f"order-{uuid4().hex}",
        "affiliate_code": code,
        "amount": amount,
        "currency": "usd",
        "occurred_at": (datetime.now(UTC) - _LONG_AGO).isoformat(),
        "description": "Annual plan, order 10482",
    }
    answer = portal.api(token, "earnings", {"earnings": [earning]}, method="POST")
    assert [result["status"] for result in answer["results"]] == ["created"]


def signed_in(portal: RunningPortal, subject: str) -> requests.Session:
    """A person of the identity provider, signed in by plain requests."""
    browser = requests.Session()
    authorize = browser.get(f"{portal.address}/login/sandbox", allow_redirects=False, timeout=10).headers[
        "Location"
    ]
    answer = browser.post(authorize, data={"person": subject}, timeout=10)
    assert answer.status_code == 200, answer.text
    return browser


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return found[1]
