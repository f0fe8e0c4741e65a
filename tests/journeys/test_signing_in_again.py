"""Changing how one is paid asks for a recent sign-in: to the provider's page and back, with JavaScript or without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from portal.models import SignInSession, User
from portal.wiring import db
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town
from tests.journeys.inside import inside


def signed_in_before(town: Town, person: Affiliate, *, minutes: int) -> None:
    """As if the person had signed in so long ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    theirs = sa.select(User.id).where(User.email == person.email)
    with inside(town.portal):
        statement = sa.update(SignInSession).where(SignInSession.user_id.in_(theirs))
        db.session.execute(statement.values(signed_in_at=at))
        db.session.commit()


@pytest.mark.parametrize("kind", ["page", "page_without_scripts"])
def test_after_signing_in_again_the_choice_is_there_and_is_still_to_be_saved(
    town: Town, request: pytest.FixtureRequest, kind: str
) -> None:
    page: Page = request.getfixturevalue(kind)
    ada = Affiliate(page, town.portal, "Ada Lindqvist")
    ada.join()
    signed_in_before(town, ada, minutes=31)
    page.get_by_label("Automatically").check()
    page.get_by_role("button", name="Save preferences").click()
    words = "Sign in again to do this: your last sign-in was 31 minutes ago."
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("link", name="Sign in again with Example ID").click()
    page.get_by_role("button", name=ada.email).click()
    expect(page.get_by_text("You have signed in again. Nothing was done yet.")).to_be_visible()
    expect(page.get_by_label("Automatically")).to_be_checked()
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Automatically")).to_be_checked()
