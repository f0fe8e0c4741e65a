"""What the host business's systems use: affiliates, earnings, payouts. JSON in, JSON out, errors as problem documents.

Amounts are integers in minor units, times RFC 3339 in UTC.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, jsonify

from portal.domain.errors import NotFound
from portal.domain.ledger import Balances
from portal.domain.money import MAX_AMOUNT
from portal.domain.payouts import PayoutStatus
from portal.models import Affiliate, Payout
from portal.services.affiliates import AffiliateData
from portal.services.refunds import RefundData
from portal.services.tokens import Scope
from portal.web.access import access, cause
from portal.web.api_description import description
from portal.web.api_schemas import CODE_PATTERN, MOST_EARNINGS, MOST_PAYOUTS, USUAL_PAYOUTS
from portal.web.bodies import Members, json_object, parameters
from portal.web.earning_bodies import read_earning
from portal.wiring import services

pages = Blueprint("api", __name__, url_prefix="/api/v1")

_CODE = re.compile(CODE_PATTERN)
_FILTERS = ("affiliate_code", "status", "created_after", "limit", "cursor")


@pages.put("/affiliates/<code>")
@access("api", scope=Scope.affiliates_write)
def put_affiliate(code: str) -> Response:
    """Create (201) or update (200)."""
    body = Members(json_object(), known=("email", "name", "country", "currency"))
    data = AffiliateData(
        email=body.text("email", most=320, optional=True),
        name=body.text("name", most=200, optional=True),
        country=body.text("country", least=2, most=2, optional=True),
        currency=body.text("currency", least=3, most=3, optional=True),
    )
    body.refuse_faults()
    affiliate, is_created = services().affiliates.put(code, data, cause=cause())
    response = _affiliate(affiliate)
    response.status_code = 201 if is_created else 200
    return response


@pages.get("/affiliates/<code>")
@access("api", scope=Scope.affiliates_read)
def get_affiliate(code: str) -> Response:
    """One affiliate and their balance."""
    if not _CODE.fullmatch(code):
        raise NotFound("There is no such affiliate.")
    return _affiliate(services().affiliates.by_code(code))


@pages.post("/earnings")
@access("api", scope=Scope.earnings_write)
def post_earnings() -> Response:
    """Credit 1 to 1,000 earnings, all or none."""
    body = Members(json_object(), known=("earnings",))
    body.refuse_faults()
    items = body.values("earnings", most=MOST_EARNINGS)
    earnings = [read_earning(item, f"earnings.{index}", body.faults) for index, item in enumerate(items)]
    body.refuse_faults()
    results = services().ledger.post_earnings(earnings, cause=cause())
    return jsonify({"results": [{"reference": reference, "status": status} for reference, status in results]})


@pages.post("/earnings/<path:reference>/reversals")
@access("api", scope=Scope.earnings_write)
def post_reversal(reference: str) -> Response:
    """A refund (201); the same again is 200."""
    body = Members(json_object(), known=("reference", "amount", "reason"))
    data = RefundData(
        reference=body.text("reference", least=1, most=255) or "",
        amount=body.integer("amount", least=1, most=MAX_AMOUNT),
        reason=body.text("reason", most=500, optional=True) or "",
    )
    body.refuse_faults()
    refund, is_new = services().refunds.refund(reference, data, cause=cause())
    response = jsonify(
        {
            "reference": refund.reference,
            "earning": reference,
            "amount": refund.amount,
            "reason": refund.reason,
        }
    )
    response.status_code = 201 if is_new else 200
    return response


@pages.get("/payouts")
@access("api", scope=Scope.payouts_read)
def list_payouts() -> Response:
    """Payouts by filter, newest first; `next_cursor` is null on the last page."""
    query = parameters(_FILTERS)
    affiliate_code = query.text("affiliate_code", most=64, least=1, optional=True)
    status = query.text("status", most=32, optional=True)
    if status is not None and status not in set(PayoutStatus):
        query.fault("status", f"A status is one of: {', '.join(PayoutStatus)}.")
    created_after = query.moment("created_after") if query.has("created_after") else None
    limit = _limit(query)
    before = _number(query)
    query.refuse_faults()
    found = services().payouts.search(
        affiliate_code=affiliate_code,
        status=status,
        created_after=created_after,
        limit=limit + 1,
        before=before,
    )
    page = found[:limit]
    next_cursor = _cursor(page[-1][0].number) if len(found) > limit else None
    return jsonify({"data": [_payout(payout, code) for payout, code in page], "next_cursor": next_cursor})


@pages.get("/payouts/<payout_id>")
@access("api", scope=Scope.payouts_read)
def get_payout(payout_id: str) -> Response:
    """One payout."""
    try:
        payout = services().payouts.get(UUID(payout_id))
    except ValueError:
        raise NotFound("There is no such payout.") from None
    return jsonify(_payout(payout, services().affiliates.get(payout.affiliate_id).code))


@pages.get("/openapi.json")
@access("api")
def describe() -> Response:
    """The description of all this, for any token."""
    settings = services().settings
    return jsonify(description(title=settings.name, address=settings.base_url))


def _affiliate(affiliate: Affiliate) -> Response:
    balances = services().ledger.balances(affiliate.id)
    status = affiliate.stripe_account_status
    return jsonify(
        {
            "code": affiliate.code,
            "email": affiliate.email,
            "name": affiliate.name,
            "country": affiliate.country,
            "stripe_account_id": affiliate.stripe_account_id,
            "stripe_account_status": None if status is None else status.value,
            "stripe_onboarding_complete": affiliate.stripe_onboarding_complete,
            "preferred_payout_type": affiliate.preferred_payout_type.value,
            "is_blocked": affiliate.is_blocked,
            "currency": affiliate.currency,
            # not the column: both sides of the sum are of one look at the books
            "total_earned": balances.total_earned.amount,
            "created_at": _moment(affiliate.created_at),
            "balance": _balance(balances),
        }
    )


def _balance(balances: Balances) -> dict[str, int]:
    return {
        "on_hold": balances.on_hold.amount,
        "available": balances.available.amount,
        "reserved": balances.reserved.amount,
        "paid_out": balances.paid_out.amount,
        "owed": balances.owed.amount,
    }


def _payout(payout: Payout, code: str) -> dict[str, object]:
    return {
        "id": str(payout.id),
        "affiliate_code": code,
        "status": payout.status.value,
        "hold_reason": None if payout.hold_reason is None else payout.hold_reason.value,
        "amount": payout.amount,
        "currency": payout.currency,
        "amount_reversed": payout.amount_reversed,
        "transfer_id": payout.transfer_id,
        "created_at": _moment(payout.created_at),
        "paid_at": None if payout.paid_at is None else _moment(payout.paid_at),
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _limit(query: Members) -> int:
    typed = query.text("limit", least=1, most=3, optional=True)
    if typed is None:
        return USUAL_PAYOUTS
    if not re.fullmatch(r"[0-9]{1,3}", typed) or not 1 <= int(typed) <= MOST_PAYOUTS:
        query.fault("limit", f"This must be a whole number from 1 to {MOST_PAYOUTS}.")
        return USUAL_PAYOUTS
    return int(typed)


def _cursor(number: int) -> str:
    """Opaque on purpose: what is in it may change."""
    return base64.urlsafe_b64encode(f"before:{number}".encode()).decode().rstrip("=")


def _number(query: Members) -> int | None:
    typed = query.text("cursor", least=1, most=64, optional=True)
    if typed is None:
        return None
    try:
        plain = base64.b64decode(typed + "=" * (-len(typed) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        plain = ""
    match = re.fullmatch(r"before:([1-9][0-9]{0,17})", plain)
    if match is None:
        query.fault("cursor", "This is no cursor of ours. Send next_cursor of the page before, as it was.")
        return None
    return int(match[1])


def register(app: Flask) -> None:
    """Add the API."""
    app.register_blueprint(pages)
