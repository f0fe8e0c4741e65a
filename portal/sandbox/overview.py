"""Pages for whoever runs the sandbox: what there is, and each account's fate."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from portal.sandbox.account_changes import NoSuchAccount, meet_fate
from portal.sandbox.balances import available
from portal.sandbox.bank_payouts import BankPayoutRefused, become, pay_out
from portal.sandbox.errors import StripeRefusal
from portal.sandbox.events import PLATFORM
from portal.sandbox.fates import UnknownFate
from portal.sandbox.state import Sandbox
from portal.sandbox.transfers import reverse

_SHOWN = 50

FATE_LABELS = {
    "approve": "Approve",
    "review": "Verification pending",
    "under_review": "Under review by Stripe",
    "restrict": "Restrict: a document is missing",
    "due": "Verified, but something is due by a deadline",
    "due_later": "Verified, but something will be due later",
    "reject": "Reject for fraud",
    "unreject": "Undo the rejection",
    "pause": "Paused by the platform",
    "stop_payouts": "Switch payouts off",
    "change_bank": "Change the bank account",
    "remove_bank": "Remove the bank account",
    "lose_transfers": "Switch transfers to it off",
    "start_over": "Start over: nothing submitted",
    "deauthorise": "Disconnect from the platform",
    "delete": "Delete the account",
}

overview = Blueprint("overview", __name__, url_prefix="/sandbox")


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


@overview.get("/healthz")
def healthz() -> tuple[dict[str, str], int]:
    """Ready to answer."""
    _sandbox().store.get("balance", PLATFORM)
    return {"status": "ok"}, 200


@overview.get("/")
def everything() -> str:
    """Accounts, transfers, balance, and events with what became of their delivery."""
    store = _sandbox().store
    deliveries = {delivery["event"]: delivery for delivery in store.select("delivery", limit=_SHOWN * 4)}
    return render_template(
        "sandbox/overview.html",
        accounts=store.select("account", limit=_SHOWN),
        transfers=store.select("transfer", limit=_SHOWN),
        payouts=store.select("payout", limit=_SHOWN),
        events=store.select("event", limit=_SHOWN),
        deliveries=deliveries,
        balance=available(_sandbox(), PLATFORM),
        portal_url=_sandbox().config.portal_url,
    )


@overview.get("/accounts/<account_id>")
def one_account(account_id: str) -> str:
    """One account, with a form to change its fate."""
    store = _sandbox().store
    account = store.get("account", account_id)
    if account is None:
        raise NotFound("There is no such account.")
    return render_template(
        "sandbox/account.html",
        account=account,
        balance=available(_sandbox(), account_id),
        transfers=store.select("transfer", where={"destination": account_id}, limit=_SHOWN),
        payouts=store.select("payout", where={"_owner": account_id}, limit=_SHOWN),
        events=store.select("event", where={"_owner": account_id}, limit=_SHOWN),
        fates=FATE_LABELS,
    )


@overview.post("/accounts/<account_id>/fate")
def change_fate(account_id: str) -> Response:
    """Let a fate happen to an account: field `fate`, and `deadline_days` where something falls due."""
    days = request.form.get("deadline_days", "14")
    if not days.isdigit() or not 0 < int(days) <= 3650:
        raise BadRequest("deadline_days is a number from 1 to 3650.")
    try:
        meet_fate(_sandbox(), account_id, request.form.get("fate", ""), deadline_days=int(days))
    except NoSuchAccount as problem:
        raise NotFound("There is no such account, or it is gone.") from problem
    except UnknownFate as problem:
        raise BadRequest(str(problem)) from problem
    return redirect(url_for("overview.one_account", account_id=account_id), 303)


@overview.post("/accounts/<account_id>/payouts")
def pay_to_bank(account_id: str) -> Response:
    """Send what the account has to its bank."""
    try:
        pay_out(_sandbox(), account_id)
    except BankPayoutRefused as refusal:
        raise BadRequest(str(refusal)) from refusal
    return redirect(url_for("overview.one_account", account_id=account_id), 303)


@overview.post("/payouts/<payout_id>")
def settle_bank_payout(payout_id: str) -> Response:
    """Let a bank payout become paid, failed or canceled: field `status`."""
    try:
        become(_sandbox(), payout_id, request.form.get("status", ""))
    except (BankPayoutRefused, StripeRefusal) as refusal:
        raise BadRequest(str(refusal)) from refusal
    return redirect(url_for("overview.everything"), 303)


@overview.post("/transfers/<transfer_id>/reversals")
def reverse_transfer(transfer_id: str) -> Response:
    """Take a transfer back: field `amount` in minor units, or empty for the whole rest."""
    amount = request.form.get("amount", "").strip()
    if amount and not (amount.isdigit() and int(amount) > 0):
        raise BadRequest("amount is a positive number of minor units.")
    try:
        reverse(_sandbox(), transfer_id, amount=int(amount) if amount else None)
    except StripeRefusal as refusal:
        raise BadRequest(str(refusal)) from refusal
    return redirect(url_for("overview.everything"), 303)
