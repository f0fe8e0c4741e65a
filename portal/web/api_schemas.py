"""What stands in the bodies of the API, as JSON Schema: data alone.

https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.domain.accounts import AccountStatus
from portal.domain.money import MAX_AMOUNT, PAYOUT_CURRENCIES
from portal.domain.payouts import HoldReason, PayoutMethod, PayoutStatus

Described = dict[str, Any]

MOST_EARNINGS = 1_000
MOST_PAYOUTS, USUAL_PAYOUTS = 100, 50
CODE_PATTERN = "[A-Za-z0-9_-]{1,64}"

_TEXT = r"^[^\u0000-\u001f\u007f-\u009f]*$"


def ref(name: str, kind: str = "schemas") -> Described:
    return {"$ref": f"#/components/{kind}/{name}"}


def text_of(most: int, description: str = "", *, least: int = 0) -> Described:
    bounds = {"minLength": least} if least else {}
    return {"type": "string", **bounds, "maxLength": most, "pattern": _TEXT, "description": description}


def _object(properties: Mapping[str, Described], *, required: tuple[str, ...] | None = None) -> Described:
    """Without further members; all of them are required where none are named."""
    names = [*properties] if required is None else [*required]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": names,
        "additionalProperties": False,
    }


def _or_null(schema: Described) -> Described:
    return {"anyOf": [schema, {"type": "null"}]}


_AMOUNT = {"type": "integer", "minimum": 1, "maximum": MAX_AMOUNT, "description": "Minor units."}
_SUM = {"type": "integer", "minimum": 0, "description": "Minor units."}
_CURRENCY = {"type": "string", "enum": sorted(PAYOUT_CURRENCIES)}
_COUNTRY = {"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166-1, in capital letters."}
MOMENT = {"type": "string", "format": "date-time"}
CODE = {"type": "string", "pattern": f"^{CODE_PATTERN}$"}
ID = {"type": "string", "format": "uuid"}
_COUNT = {"type": "integer", "minimum": 0}
REFERENCE = text_of(255, "The host business's own word for it, unique.", least=1)

SCHEMAS: Described = {
    "AffiliateData": _object(
        {"email": text_of(320), "name": text_of(200), "country": _COUNTRY, "currency": _CURRENCY}, required=()
    )
    | {"description": "What is left out stays as it is; the currency is fixed once it is set."},
    "Balance": _object(
        {
            "on_hold": _SUM | {"description": "Earned, and not available before its hold is over."},
            "available": _SUM | {"description": "What a payout may be requested of."},
            "reserved": _SUM | {"description": "In an open payout."},
            "paid_out": _SUM,
            "owed": _SUM | {"description": "Refunds that what comes next pays first."},
        }
    ),
    "Affiliate": _object(
        {
            "code": CODE,
            "email": text_of(320),
            "name": text_of(200),
            "country": _COUNTRY,
            "stripe_account_id": _or_null({"type": "string", "maxLength": 255}),
            "stripe_account_status": {"enum": [*(each.value for each in AccountStatus), None]},
            "stripe_onboarding_complete": {"type": "boolean"},
            "preferred_payout_type": {"enum": [each.value for each in PayoutMethod]},
            "is_blocked": {"type": "boolean"},
            "currency": _CURRENCY,
            "total_earned": {
                "type": "integer",
                "description": "on_hold + available + reserved + paid_out − owed.",
            },
            "created_at": MOMENT,
            "balance": ref("Balance"),
        }
    ),
    "Earning": _object(
        {
            "reference": REFERENCE,
            "affiliate_code": CODE,
            "amount": _AMOUNT,
            "currency": _CURRENCY,
            "occurred_at": MOMENT | {"description": "With its offset; the hold counts from here."},
            "description": text_of(500),
        },
        required=("reference", "affiliate_code", "amount", "currency", "occurred_at"),
    ),
    "Earnings": _object(
        {"earnings": {"type": "array", "items": ref("Earning"), "minItems": 1, "maxItems": MOST_EARNINGS}}
    ),
    "EarningResults": _object(
        {
            "results": {
                "type": "array",
                "items": _object({"reference": REFERENCE, "status": {"enum": ["created", "duplicate"]}}),
            }
        }
    ),
    "ReversalData": _object(
        {"reference": REFERENCE, "amount": _AMOUNT, "reason": text_of(500)}, required=("reference", "amount")
    ),
    "Reversal": _object(
        {"reference": REFERENCE, "earning": REFERENCE, "amount": _AMOUNT, "reason": text_of(500)}
    ),
    "Payout": _object(
        {
            "id": ID,
            "affiliate_code": CODE,
            "status": {"enum": [each.value for each in PayoutStatus]},
            "hold_reason": {"enum": [*(each.value for each in HoldReason), None]},
            "amount": _AMOUNT,
            "currency": _CURRENCY,
            "amount_reversed": _SUM,
            "transfer_id": _or_null({"type": "string", "maxLength": 255}),
            "created_at": MOMENT,
            "paid_at": _or_null(MOMENT),
        }
    ),
    "PayoutPage": _object(
        {
            "data": {"type": "array", "items": ref("Payout"), "maxItems": MOST_PAYOUTS},
            "next_cursor": _or_null({"type": "string"}) | {"description": "Null on the last page."},
        }
    ),
    "VerificationRunAccepted": _object({"id": ID}),
    "VerificationRun": _object(
        {
            "id": ID,
            "trigger": {"enum": ["timetable", "shell", "operator", "machine"]},
            "started_at": MOMENT,
            "finished_at": _or_null(MOMENT),
            "checked": _COUNT | {"description": "Accounts that Stripe gave an answer about."},
            "changed": _COUNT,
            "unchanged": _COUNT,
            "errors": _COUNT,
            "webhooks_missed": _COUNT | {"description": "Changes that no event had announced."},
        }
    ),
    "Problem": {
        "type": "object",
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "A sentence for people."},
            "code": {"type": "string", "pattern": "^[a-z_]+$"},
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": _object({"at": {"type": "string"}, "message": {"type": "string"}}),
                "description": "Each fault by where it stands, such as `earnings.3.amount`.",
            },
        },
        "required": ["type", "title", "status", "detail", "code"],
        "additionalProperties": False,
    },
}
