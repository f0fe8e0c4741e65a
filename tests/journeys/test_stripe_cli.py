"""Stripe's own command against the stand-in: what it makes arrives signed, and the portal believes Stripe alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import StripeIsAway
from portal.models import Installation, WebhookEvent
from portal.wiring import db
from tests.equipment import stripe_cli
from tests.journeys.inside import CAUSE, affiliate_with, inside
from tests.journeys.running import STRIPE_KEY, RunningPortal, eventually

#: By then no idempotency key of the day before may be sent again.
A_DAY_LATER_SECONDS = 24 * 3_600 + 300


class StripeCommand:
    """The Stripe CLI with a home of its own, a test key and the stand-in's address; it tells nobody about itself."""

    def __init__(self, api_base: str, home: Path) -> None:
        self._program = stripe_cli()
        self._api_base = api_base
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            # whatever is not the stand-in is out of reach
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        }

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [self._program, *words, "--api-base", self._api_base, "--api-key", STRIPE_KEY],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, '"error"' in done.stdout) == (0, False), done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def stripe(standing_on_sqlite: RunningPortal, tmp_path: Path) -> StripeCommand:
    return StripeCommand(standing_on_sqlite.sandbox_address, tmp_path)


def inbox(account_id: str) -> dict[str, str]:
    """What the portal has received about an account: the state of each event."""
    rows = db.session.execute(
        sa.select(WebhookEvent.id, WebhookEvent.state).where(WebhookEvent.account_id == account_id)
    ).all()
    db.session.rollback()
    return {event_id: state.value for event_id, state in rows}


def delivery_states(standing: RunningPortal) -> set[str]:
    """How the deliveries of all events stand at Stripe."""
    deliveries = standing.control("state", method="GET")["deliveries"]
    return {delivery["state"] for delivery in deliveries}


def installation_id() -> UUID:
    """By which this portal knows its own accounts at Stripe."""
    found = db.session.scalars(sa.select(Installation.id)).one()
    db.session.rollback()
    return found


def test_what_stripes_own_command_triggers_lands_in_the_inbox_once_and_signed(
    standing_on_sqlite: RunningPortal, stripe: StripeCommand
) -> None:
    standing = standing_on_sqlite
    standing.start_portal()
    with inside(standing):
        assert "Trigger succeeded" in stripe("trigger", "account.updated")
        [account] = standing.at_stripe("accounts")
        announced = {
            event["id"] for event in standing.at_stripe("events") if event["type"] == "account.updated"
        }
        assert announced
        eventually(lambda: inbox(account["id"]).keys() == announced, what="the events in the inbox")
        # an event stands in the inbox before Stripe has read the answer to it
        eventually(lambda: delivery_states(standing) == {"delivered"}, what="Stripe to know of it")


def test_an_affiliates_status_is_what_the_account_made_by_stripes_own_command_says(
    standing_on_sqlite: RunningPortal, stripe: StripeCommand
) -> None:
    standing = standing_on_sqlite
    standing.start_portal()
    with inside(standing) as here:
        ada = affiliate_with(here, "ada", amount=10_000)
        # the portal's own request gets lost on its way; a day later it looks at Stripe for the account that it marked
        standing.control(
            "faults", {"method": "POST", "path_prefix": "/v1/accounts", "fault": "timeout_before"}
        )
        with pytest.raises(StripeIsAway):
            here.onboarding.start(ada, cause=CAUSE)
        marks = {"affiliate": "ada", "installation": str(installation_id())}
        marked = [f"--add=account:metadata[{name}]={value}" for name, value in marks.items()]
        stripe("trigger", "account.updated", "--override=account:type=express", *marked)
    [account] = standing.at_stripe("accounts")
    with inside(standing, clock=Clock(A_DAY_LATER_SECONDS)) as here:
        here.onboarding.start(ada, cause=CAUSE)
        affiliate = here.affiliates.get(ada)
        assert (affiliate.stripe_account_id, affiliate.stripe_account_status) == (account["id"], "pending")
        standing.start_worker()
        address = f"/v1/accounts/{account['id']}"

        def has_status(status: str) -> bool:
            return here.affiliates.get(ada).stripe_account_status == status

        # Stripe says yes without a word; what announces it is the change that its own command makes
        standing.control(f"accounts/{account['id']}/fate", {"fate": "approve", "silently": True})
        stripe("post", address, "--data", "metadata[note]=hello")
        eventually(lambda: has_status("verified"), what="the yes to come through")
        stripe("post", f"{address}/reject", "--data", "reason=fraud")
        eventually(lambda: has_status("rejected"), what="the no to come through")
        eventually(
            lambda: set(inbox(account["id"]).values()) == {"processed"}, what="every event to be worked on"
        )
