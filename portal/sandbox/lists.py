"""Lists, newest first, with cursors: https://docs.stripe.com/api/pagination"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.sandbox.errors import InvalidParameter, no_such
from portal.sandbox.state import Call
from portal.sandbox.store import Document, public

_LARGEST_PAGE = 100
_USUAL_PAGE = 10


def page(call: Call, kind: str, *, url: str, where: Mapping[str, Any] | None = None) -> Document:
    """One page of a kind of objects, by the call's limit, cursors and `created`."""
    limit = _limit(call.params)
    created = call.params.get("created")
    between = {"gte": created, "lte": created} if isinstance(created, int) else created
    newer_than = _cursor(call, kind, "ending_before")
    found = call.store.select(
        kind,
        where=where,
        created=between,
        before=_cursor(call, kind, "starting_after"),
        after=newer_than,
        limit=limit + 1,
        oldest_first=newer_than is not None,
    )
    shown = found[:limit]
    if newer_than is not None:
        # Read away from the cursor, shown newest first like every list.
        shown.reverse()
    return {
        "object": "list",
        "data": [public(document) for document in shown],
        "has_more": len(found) > limit,
        "url": url,
    }


def _limit(params: dict[str, Any]) -> int:
    limit = params.get("limit", _USUAL_PAGE)
    if limit > _LARGEST_PAGE:
        raise InvalidParameter(
            f"This value must be less than or equal to {_LARGEST_PAGE}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    if limit < 1:
        raise InvalidParameter(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="limit"
        )
    return int(limit)


def _cursor(call: Call, kind: str, name: str) -> int | None:
    identifier = call.params.get(name)
    if identifier is None:
        return None
    place = call.store.place(kind, identifier)
    if place is None:
        raise no_such(kind.replace("_", " "), identifier, param=name, status=400)
    return place
