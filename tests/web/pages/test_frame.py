"""What surrounds every page: navigation, htmx's settings, signing out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portal import create_app
from portal.config import PROJECT_ROOT, settings_from
from tests.web.pages.conftest import Partner

PAGES = [
    "/dashboard",
    "/payouts",
    "/payouts/new",
    "/earnings",
    "/statements",
    "/payouts/preferences",
    "/settings",
    "/stripe/status",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_own_title_and_marks_where_one_is(ada: Partner, path: str) -> None:
    page = ada.get(path)
    assert page.status == 200
    assert page.title == f"{page.heading} – Partner portal"
    nav = page.html.one("nav", aria_label="Main")
    assert [link.text for link in nav.all("a")] == [
        "Dashboard",
        "Payouts",
        "Earnings",
        "Statements",
        "Preferences",
        "Settings",
    ]
    assert len(nav.all("a", aria_current=None)) == (path != "/stripe/status")


def test_htmx_keeps_no_money_in_the_browser_and_evaluates_nothing(ada: Partner) -> None:
    config = json.loads(ada.get("/dashboard").html.one("meta", name="htmx-config").attributes["content"])
    assert config["historyCacheSize"] == 0
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    swaps = {each["code"]: each["swap"] for each in config["responseHandling"]}
    assert swaps["409"] is swaps["422"] is True
    assert swaps["204"] is swaps["[45].."] is False


@pytest.mark.parametrize("path", ["/stripe/onboarding", "/stripe/dashboard", "/logout"])
def test_forms_that_leave_the_page_are_not_boosted(verified: Partner, path: str) -> None:
    if path == "/stripe/onboarding":
        verified.meet("due")
        verified.clock.advance(seconds=16)
        verified.post("/stripe/sync")
    form = verified.get("/dashboard").html.one("form", action=path)
    assert form.attributes["hx-boost"] == "false"


def test_a_boosted_link_and_a_step_back_get_the_whole_page(ada: Partner) -> None:
    for header in ("HX-Boosted", "HX-History-Restore-Request"):
        page = ada.get("/stripe/status", headers={"HX-Request": "true", header: "true"})
        assert page.html.all("html")
        assert "HX-Request" in page.response.headers["Vary"]


@pytest.mark.parametrize(
    ("key", "is_announced"), [("sk_test_portal_key", True), ("sk_live_portal_key", False)]
)
def test_a_test_key_in_production_is_announced_on_every_page(
    key: str, is_announced: bool, tmp_path: Path
) -> None:
    settings = settings_from(
        {
            "PORTAL_ENV": "production",
            "SECRET_KEY": "Kq3vT9xZ1mB7nR5sW8yD2fG6hJ4kL0pQ",
            "PORTAL_BASE_URL": "https://portal.example",
            "STRIPE_SECRET_KEY": key,
            "STRIPE_WEBHOOK_SECRETS": "whsec_of_this_test",
            "PORTAL_MAIL_URL": "smtps://mail.example",
            "PORTAL_MAIL_FROM": "payouts@portal.example",
            "PORTAL_OIDC_DEMO_ISSUER": "https://issuer.example",
            "PORTAL_OIDC_DEMO_CLIENT_ID": "portal",
            "PORTAL_OIDC_DEMO_CLIENT_SECRET": "secret",
            "DATABASE_URL": f"sqlite:///{tmp_path}/portal.db",
        }
    )
    page = create_app(settings).test_client().get("/login", base_url="https://portal.example")
    assert page.status_code == 200
    assert ("Test mode" in page.text) is is_announced


def test_the_script_of_ours_stays_small() -> None:
    assert len((PROJECT_ROOT / "static/js/portal.js").read_text().splitlines()) < 60
