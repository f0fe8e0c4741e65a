"""What may need a person: what each need is called and where it is dealt with, on the page and in the daily mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Need(StrEnum):
    """What may need a person; a card of the page, a line of the daily mail, a sample of the metrics."""

    halted = "halted"
    payout_run = "payout-run"
    """The last run sent none of many."""
    webhooks = "webhooks"
    requested = "requested"
    by_hand = "by-hand"
    held = "held"
    processing = "processing"
    parked_payouts = "parked-payouts"
    failed = "failed"
    parked = "parked"
    differences = "differences"
    stuck = "stuck"
    restricted = "restricted"
    blocked = "blocked"
    shared_banks = "shared-banks"
    refused_accounts = "refused-accounts"
    short = "short"
    """Currencies in which the balance does not cover what is approved."""
    nightly = "nightly"
    """The nightly verification was missed."""
    mail = "mail"
    """Mail that could not be delivered."""


@dataclass(frozen=True)
class NeedPlace:
    """What a need is called, and the page where it is dealt with."""

    words: str
    path: str
    is_count: bool = True
    """Whether how many there are is worth saying."""


_QUEUE, _AFFILIATES, _OVERVIEW = "/operator/payouts", "/operator/affiliates", "/operator/"

PLACES: Mapping[Need, NeedPlace] = {
    Need.halted: NeedPlace("Sending is stopped", _OVERVIEW, is_count=False),
    Need.payout_run: NeedPlace(
        "None of the last run's payouts was sent", "/operator/payouts/run", is_count=False
    ),
    Need.webhooks: NeedPlace("Webhooks do not arrive as they should", "/operator/webhooks", is_count=False),
    Need.requested: NeedPlace("Waiting for approval", f"{_QUEUE}?status=requested"),
    Need.by_hand: NeedPlace("Approved, to be paid by hand", f"{_QUEUE}?status=approved"),
    Need.held: NeedPlace("Payouts on hold", f"{_QUEUE}?status=held"),
    Need.processing: NeedPlace("Sent, outcome not known yet", f"{_QUEUE}?status=processing"),
    Need.parked_payouts: NeedPlace("Payouts that could not be sent", f"{_QUEUE}?parked=yes"),
    Need.failed: NeedPlace("Payouts that Stripe refused, last 7 days", f"{_QUEUE}?status=failed"),
    Need.parked: NeedPlace("Events that could not be worked on", "/operator/webhooks?state=parked"),
    Need.differences: NeedPlace("Differences between books and Stripe", "/operator/reconciliation"),
    Need.stuck: NeedPlace("Stuck in pending over 7 days", f"{_AFFILIATES}?flag=stuck"),
    Need.restricted: NeedPlace("Restricted with money", f"{_AFFILIATES}?status=restricted&flag=with_balance"),
    Need.blocked: NeedPlace("Blocked affiliates", f"{_AFFILIATES}?flag=blocked"),
    Need.shared_banks: NeedPlace("Affiliates who share a bank account", f"{_AFFILIATES}?flag=shared_bank"),
    Need.refused_accounts: NeedPlace("Affiliates whom Stripe refuses an account", _OVERVIEW),
    Need.short: NeedPlace("Currencies in which the balance does not suffice", "/operator/payouts/run"),
    Need.nightly: NeedPlace("The nightly verification was missed", "/operator/verification", is_count=False),
    Need.mail: NeedPlace("Mail that could not be delivered, last 7 days", _OVERVIEW),
}
