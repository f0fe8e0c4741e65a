"""What is said of webhooks: where they come from, why one is not taken, and when that needs a person."""

from __future__ import annotations

import hashlib
from enum import StrEnum

#: The type of the portal's own event, by which it tries whether its endpoint can be reached. Stripe has none like it.
SELF_TEST_TYPE = "portal.self_test"

#: So few in a day are somebody's scanner.
FEW_REFUSALS = 10

#: So many times a usual day's refusals are a change.
RISEN_TIMES = 3


class WebhookScope(StrEnum):
    """Whose events: each scope needs an endpoint of its own at Stripe."""

    platform = "platform"
    accounts = "accounts"
    """Those of connected accounts."""


class WebhookRefusal(StrEnum):
    """Why something that was sent to the webhook address was not taken."""

    bad_signature = "bad_signature"
    too_old = "too_old"
    from_the_future = "from_the_future"
    not_an_event = "not_an_event"
    """Signed, but not an event."""
    too_large = "too_large"
    other_mode = "other_mode"
    """A live event while the key is a test key, or the other way round: answered 200, not kept."""


def scope_of(account_id: str | None) -> WebhookScope:
    """The scope of an event that names this account, or none."""
    return WebhookScope.platform if account_id is None else WebhookScope.accounts


def fingerprint(secret: str) -> str:
    """By what operators tell signing secrets apart: the first 8 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def have_risen(last_day: int, week_before: int) -> bool:
    """Whether refusals of the last 24 hours are many, and far more than on a usual day of the week before."""
    return last_day >= FEW_REFUSALS and last_day * 7 >= RISEN_TIMES * week_before
