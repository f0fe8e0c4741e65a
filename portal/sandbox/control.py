"""The control API for tests and the demo: JSON under `/sandbox/api/`. Nonsense is refused with 422."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint

from portal.sandbox.account_changes import NoSuchAccount, meet_fate, meet_fate_later
from portal.sandbox.balances import CURRENCIES, available, set_platform_balance
from portal.sandbox.bank_payouts import BankPayoutRefused, become, pay_out, reconcile
from portal.sandbox.control_bodies import ControlRefused, body_with, integer_of, the_sandbox
from portal.sandbox.disorder import DisorderRefused
from portal.sandbox.errors import StripeRefusal
from portal.sandbox.events import PLATFORM
from portal.sandbox.fates import UnknownFate
from portal.sandbox.faults import FaultRefused, planned
from portal.sandbox.platform_rules import RulesRefused, rules
from portal.sandbox.store import public
from portal.sandbox.traffic import traffic
from portal.sandbox.transfers import reverse

Answer = tuple[dict[str, Any], int]

control = Blueprint("control", __name__, url_prefix="/sandbox/api")
control.register_blueprint(traffic)


@control.errorhandler(ControlRefused)
@control.errorhandler(DisorderRefused)
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


@control.post("/faults")
def plan_fault() -> Answer:
    """`{"method", "path_prefix", "fault", "times"}` and, where it matters, skip, seconds, code, message."""
    plan = planned(body_with())
    the_sandbox().faults.plan(plan)
    return {"planned": plan.described()}, 201


@control.get("/faults")
def list_faults() -> Answer:
    """What still waits to go wrong."""
    faults = the_sandbox().faults
    return {
        "waiting": [plan.described() for plan in faults.waiting],
        "on_their_way": len(faults.on_their_way),
    }, 200


@control.delete("/faults")
def clear_faults() -> Answer:
    """Nothing goes wrong any more."""
    the_sandbox().faults.clear()
    return {"waiting": []}, 200


@control.post("/land")
def land() -> Answer:
    """Let the requests that are on their way (`late`) arrive."""
    return {"landed": the_sandbox().faults.land()}, 200


@control.post("/accounts/<account_id>/fate")
def change_fate(account_id: str) -> Answer:
    """`{"fate"}`, with `deadline_days`, `reason`, `fingerprint`, `silently`, `after_seconds` where they matter."""
    given = body_with("fate", "deadline_days", "reason", "fingerprint", "silently", "after_seconds")
    days = integer_of(given, "deadline_days", usual=14) or 14
    fate, reason, fingerprint = given.get("fate"), given.get("reason"), given.get("fingerprint")
    if not isinstance(fate, str) or not all(isinstance(text, str | None) for text in (reason, fingerprint)):
        raise ControlRefused("fate, reason and fingerprint are strings")
    delay = given.get("after_seconds", 0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0:
        raise ControlRefused("after_seconds is a number of at least 0")
    if delay:
        meet_fate_later(the_sandbox(), account_id, fate, seconds=float(delay))
        return {"account": account_id, "fate": fate, "after_seconds": delay}, 202
    account = meet_fate(
        the_sandbox(),
        account_id,
        fate,
        deadline_days=days,
        reason=reason,
        fingerprint=fingerprint,
        silently=given.get("silently") is True,
    )
    return {"account": public(account)}, 200


@control.post("/accounts/<account_id>/payouts")
def pay_to_bank(account_id: str) -> Answer:
    """A bank payout of all the account has, or of `amount` in `currency`; `status` lets it go on at once, and with
    `"reconciled": false` Stripe can't say yet what is in it."""
    given = body_with("amount", "currency", "status", "failure_code", "reconciled")
    payout = pay_out(
        the_sandbox(),
        account_id,
        amount=integer_of(given, "amount", usual=None),
        currency=given.get("currency"),
        is_reconciled=given.get("reconciled") is not False,
    )
    if given.get("status", "pending") != "pending":
        payout = become(
            the_sandbox(),
            payout["id"],
            str(given["status"]),
            failure_code=str(given.get("failure_code", "could_not_process")),
        )
    return {"payout": payout}, 201


@control.post("/payouts/<payout_id>")
def settle_bank_payout(payout_id: str) -> Answer:
    """`{"status"}`: paid, failed (also after paid), canceled; with `failure_code`."""
    given = body_with("status", "failure_code")
    payout = become(
        the_sandbox(),
        payout_id,
        str(given.get("status")),
        failure_code=str(given.get("failure_code", "could_not_process")),
    )
    return {"payout": payout}, 200


@control.post("/payouts/<payout_id>/reconcile")
def reconcile_bank_payout(payout_id: str) -> Answer:
    """From now on Stripe says what is in it."""
    return {"payout": reconcile(the_sandbox(), payout_id)}, 200


@control.post("/transfers/<transfer_id>/reversals")
def reverse_transfer(transfer_id: str) -> Answer:
    """Take a transfer back, wholly or by `amount`, whatever the account still has."""
    amount = integer_of(body_with("amount"), "amount", usual=None)
    return {"reversal": reverse(the_sandbox(), transfer_id, amount=amount)}, 201


@control.post("/balance")
def set_balance() -> Answer:
    """The platform's balance: minor units by currency; currencies not named stay."""
    amounts = body_with()
    for currency, amount in amounts.items():
        if currency not in CURRENCIES or type(amount) is not int or amount < 0:
            raise ControlRefused("a balance is {currency: minor units}, the currency in lower case")
    set_platform_balance(the_sandbox(), amounts)
    return {"balance": available(the_sandbox(), PLATFORM)}, 200


@control.post("/platform")
def set_rules() -> Answer:
    """What Stripe lets the platform make from now on: `{"accounts_v1": false}`; what is not named is allowed."""
    the_sandbox().rules = rules(body_with())
    return asdict(the_sandbox().rules), 200


@control.post("/prune-keys")
def prune_keys() -> Answer:
    """Forget all idempotency keys, as Stripe may after 24 hours."""
    return {"pruned": the_sandbox().keys.prune()}, 200


@control.get("/requests")
def list_requests() -> Answer:
    """The API requests since the start or the last clearing, oldest first."""
    # a copy: others go on being logged meanwhile
    return {"requests": [asdict(logged) for logged in the_sandbox().requests.copy()]}, 200


@control.delete("/requests")
def clear_requests() -> Answer:
    """Forget the log of requests."""
    the_sandbox().requests.clear()
    return {"requests": []}, 200


@control.get("/state")
def whole_state() -> Answer:
    """Everything there is, oldest first."""
    sandbox = the_sandbox()
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
