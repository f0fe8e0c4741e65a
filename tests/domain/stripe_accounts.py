"""Stripe accounts to try the rules on, as the plain dicts that Stripe sends."""

from __future__ import annotations

from datetime import UTC, datetime

Json = dict[str, object]

#: One moment, as Stripe writes it and as we do.
IN_DECEMBER = 1_797_206_400
DECEMBER_AT = datetime(2026, 12, 14, tzinfo=UTC)


def account(
    changes: Json | None = None,
    *,
    requirements: Json | None = None,
    disabled: str | None = None,
    past_due: int = 0,
    due: int = 0,
    checking: int = 0,
    errors: int = 0,
) -> Json:
    """A healthy account that only receives transfers, but for what the test changes; the numbers say how
    many fields are past due, currently due, being checked, refused."""
    wanted: Json = {
        "disabled_reason": disabled,
        "past_due": ["external_account"] * past_due,
        "currently_due": ["individual.email"] * due,
        "eventually_due": [],
        "pending_verification": ["individual.id_number"] * checking,
        "errors": [{"requirement": "individual.email", "code": "invalid_value_other", "reason": "No."}]
        * errors,
        "current_deadline": None,
    }
    healthy: Json = {
        "id": "acct_1",
        "object": "account",
        "charges_enabled": False,
        "payouts_enabled": True,
        "details_submitted": True,
        "capabilities": {"transfers": "active"},
        "requirements": wanted | (requirements or {}),
        "future_requirements": {},
    }
    return healthy | (changes or {})


def shows(**capabilities: object) -> Json:
    """The change that makes an account show these capabilities."""
    return {"capabilities": capabilities}
