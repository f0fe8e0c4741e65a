"""The control API for tests and the demo: JSON under `/sandbox/api/`. Nonsense is refused with 422."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, request

from portal.sandbox.account_changes import NoSuchAccount, meet_due_fates, meet_fate, meet_fate_later
from portal.sandbox.balances import CURRENCIES, available, set_platform_balance
from portal.sandbox.bank_payouts import BankPayoutRefused, become, pay_out, reconcile
from portal.sandbox.errors import StripeRefusal
from portal.sandbox.events import PLATFORM
from portal.sandbox.fates import UnknownFate
from portal.sandbox.faults import FaultRefused, planned
from portal.sandbox.platform_rules import RulesRefused, rules
from portal.sandbox.state import Sandbox
from portal.sandbox.store import public
from portal.sandbox.transfers import reverse

Answer = tuple[dict[str, Any], int]

_MOST_REDELIVERIES = 1_000

control = Blueprint("control", __name__, url_prefix="/sandbox/api")


class ControlRefused(ValueError):
    """The request to the control API makes no sense; the text says why."""


@control.errorhandler(ControlRefused)
@control.errorhandler(FaultRefused)
@control.errorhandler(UnknownFate)
@control.errorhandler(BankPayoutRefused)
@control.errorhandler(RulesRefused)
@control.errorhandler(StripeRefusal)
def _nonsense(problem: Exception) -> Answer:
    return {"error": str(problem)}, 422


@control.errorhandler(NoSuchAccount)
def _missing(problem: NoSuchAccount) -> Answer:
    return {"error": f"no such account: {problem.args[0]}"}, 404


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _body(*names: str) -> dict[str, Any]:
    given: Any = {}
    if request.form:
        # by hand: `curl -d fate=approve …/sandbox/api/accounts/acct_…/fate`
        given = {name: _plain(value) for name, value in request.form.items()}
    elif request.get_data():
        given = request.get_json(silent=True, force=True)
    if not isinstance(given, dict):
        raise ControlRefused("a JSON object is needed")
    unknown = sorted(set(given) - set(names))
    if names and unknown:
        raise ControlRefused(f"unknown names: {', '.join(unknown)}; known: {', '.join(names)}")
    return given


def _plain(text: str) -> str | int | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else text


def _integer(given: dict[str, Any], name: str, *, usual: int | None, least: int = 1) -> int | None:
    value = given.get(name, usual)
    if value is not None and (type(value) is not int or value < least):
        raise ControlRefused(f"{name} is an integer of at least {least}")
    return value


@control.post("/faults")
def plan_fault() -> Answer:
    """`{"method", "path_prefix", "fault", "times"}` and, where it matters, skip, seconds, code, message."""
    plan = planned(_body())
    _sandbox().faults.plan(plan)
    return {"planned": plan.described()}, 201


@control.get("/faults")
def list_faults() -> Answer:
    """What still waits to go wrong."""
    faults = _sandbox().faults
    return {
        "waiting": [plan.described() for plan in faults.waiting],
        "on_their_way": len(faults.on_their_way),
    }, 200


@control.delete("/faults")
def clear_faults() -> Answer:
    """Nothing goes wrong any more."""
    _sandbox().faults.clear()
    return {"waiting": []}, 200


@control.post("/land")
def land() -> Answer:
    """Let the requests that are on their way (`late`) arrive."""
    return {"landed": _sandbox().faults.land()}, 200


@control.post("/accounts/<account_id>/fate")
def change_fate(account_id: str) -> Answer:
    """`{"fate"}`, with `deadline_days`, `reason`, `silently`, `after_seconds` where they matter."""
    given = _body("fate", "deadline_days", "reason", "silently", "after_seconds")
    days = _integer(given, "deadline_days", usual=14) or 14
    fate, reason = given.get("fate"), given.get("reason")
    if not isinstance(fate, str) or not (reason is None or isinstance(reason, str)):
        raise ControlRefused("fate and reason are strings")
    delay = given.get("after_seconds", 0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0:
        raise ControlRefused("after_seconds is a number of at least 0")
    if delay:
        meet_fate_later(_sandbox(), account_id, fate, seconds=float(delay))
        return {"account": account_id, "fate": fate, "after_seconds": delay}, 202
    account = meet_fate(
        _sandbox(),
        account_id,
        fate,
        deadline_days=days,
        reason=reason,
        silently=given.get("silently") is True,
    )
    return {"account": public(account)}, 200


@control.post("/accounts/<account_id>/payouts")
def pay_to_bank(account_id: str) -> Answer:
    """A bank payout of all the account has, or of `amount` in `currency`; `status` lets it go on at once, and with
    `"reconciled": false` Stripe can't say yet what is in it."""
    given = _body("amount", "currency", "status", "failure_code", "reconciled")
    payout = pay_out(
        _sandbox(),
        account_id,
        amount=_integer(given, "amount", usual=None),
        currency=given.get("currency"),
        is_reconciled=given.get("reconciled") is not False,
    )
    if given.get("status", "pending") != "pending":
        payout = become(
            _sandbox(),
            payout["id"],
            str(given["status"]),
            failure_code=str(given.get("failure_code", "could_not_process")),
        )
    return {"payout": payout}, 201


@control.post("/payouts/<payout_id>")
def settle_bank_payout(payout_id: str) -> Answer:
    """`{"status"}`: paid, failed (also after paid), canceled; with `failure_code`."""
    given = _body("status", "failure_code")
    payout = become(
        _sandbox(),
        payout_id,
        str(given.get("status")),
        failure_code=str(given.get("failure_code", "could_not_process")),
    )
    return {"payout": payout}, 200


@control.post("/payouts/<payout_id>/reconcile")
def reconcile_bank_payout(payout_id: str) -> Answer:
    """From now on Stripe says what is in it."""
    return {"payout": reconcile(_sandbox(), payout_id)}, 200


@control.post("/transfers/<transfer_id>/reversals")
def reverse_transfer(transfer_id: str) -> Answer:
    """Take a transfer back, wholly or by `amount`, whatever the account still has."""
    amount = _integer(_body("amount"), "amount", usual=None)
    return {"reversal": reverse(_sandbox(), transfer_id, amount=amount)}, 201


@control.post("/balance")
def set_balance() -> Answer:
    """The platform's balance: minor units by currency; currencies not named stay."""
    amounts = _body()
    for currency, amount in amounts.items():
        if currency not in CURRENCIES or type(amount) is not int or amount < 0:
            raise ControlRefused("a balance is {currency: minor units}, the currency in lower case")
    set_platform_balance(_sandbox(), amounts)
    return {"balance": available(_sandbox(), PLATFORM)}, 200


@control.post("/platform")
def set_rules() -> Answer:
    """What Stripe lets the platform make from now on: `{"accounts_v1": false}`; what is not named is allowed."""
    _sandbox().rules = rules(_body())
    return asdict(_sandbox().rules), 200


@control.post("/prune-keys")
def prune_keys() -> Answer:
    """Forget all idempotency keys, as Stripe may after 24 hours."""
    return {"pruned": _sandbox().keys.prune()}, 200


@control.get("/requests")
def list_requests() -> Answer:
    """The API requests since the start or the last clearing, oldest first."""
    # a copy: others go on being logged meanwhile
    return {"requests": [asdict(logged) for logged in _sandbox().requests.copy()]}, 200


@control.delete("/requests")
def clear_requests() -> Answer:
    """Forget the log of requests."""
    _sandbox().requests.clear()
    return {"requests": []}, 200


@control.post("/webhooks")
def pause_webhooks() -> Answer:
    """`{"paused": true}`: what happens from now on is never delivered; `false`: deliveries go on."""
    paused = _body("paused").get("paused")
    if not isinstance(paused, bool):
        raise ControlRefused("paused is true or false")
    _sandbox().webhooks.paused = paused
    return {"paused": paused}, 200


@control.post("/deliver")
def deliver() -> Answer:
    """Let happen what is due now: fates, then deliveries; for a sandbox without a heartbeat."""
    fates = meet_due_fates(_sandbox())
    return {"fates": fates, "attempts": _sandbox().webhooks.deliver_due()}, 200


@control.post("/redeliver")
def redeliver() -> Answer:
    """`{"event", "times"}`: send one event again and again, freshly signed."""
    given = _body("event", "times")
    times = _integer(given, "times", usual=1) or 1
    if times > _MOST_REDELIVERIES:
        raise ControlRefused(f"times is at most {_MOST_REDELIVERIES}")
    try:
        outcomes = _sandbox().webhooks.redeliver(str(given.get("event")), times=times)
    except KeyError as problem:
        raise ControlRefused(f"no such event: {given.get('event')}") from problem
    return {"outcomes": outcomes}, 200


@control.get("/state")
def whole_state() -> Answer:
    """Everything there is, oldest first."""
    sandbox = _sandbox()
    kinds = ("account", "transfer", "reversal", "payout", "event")
    state: dict[str, Any] = {
        f"{kind}s": [public(document) for document in sandbox.store.select(kind, oldest_first=True)]
        for kind in kinds
    }
    state["gone"] = [account["id"] for account in sandbox.store.select("account", where={"_gone": True})]
    state["balances"] = {
        owner: available(sandbox, owner) for owner in [PLATFORM, *(a["id"] for a in state["accounts"])]
    }
    state["deliveries"] = [
        {**public(delivery), "state": delivery["_state"]}
        for delivery in sandbox.store.select("delivery", oldest_first=True)
    ]
    return state, 200
