"""Thin events: what an event destination of Accounts v2 gets instead of a snapshot. They name the account, and say
nothing of it. https://docs.stripe.com/event-destinations
"""

from __future__ import annotations

from datetime import UTC, datetime

from portal.sandbox.store import Document

#: The part of an account by v2 that each capability of v1 stands in.
_CONFIGURATIONS = {"transfers": "recipient", "card_payments": "merchant"}


def thin(event: Document) -> Document | None:
    """The thin form of a recorded event; None for what has none: money, banks, and what is no account's."""
    kind = _kind(event)
    if kind is None:
        return None
    account_id = event["_owner"]
    shown: Document = {
        "id": f"{event['id']}_thin",
        "object": "v2.core.event",
        "type": kind,
        "created": datetime.fromtimestamp(event["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": False,
        "related_object": {
            "id": account_id,
            "type": "v2.core.account",
            "url": f"/v2/core/accounts/{account_id}",
        },
    }
    if event["request"]["idempotency_key"]:
        shown["reason"] = {"type": "request", "request": event["request"]}
    return shown


def _kind(event: Document) -> str | None:
    match event["type"]:
        case "account.updated":
            previous = event["data"].get("previous_attributes", {})
            return f"v2.core.account{'[requirements]' if 'requirements' in previous else ''}.updated"
        case "capability.updated":
            configuration = _CONFIGURATIONS.get(event["data"]["object"]["id"])
            return configuration and (
                f"v2.core.account[configuration.{configuration}].capability_status_updated"
            )
        case "account.application.deauthorized":
            return "v2.core.account.closed"
    return None
