"""Stripe's own payouts from a connected account's balance to its bank: https://docs.stripe.com/api/payouts"""

from __future__ import annotations

from portal.sandbox.balances import available, checked_amount, checked_currency, note
from portal.sandbox.errors import StripeRefusal, no_such
from portal.sandbox.events import changes
from portal.sandbox.identifiers import new_id
from portal.sandbox.lists import page
from portal.sandbox.parameters import merged_metadata
from portal.sandbox.state import Call, Sandbox, accessible
from portal.sandbox.store import Document, public

_ARRIVES_AFTER_SECONDS = 2 * 86_400
STATUSES = ("pending", "in_transit", "paid", "failed", "canceled")

_FAILURES = {
    "account_closed": "The bank account has been closed.",
    "could_not_process": "The bank could not process this payout.",
    "no_account": "The bank account details on file are probably incorrect. No bank account could be located.",
}


class BankPayoutRefused(ValueError):
    """There is nothing to pay out, nowhere to pay it to, or no such status; the text says which."""


def pay_out(
    sandbox: Sandbox,
    account_id: str,
    *,
    amount: int | None = None,
    currency: str | None = None,
    is_reconciled: bool = True,
) -> Document:
    """Send what an account has (or `amount`, minor units) to its bank: a pending payout and `payout.created`. Without
    `is_reconciled` Stripe says only later, by `reconcile`, what is in it.

    Raises BankPayoutRefused.
    """
    with sandbox.store.transaction():
        account = accessible(sandbox, account_id)
        if account is None:
            raise BankPayoutRefused(f"no such account: {account_id}")
        banks = account["external_accounts"]["data"]
        if not banks:
            raise BankPayoutRefused("the account has no bank account")
        chosen = currency or _currency(sandbox, account)
        held = available(sandbox, account_id).get(chosen, 0)
        whole = amount is None
        sent = held if amount is None else amount
        if sent < 1 or sent > held:
            raise BankPayoutRefused(f"the account has {held} {chosen}, which can't pay out {sent}")
        payout = _new(sandbox, account_id, amount=sent, currency=chosen, bank=banks[0]["id"], automatic=whole)
        if whole and is_reconciled:
            _name_sources(sandbox, payout)
        elif whole:
            payout["reconciliation_status"] = "in_progress"
        taken = note(
            sandbox, account_id, amount=-sent, currency=chosen, kind="payout",
            source=payout["id"], description="STRIPE PAYOUT",
        )  # fmt: skip
        sandbox.store.put("balance_transaction", taken["id"], {**taken, "_payout": payout["id"]})
        payout["balance_transaction"] = taken["id"]
        sandbox.store.put("payout", payout["id"], payout)
        sandbox.events.record("payout.created", payout, account=account_id)
    return public(payout)


def _currency(sandbox: Sandbox, account: Document) -> str:
    """An account's own currency, or another one that it has money in: the sandbox converts nothing."""
    own: str = account["default_currency"]
    funds = available(sandbox, account["id"])
    others = (currency for currency, amount in sorted(funds.items()) if amount > 0)
    return own if funds.get(own, 0) > 0 else next(others, own)


def become(
    sandbox: Sandbox, payout_id: str, status: str, *, failure_code: str = "could_not_process"
) -> Document:
    """Let a bank payout become paid, failed (also after paid) or canceled, with its events.

    Raises BankPayoutRefused and StripeRefusal. https://docs.stripe.com/payouts#payout-failures
    """
    if status not in STATUSES:
        raise BankPayoutRefused(f"unknown status {status!r}; known: {', '.join(STATUSES)}")
    with sandbox.store.transaction():
        before, payout = sandbox.store.get("payout", payout_id), sandbox.store.get("payout", payout_id)
        if before is None or payout is None:
            raise no_such("payout", payout_id, param="payout")
        if payout["status"] in ("failed", "canceled"):
            raise BankPayoutRefused(f"the payout is {payout['status']} for good")
        payout["status"] = status
        if status == "paid":
            payout["arrival_date"] = min(payout["arrival_date"], sandbox.now())
            payout["trace_id"] = {"status": "supported", "value": new_id("trace", 12)}
        if status == "failed":
            payout["failure_code"] = failure_code
            payout["failure_message"] = _FAILURES.get(failure_code, "The bank refused this payout.")
        if status in ("failed", "canceled"):
            back = note(
                sandbox, payout["_owner"], amount=payout["amount"], currency=payout["currency"],
                kind="payout_failure" if status == "failed" else "payout_cancel",
                source=payout_id, description=None,
            )  # fmt: skip
            payout["failure_balance_transaction"] = back["id"]
        sandbox.store.put("payout", payout_id, payout)
        name = status if status in ("paid", "failed", "canceled") else "updated"
        sandbox.events.record(
            f"payout.{name}", payout, account=payout["_owner"], previous=changes(before, payout)
        )
    return public(payout)


def reconcile(sandbox: Sandbox, payout_id: str) -> Document:
    """Let Stripe have found out what is in an automatic payout: `payout.reconciliation_completed`.

    Raises BankPayoutRefused. https://docs.stripe.com/payouts/reconciliation
    """
    with sandbox.store.transaction():
        payout = sandbox.store.get("payout", payout_id)
        if payout is None or payout["reconciliation_status"] != "in_progress":
            raise BankPayoutRefused("no reconciliation of such a payout is in progress")
        payout["reconciliation_status"] = "completed"
        _name_sources(sandbox, payout)
        sandbox.store.put("payout", payout_id, payout)
        sandbox.events.record("payout.reconciliation_completed", payout, account=payout["_owner"])
    return public(payout)


def _new(
    sandbox: Sandbox, account_id: str, *, amount: int, currency: str, bank: str, automatic: bool
) -> Document:
    now = sandbox.now()
    return {
        "id": new_id("po", 24),
        "object": "payout",
        "amount": amount,
        "arrival_date": now + _ARRIVES_AFTER_SECONDS,
        "automatic": automatic,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": bank,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
        "_owner": account_id,
    }


def _name_sources(sandbox: Sandbox, payout: Document) -> None:
    """An automatic payout names what is in it: the payments that no earlier one took, and what earlier ones brought
    back."""
    waiting = sandbox.store.select(
        "balance_transaction",
        where={
            "_owner": payout["_owner"],
            "_payout": None,
            "currency": payout["currency"],
            "type": ("payment", "payment_refund", "payout_failure", "payout_cancel"),
        },
    )
    for transaction in waiting:
        sandbox.store.put("balance_transaction", transaction["id"], {**transaction, "_payout": payout["id"]})


def _existing(call: Call) -> Document:
    payout = call.store.get("payout", call.ids["payout"])
    if payout is None or payout["_owner"] != call.owner:
        raise no_such("payout", call.ids["payout"], param="payout")
    return payout


def create(call: Call) -> Document:
    """`POST /v1/payouts` on a connected account."""
    currency = checked_currency(call)
    amount = checked_amount(call.params["amount"], currency)
    if call.account is None:
        raise StripeRefusal(
            f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency"
        )
    if available(call.sandbox, call.account).get(currency, 0) < amount:
        raise StripeRefusal(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You "
            "can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#"
            "balance).",
            code="balance_insufficient",
        )
    try:
        return pay_out(call.sandbox, call.account, amount=amount, currency=currency)
    except BankPayoutRefused as refusal:
        raise StripeRefusal(
            f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency"
        ) from refusal


def retrieve(call: Call) -> Document:
    """`GET /v1/payouts/{id}`"""
    return public(_existing(call))


def update(call: Call) -> Document:
    """`POST /v1/payouts/{id}`: metadata."""
    with call.store.transaction():
        before, payout = _existing(call), _existing(call)
        payout["metadata"] = merged_metadata(payout["metadata"], call.params.get("metadata"))
        call.store.put("payout", payout["id"], payout)
        call.sandbox.events.record(
            "payout.updated", payout, account=call.account, previous=changes(before, payout)
        )
    return public(payout)


def cancel(call: Call) -> Document:
    """`POST /v1/payouts/{id}/cancel`: only while pending."""
    payout = _existing(call)
    if payout["status"] != "pending":
        raise StripeRefusal(
            "Payouts can only be canceled while they are pending.", code="payouts_not_allowed", param="payout"
        )
    return become(call.sandbox, payout["id"], "canceled")


def list_payouts(call: Call) -> Document:
    """`GET /v1/payouts`, by status, destination and created."""
    where: dict[str, object] = {"_owner": call.owner}
    where.update({name: call.params[name] for name in ("status", "destination") if name in call.params})
    return page(call, "payout", url="/v1/payouts", where=where)


def expect(sandbox: Sandbox, account_id: str) -> None:
    """Pay an account's balance out by itself after a while, where the sandbox is told to."""
    wait = sandbox.config.bank_payout_after_seconds
    if wait is not None:
        _expect(sandbox, account_id, payout=None, at=sandbox.config.clock() + wait)


def _expect(sandbox: Sandbox, account_id: str, *, payout: str | None, at: float) -> None:
    identifier = new_id("expected")
    expected = {"id": identifier, "account": account_id, "payout": payout, "at": at}
    sandbox.store.put("expected_payout", identifier, expected)


def pay_out_due(sandbox: Sandbox) -> int:
    """Let expected bank payouts begin, and those begun arrive; answers how many did."""
    now = sandbox.config.clock()
    due = sandbox.store.select("expected_payout", due=("at", now), oldest_first=True)
    for entry in due:
        sandbox.store.remove("expected_payout", entry["id"])
        try:
            if entry["payout"] is not None:
                become(sandbox, entry["payout"], "paid")
            else:
                payout = pay_out(sandbox, entry["account"])
                arrival = now + (sandbox.config.bank_payout_after_seconds or 0)
                _expect(sandbox, entry["account"], payout=payout["id"], at=arrival)
        except (BankPayoutRefused, StripeRefusal):
            # Nothing left to pay out, or somebody settled it by hand.
            continue
    return len(due)
