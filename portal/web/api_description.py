"""What the API takes and answers, as OpenAPI 3.1: data alone. Tests hold every answer of the API against it.

https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from collections.abc import Mapping

from portal.domain.payouts import PayoutStatus
from portal.services.tokens import Scope
from portal.version import VERSION
from portal.web.api_schemas import (
    CODE,
    ID,
    MOMENT,
    MOST_PAYOUTS,
    REFERENCE,
    SCHEMAS,
    USUAL_PAYOUTS,
    Described,
    ref,
    text_of,
)

_ABOUT = """Amounts are integers in minor units of an ISO 4217 currency in lower case, as Stripe counts them; times are
RFC 3339 in UTC. Every error is a problem document (RFC 9457) whose `code` is the stable word to branch on. What is not
described is refused, never passed over. All writes may be sent again: the same again changes nothing."""


def _json(name: str, example: object) -> Described:
    return {"application/json": {"schema": ref(name), "example": example}}


_BALANCE_EXAMPLE = {"on_hold": 18_000, "available": 41_250, "reserved": 0, "paid_out": 120_000, "owed": 0}
_AFFILIATE_EXAMPLE = {
    "code": "ana", "email": "ana@example.com", "name": "Ana", "country": "US", "stripe_account_id": "acct_1",
    "stripe_account_status": "verified", "stripe_onboarding_complete": True, "preferred_payout_type": "fiat",
    "is_blocked": False, "currency": "usd", "total_earned": 179_250, "created_at": "2026-01-05T12:00:00Z",
    "balance": _BALANCE_EXAMPLE,
}  # fmt: skip
_EARNING_EXAMPLE = {
    "reference": "order-1", "affiliate_code": "ana", "amount": 1_250, "currency": "usd",
    "occurred_at": "2026-01-05T12:00:00+01:00", "description": "Order 1",
}  # fmt: skip
_REFUND_EXAMPLE = {"reference": "refund-1", "amount": 500, "reason": "Returned"}
_PAYOUT_EXAMPLE = {
    "id": "0190b6f0-0000-7000-8000-000000000000", "affiliate_code": "ana", "status": "paid", "hold_reason": None,
    "amount": 41_250, "currency": "usd", "amount_reversed": 0, "transfer_id": "tr_1",
    "created_at": "2026-11-21T14:02:00Z", "paid_at": "2026-11-21T15:00:00Z",
}  # fmt: skip
_RUN_EXAMPLE = {
    "id": _PAYOUT_EXAMPLE["id"], "trigger": "machine", "started_at": "2026-11-21T14:02:00Z", "finished_at": None,
    "checked": 12, "changed": 1, "unchanged": 11, "errors": 0, "webhooks_missed": 0,
}  # fmt: skip

#: What may come instead of success, by status; anything else is a problem document too.
_PROBLEMS = {
    400: "The body is not JSON, or no JSON object.",
    401: "There is no token, or it is unknown or was revoked.",
    403: "The token was made without the scope that this needs.",
    404: "There is no such thing.",
    409: "The reference is known with other content; nothing was written.",
    413: "The body is larger than 8 MiB.",
    415: "The body is not sent as JSON.",
    422: "Values can't be taken; `errors` names each by where it stands, and nothing was written.",
}
_BODY = (400, 413, 415, 422)


def _path(name: str, schema: Described) -> Described:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, schema: Described, description: str = "") -> Described:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _operation(
    name: str,
    summary: str,
    *,
    scope: Scope | None,
    answers: Mapping[int, tuple[str, Described]],
    problems: tuple[int, ...] = (),
    body: Described | None = None,
    parameters: tuple[Described, ...] = (),
) -> Described:
    refused = sorted({401, *([403] if scope else []), *problems})
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"token": [scope.value] if scope else []}],
        **({"parameters": [*parameters]} if parameters else {}),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": {
            **{
                str(status): {"description": said, "content": content}
                for status, (said, content) in answers.items()
            },
            **{str(status): ref(f"Problem{status}", "responses") for status in refused},
            "default": ref("Problem", "responses"),
        },
    }


def _problem(said: str) -> Described:
    return {"description": said, "content": {"application/problem+json": {"schema": ref("Problem")}}}


_WHO, _AFFILIATE = _path("code", CODE), _json("Affiliate", _AFFILIATE_EXAMPLE)
_REVERSAL = _json("Reversal", _REFUND_EXAMPLE | {"earning": "order-1"})

_PATHS: Described = {
    "/affiliates/{code}": {
        "get": _operation(
            "getAffiliate", "One affiliate and their balance", scope=Scope.affiliates_read, parameters=(_WHO,),
            answers={200: ("The affiliate.", _AFFILIATE)}, problems=(404,),
        ),
        "put": _operation(
            "putAffiliate", "Create or update an affiliate", scope=Scope.affiliates_write, parameters=(_WHO,),
            body=_json("AffiliateData", {"email": "ana@example.com", "name": "Ana", "currency": "usd"}),
            answers={200: ("Updated.", _AFFILIATE), 201: ("Created.", _AFFILIATE)}, problems=_BODY,
        ),
    },
    "/earnings": {
        "post": _operation(
            "postEarnings", "Credit earnings, all or none", scope=Scope.earnings_write,
            body=_json("Earnings", {"earnings": [_EARNING_EXAMPLE]}),
            answers={200: ("Each by its reference.", _json(
                "EarningResults", {"results": [{"reference": "order-1", "status": "created"}]}
            ))},
            problems=(*_BODY, 409),
        ),
    },
    "/earnings/{reference}/reversals": {
        "post": _operation(
            "postReversal", "Take an earning back, in part or whole", scope=Scope.earnings_write,
            parameters=(_path("reference", REFERENCE),), body=_json("ReversalData", _REFUND_EXAMPLE),
            answers={200: ("It was known.", _REVERSAL), 201: ("Written down.", _REVERSAL)},
            problems=(*_BODY, 404, 409),
        ),
    },
    "/payouts": {
        "get": _operation(
            "listPayouts", "Payouts by filter, newest first", scope=Scope.payouts_read,
            parameters=(
                _query("affiliate_code", text_of(64, least=1)),
                _query("status", {"enum": [each.value for each in PayoutStatus]}),
                _query("created_after", MOMENT, "With its offset."),
                _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_PAYOUTS, "default": USUAL_PAYOUTS}),
                _query("cursor", text_of(64, least=1), "`next_cursor` of the page before, as it was."),
            ),
            answers={200: ("A page.", _json("PayoutPage", {"data": [_PAYOUT_EXAMPLE], "next_cursor": None}))},
            problems=(422,),
        ),
    },
    "/payouts/{payout_id}": {
        "get": _operation(
            "getPayout", "One payout", scope=Scope.payouts_read, parameters=(_path("payout_id", ID),),
            answers={200: ("The payout.", _json("Payout", _PAYOUT_EXAMPLE))}, problems=(404,),
        ),
    },
    "/verification-runs": {
        "post": _operation(
            "startVerificationRun", "Have Stripe asked about every account", scope=Scope.verification_run,
            answers={202: ("Written down; asked again while it lasts, it is the same run.", _json(
                "VerificationRunAccepted", {"id": _RUN_EXAMPLE["id"]}
            ))},
        ),
    },
    "/verification-runs/{run_id}": {
        "get": _operation(
            "getVerificationRun", "A run's tally so far", scope=Scope.verification_run,
            parameters=(_path("run_id", ID),),
            answers={200: ("The tally.", _json("VerificationRun", _RUN_EXAMPLE))}, problems=(404,),
        ),
    },
    "/openapi.json": {
        "get": _operation(
            "getDescription", "This description", scope=None,
            answers={200: ("OpenAPI 3.1.", {"application/json": {"schema": {"type": "object"}}})},
        ),
    },
}  # fmt: skip


def description(*, title: str, address: str) -> Described:
    """The whole description, for a portal of that name at that address."""
    scheme = {"type": "http", "scheme": "bearer", "description": "A token without named scopes has all."}
    return {
        "openapi": "3.1.1",
        "info": {"title": title, "version": VERSION, "description": " ".join(_ABOUT.split())},
        "servers": [{"url": f"{address}/api/v1"}],
        "security": [{"token": []}],
        "paths": _PATHS,
        "components": {
            "securitySchemes": {"token": scheme},
            "schemas": SCHEMAS,
            "responses": {f"Problem{status}": _problem(said) for status, said in _PROBLEMS.items()}
            | {"Problem": _problem("Anything else that went wrong.")},
        },
    }
