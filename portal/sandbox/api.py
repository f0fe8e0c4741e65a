"""The way of one API request: key, endpoint, parameters, idempotency, execution, and whatever is to go wrong."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox.endpoints import Endpoint, find
from portal.sandbox.errors import (
    InvalidParameter,
    StripeRefusal,
    account_not_accessible,
    invalid_api_key,
    no_api_key,
    unrecognized_url,
)
from portal.sandbox.events import API_VERSION, Cause, caused_by
from portal.sandbox.expansion import expanded
from portal.sandbox.faults import Fault, PlannedFault
from portal.sandbox.idempotency import KeyUse, SavedAnswer, key_in_use
from portal.sandbox.identifiers import new_secret
from portal.sandbox.parameters import check, parse, parse_json
from portal.sandbox.rate_limit import rate_limited
from portal.sandbox.state import Call, LoggedRequest, Sandbox, accessible


@dataclass(frozen=True)
class ApiRequest:
    """One HTTP request to `/v1/`, as it came."""

    method: str
    path: str
    query: bytes
    body: bytes
    authorization: str | None
    account: str | None
    idempotency_key: str | None


@dataclass
class ApiAnswer:
    """What goes back; `hang_up` says that nothing does, and how the line ends."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: str | None = None
    garbled: str | None = None


@dataclass(frozen=True)
class _Prepared:
    """A request whose key, endpoint and parameters are right."""

    endpoint: Endpoint
    call: Call
    use: KeyUse | None
    request_id: str


_LINE_DROPS = {
    Fault.TIMEOUT_BEFORE: "timeout",
    Fault.TIMEOUT_AFTER: "timeout",
    Fault.RESET_AFTER: "reset",
}
_GARBLED = {
    Fault.TRUNCATED_AFTER: "truncated",
    Fault.HTML_502_BEFORE: "html",
    Fault.HTML_502_AFTER: "html",
}


def answer(sandbox: Sandbox, request: ApiRequest) -> ApiAnswer:
    """Answer one request as Stripe would, or as a planned fault demands."""
    request_id = f"req_{new_secret(14)}"
    logged = LoggedRequest(
        request.method, request.path, {}, request.account, request.idempotency_key, sandbox.now(), request_id
    )
    sandbox.requests.append(logged)
    try:
        reply = _answer(sandbox, request, logged)
    except StripeRefusal as refusal:
        reply = ApiAnswer(refusal.status, refusal.body(), dict(refusal.headers))
    if request.path.startswith("/v2/"):
        reply.body.get("error", {}).pop("param", None)  # v2 names the place in its message alone
    reply.headers.update({"Request-Id": request_id, "Stripe-Version": API_VERSION})
    if request.idempotency_key:
        reply.headers["Idempotency-Key"] = request.idempotency_key
    if request.account:
        reply.headers["Stripe-Account"] = request.account
    logged.status = None if reply.hang_up else reply.status
    return reply


def _answer(sandbox: Sandbox, request: ApiRequest, logged: LoggedRequest) -> ApiAnswer:
    _authenticate(sandbox, request.authorization)
    sandbox.rate_limit.take(sandbox.config.clock())
    found = find(request.method, request.path)
    if found is None:
        raise unrecognized_url(request.method, request.path)
    prepared = _prepare(sandbox, request, logged, *found)
    fault = sandbox.faults.take(request.method, request.path)
    if fault is None:
        return _execute(sandbox, prepared, logged)
    logged.fault = fault.fault.value
    return _go_wrong(sandbox, prepared, logged, fault)


def _authenticate(sandbox: Sandbox, authorization: str | None) -> None:
    scheme, _, credentials = (authorization or "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    elif scheme.lower() != "bearer":
        key = ""
    if not key:
        raise no_api_key()
    if not hmac.compare_digest(key.encode(), sandbox.config.secret_key.encode()):
        raise invalid_api_key(key)


def _prepare(
    sandbox: Sandbox, request: ApiRequest, logged: LoggedRequest, endpoint: Endpoint, ids: dict[str, str]
) -> _Prepared:
    # Everything but a body on POST comes in the query; Stripe takes both together. Only v2 speaks JSON.
    read = parse_json if request.path.startswith("/v2/") else parse
    given = {**parse(request.query), **(read(request.body) if request.body else {})}
    logged.params = given
    if request.account is not None and accessible(sandbox, request.account) is None:
        raise account_not_accessible(sandbox.config.secret_key, request.account)
    params = check(endpoint.operation, given)
    use = None
    if request.method == "POST" and request.idempotency_key:
        scope = f"{sandbox.config.secret_key}|{request.account or ''}"
        use = KeyUse(request.idempotency_key, scope, request.path, given)
    return _Prepared(endpoint, Call(sandbox, params, ids, request.account), use, logged.request_id)


def _execute(
    sandbox: Sandbox,
    prepared: _Prepared,
    logged: LoggedRequest | None,
    *,
    instead: StripeRefusal | None = None,
    say_instead: StripeRefusal | None = None,
    seconds: float = 0,
) -> ApiAnswer:
    """Run it once under its key. `instead` is answered and saved in place of running it, `say_instead` after."""
    use = prepared.use
    if use is not None:
        saved = sandbox.keys.begin(use)
        if saved is not None:
            if logged is not None:
                logged.replayed = True
            return ApiAnswer(
                saved.status,
                saved.body,
                {"Idempotent-Replayed": "true", "Original-Request": saved.request_id},
            )
    try:
        time.sleep(seconds)
        with sandbox.store.transaction():
            reply = _refused(instead) if instead is not None else _run(sandbox, prepared)
            if say_instead is not None:
                reply = _refused(say_instead)
            if use is not None:
                sandbox.keys.save(use, SavedAnswer(reply.status, reply.body, prepared.request_id))
            return reply
    finally:
        if use is not None:
            sandbox.keys.release(use)


def _run(sandbox: Sandbox, prepared: _Prepared) -> ApiAnswer:
    key = prepared.use.key if prepared.use else None
    try:
        with sandbox.store.transaction(), caused_by(Cause(prepared.request_id, key)):
            body = prepared.endpoint.handler(prepared.call)
            return ApiAnswer(200, expanded(body, prepared.call.params.get("expand", []), sandbox.store))
    except InvalidParameter:
        # Refused before anything ran: the key stays free.
        raise
    except StripeRefusal as refusal:
        return _refused(refusal)


def _refused(refusal: StripeRefusal) -> ApiAnswer:
    return ApiAnswer(refusal.status, refusal.body(), dict(refusal.headers))


def _go_wrong(sandbox: Sandbox, prepared: _Prepared, logged: LoggedRequest, fault: PlannedFault) -> ApiAnswer:
    match fault.fault:
        case Fault.UNAUTHORIZED:
            raise invalid_api_key(sandbox.config.secret_key)
        case Fault.RATE_LIMITED:
            raise rate_limited("endpoint-rate")
        case Fault.CONFLICT:
            raise key_in_use(prepared.use.key if prepared.use else "")
        case Fault.ERROR_500_BEFORE:
            raise _server_error()
        case Fault.ERROR_500_BEFORE_SAVED:
            return _execute(sandbox, prepared, logged, instead=_server_error())
        case Fault.REFUSED_SAVED:
            refusal = StripeRefusal(fault.message, code=fault.code)
            return _execute(sandbox, prepared, logged, instead=refusal)
        case Fault.ERROR_500_AFTER_SAVED:
            return _execute(sandbox, prepared, logged, say_instead=_server_error())
        case Fault.ERROR_500_AFTER:
            _execute(sandbox, prepared, logged)
            raise _server_error()
        case Fault.SLOW:
            return _execute(sandbox, prepared, logged, seconds=fault.seconds)
        case Fault.LATE:
            sandbox.faults.delay(lambda: _land(sandbox, prepared))
            return ApiAnswer(0, {}, hang_up="timeout")
        case Fault.TIMEOUT_BEFORE | Fault.HTML_502_BEFORE:
            reply = ApiAnswer(502, {})
        case _:
            reply = _execute(sandbox, prepared, logged)
    reply.hang_up = _LINE_DROPS.get(fault.fault)
    reply.garbled = _GARBLED.get(fault.fault)
    if reply.garbled == "html":
        reply.status = 502
    return reply


def _land(sandbox: Sandbox, prepared: _Prepared) -> None:
    """A request that was on its way arrives; nobody is there any more to hear a refusal."""
    try:
        _execute(sandbox, prepared, None)
    except StripeRefusal:
        return


def _server_error() -> StripeRefusal:
    return StripeRefusal(
        "An unknown error occurred. If you are seeing this repeatedly, please let us know at "
        "https://support.stripe.com/.",
        status=500,
        kind="api_error",
    )
