"""What becomes of Stripe's events, read in the log: one comes twice, one is not signed, one fails and is replayed, and
one never comes and a verification finds what it would have said."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import expect

from portal.domain.errors import NotFound
from portal.models import EventState
from portal.services.stripe_events import TRIES_BEFORE_PARKED
from portal.wiring import Services
from tests.clocks import MovableClock
from tests.journeys.conftest import Town
from tests.journeys.inside import affiliate_with, inside, verified_at_stripe
from tests.journeys.operators import Operator
from tests.journeys.running import eventually


@pytest.fixture
def code(town: Town) -> Iterator[str]:
    """Of an affiliate who is verified, which every event so far has told; Stripe answers again afterwards."""
    code = f"logged-{uuid4().hex[:8]}"
    with inside(town.portal) as here:
        verified_at_stripe(town.portal, here, affiliate_with(here, code, amount=3_000))
        told = events_about(town, code)
        eventually(lambda: all(is_worked_on(here, each) for each in told), what="what was told is worked on")
    yield code
    town.portal.control("faults", method="DELETE")


def events_about(town: Town, code: str) -> list[str]:
    """The ids of the events that say how the affiliate's account stands, the newest last."""
    [account] = town.portal.accounts_of(code)
    events = [each for each in town.portal.at_stripe("events") if each.get("account") == account["id"]]
    return [str(each["id"]) for each in events if each["type"] == "account.updated"]


def state_of(here: Services, event_id: str) -> EventState | None:
    try:
        return here.event_log.get(event_id).state
    except NotFound:
        return None


def is_worked_on(here: Services, event_id: str) -> bool:
    """Or let be, where it came before the account was written down as anybody's."""
    return state_of(here, event_id) in {EventState.processed, EventState.ignored}


def refused(olga: Operator) -> int:
    """How many webhooks the log's page says were refused in the last day."""
    olga.open("/operator/webhooks")
    return sum(int(count.inner_text()) for count in olga.page.locator("[data-refused]").all())


def test_an_event_that_comes_twice_is_one_line_and_one_that_nobody_signed_is_counted_alone(
    olga: Operator, town: Town, code: str
) -> None:
    page, portal = olga.page, town.portal
    [account] = portal.accounts_of(code)
    portal.meet(code, "restrict")
    event = events_about(town, code)[-1]
    portal.control("redeliver", {"event": event, "times": 2})
    with inside(portal) as here:
        eventually(lambda: is_worked_on(here, event), what="the event is worked on")
    olga.open(f"/operator/webhooks?account={account['id']}&type=account.updated")
    expect(page.locator(f"[data-event-id={event}]")).to_have_count(1)
    expect(page.locator(f"[data-event-id={event}]")).to_have_attribute("data-event-state", "processed")
    expect(page.get_by_text("verified → restricted")).to_have_count(1)
    before = refused(olga)
    forged = requests.post(
        f"{portal.address}/webhooks/stripe",
        data=b'{"id": "evt_forged", "object": "event"}',
        headers={"Stripe-Signature": "t=1,v1=00"},
        timeout=10,
    )
    assert forged.status_code == 400
    eventually(lambda: refused(olga) > before, what="the refused one is counted")
    expect(page.locator("[data-event-id=evt_forged]")).to_have_count(0)


def test_an_event_that_failed_is_found_from_the_overview_and_replayed(
    olga: Operator, town: Town, code: str
) -> None:
    page, portal = olga.page, town.portal
    fault = {"fault": "401", "path_prefix": "/v1/accounts", "method": "GET", "times": 10_000}
    portal.control("faults", fault)
    portal.meet(code, "restrict")
    event = events_about(town, code)[-1]
    clock = MovableClock()
    with inside(portal, clock=clock) as here:
        eventually(lambda: state_of(here, event) is not None, what="the event comes in")
        for _ in range(TRIES_BEFORE_PARKED):
            clock.advance(hours=3)
            here.stripe_events.process_due()
    olga.open("/operator/")
    page.get_by_role("link", name="Events that could not be worked on").click()
    page.locator(f"[data-event-id={event}] a").first.click()
    state = page.locator("section[data-event-id]")
    expect(state).to_have_attribute("data-event-state", "parked")
    portal.control("faults", method="DELETE")
    page.get_by_role("button", name="Work on it again").click()
    with inside(portal) as here:
        eventually(lambda: is_worked_on(here, event), what="the event is worked on again")
    page.reload()
    expect(state).to_have_attribute("data-event-state", "processed")
    expect(state).to_contain_text("verified → restricted")


def test_what_no_webhook_told_is_healed_by_a_verification_and_marked(
    olga: Operator, town: Town, code: str
) -> None:
    page, portal = olga.page, town.portal
    portal.meet(code, "restrict", silently=True)
    olga.open("/operator/verification")
    page.get_by_role("button", name="Run it now").click()
    run = page.locator("#verification")
    expect(run).to_have_attribute("data-run-state", "finished", timeout=15_000)
    line = page.locator("[data-finding]", has_text=code)
    expect(line).to_contain_text("Webhook missed")
    expect(line).to_contain_text("restricted")
    assert town.status_of(code) == "restricted"
    page.get_by_role("link", name=code).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(code)
