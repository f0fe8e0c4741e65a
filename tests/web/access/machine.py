"""A machine of the host business, and what it sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

Send = Callable[..., TestResponse]

EARNING: dict[str, Any] = {
    "reference": "order-1",
    "affiliate_code": "ana",
    "amount": 12_50,
    "currency": "usd",
    "occurred_at": "2026-01-05T12:00:00+01:00",
    "description": "Order 1",
}

EMPTY = {"on_hold": 0, "available": 0, "reserved": 0, "paid_out": 0, "owed": 0}


def earnings(*items: dict[str, Any]) -> dict[str, Any]:
    """The body of a request that credits them."""
    return {"json": {"earnings": list(items)}}


def faults(response: TestResponse) -> list[str]:
    """Where the faults are that a 422 names."""
    assert response.status_code == 422, response.text
    assert response.content_type == "application/problem+json"
    return [fault["at"] for fault in (response.get_json() or {})["errors"]]
