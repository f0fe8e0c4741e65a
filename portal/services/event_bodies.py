"""What identifies an event of Stripe's: read from its body, snapshot or thin, which proves nothing else.

https://docs.stripe.com/api/events/object and https://docs.stripe.com/api/v2/core/events/object
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from portal.domain.errors import PortalError
from portal.domain.webhooks import WebhookRefusal

#: Longer identifiers are not Stripe's.
LONGEST_ID = 255

#: No event of Stripe's is from outside these years.
_YEARS = range(2010, 2100)

_ACCOUNT_IN_URL = re.compile(r"/v2/core/accounts/([^/?]+)")


class EventIsNotAccepted(PortalError):
    """Not signed by Stripe, or not an event."""

    status = 400
    code = "event_not_accepted"

    def __init__(self, sentence: str, reason: WebhookRefusal = WebhookRefusal.not_an_event) -> None:
        super().__init__(sentence)
        self.reason = reason


def event_of(body: bytes) -> dict[str, Any]:
    """What identifies an event, by the names of its columns; raises EventIsNotAccepted for anything else."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise EventIsNotAccepted("The body is not JSON.") from None
    # compared one by one: what stands there may be unhashable
    if not isinstance(event, dict) or event.get("object") not in ("event", "v2.core.event"):
        raise EventIsNotAccepted("The body is not an event.")
    event_id, kind = _text(event.get("id")), _text(event.get("type"))
    if event_id is None or kind is None:
        raise EventIsNotAccepted("The event has no id or type.")
    is_thin = event["object"] == "v2.core.event"
    thing = _mapping(event.get("related_object") if is_thin else _mapping(event.get("data")).get("object"))
    return {
        "id": event_id,
        "type": kind,
        "object_id": _text(thing.get("id")),
        "account_id": _account_of_thin(event, thing) if is_thin else _text(event.get("account")),
        "api_version": (_text(event.get("api_version")) or "")[:64] or None,
        "is_livemode": event.get("livemode") is True,
        "created_at": _time(event.get("created")),
    }


def plain_type(kind: str) -> str:
    """The type without the mark of a thin event that stands for a snapshot: `v1.account.updated`."""
    return kind.removeprefix("v1.")


def _account_of_thin(event: dict[str, Any], thing: dict[str, Any]) -> str | None:
    """The account that a thin event is about, or else the one in whose context it happened, such as `org_…/acct_…`."""
    if thing.get("type") == "v2.core.account":
        return _text(thing.get("id"))
    in_url = _ACCOUNT_IN_URL.match(_text(thing.get("url")) or "")
    context = (_text(event.get("context")) or "").rpartition("/")[2]
    return (in_url[1] if in_url else None) or context or None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() else None


def _time(value: object) -> datetime | None:
    """Snapshot events carry seconds, thin ones a text."""
    moment = None
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment and moment.year in _YEARS else None
