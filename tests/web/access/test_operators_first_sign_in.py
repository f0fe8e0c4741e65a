"""An operator who signs in for the first time is not asked to become an affiliate."""

from __future__ import annotations

import pytest

from tests.web.access.journey import ADA, Browser


@pytest.mark.settings(PORTAL_OPERATORS=f"sandbox:{ADA}")
def test_an_operators_first_sign_in_ends_on_the_overview(browser: Browser) -> None:
    address = browser.sign_in().location
    seen = [address]
    while (response := browser.portal.get(address)).status_code == 303:
        address = response.location
        seen.append(address)
    assert seen == ["/", "/dashboard", "/operator/"]
    assert "What needs a person" in response.text
    assert "Create my affiliate account" in browser.portal.get("/affiliate").text


def test_anybody_elses_first_sign_in_ends_where_they_can_join(browser: Browser) -> None:
    assert browser.sign_in().location == "/affiliate"
