"""An operator in front of a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.running import RunningPortal


class Operator:
    """Olga, whom the installation's settings name."""

    def __init__(self, page: Page, portal: RunningPortal) -> None:
        self.page = page
        self._portal = portal

    def open(self, path: str) -> None:
        self.page.goto(f"{self._portal.address}{path}")

    def sign_in(self) -> None:
        """Through the provider's page; ends at the overview."""
        self.open("/operator/")
        self.page.get_by_role("link", name="Sign in with Example ID").click()
        self.page.get_by_role("button", name="Olga Operator").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Overview")

    def blocks(self, code: str, *, reason: str, message: str) -> None:
        """Block an affiliate, on their page."""
        self.open(f"/operator/affiliates/{code}")
        self.page.get_by_role("link", name="Block this affiliate").click()
        self.page.get_by_label("Reason").fill(reason)
        self.page.get_by_label("Message to the affiliate").fill(message)
        self.page.get_by_role("button", name="See what they will read").click()
        expect(self.page.locator("[data-they-read]")).to_contain_text(message)
        self.page.get_by_role("button", name=f"Block {code}").click()
        expect(self.page.get_by_role("alert").get_by_text(f"{code} is blocked.")).to_be_visible()

    def unblocks(self, code: str) -> None:
        """Take the block back, on the affiliate's page."""
        self.open(f"/operator/affiliates/{code}")
        self.page.get_by_role("button", name=f"Unblock {code}").click()
        expect(self.page.get_by_role("alert").get_by_text(f"{code} is not blocked any more.")).to_be_visible()
