"""Stripe's hosted pages: onboarding by an account link, the Express dashboard by a login link."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from portal.sandbox.account_changes import NoSuchAccount, meet_fate, meet_fate_later
from portal.sandbox.account_links import finish_link, open_link, open_login_link
from portal.sandbox.balances import available
from portal.sandbox.state import Sandbox, accessible
from portal.sandbox.store import Document

OUTCOMES = ("approve", "review", "restrict", "reject", "leave", "expire")

hosted = Blueprint("hosted", __name__, url_prefix="/connect")


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


@hosted.get("/onboarding/<token>")
def onboarding(token: str) -> Response | str:
    """The page where a person picks what becomes of the account; a used or expired link leads to refresh_url."""
    link, visit = open_link(_sandbox(), token)
    if link is None:
        raise NotFound("There is no such link.")
    account = accessible(_sandbox(), link["account"])
    if visit is None or account is None:
        return redirect(link["refresh_url"], 302)
    return render_template("sandbox/onboarding.html", account=account, token=token, visit=visit)


@hosted.post("/onboarding/<token>")
def choose_outcome(token: str) -> Response:
    """Let the chosen outcome happen, and send the person back."""
    outcome = request.form.get("outcome", "")
    if outcome not in OUTCOMES:
        raise BadRequest(f"outcome is one of {', '.join(OUTCOMES)}.")
    sandbox = _sandbox()
    known = sandbox.store.get("account_link", token)
    if known is None:
        raise NotFound("There is no such link.")
    link = finish_link(sandbox, token, request.form.get("visit", ""))
    if link is None or outcome == "expire":
        return redirect(known["refresh_url"], 303)
    if outcome != "leave":
        try:
            _happen(sandbox, link, outcome)
        except NoSuchAccount:
            return redirect(link["refresh_url"], 303)
    return redirect(link["return_url"], 303)


def _happen(sandbox: Sandbox, link: Document, outcome: str) -> None:
    account_id = link["account"]
    wait = sandbox.config.approve_after_seconds
    if outcome == "approve" and wait > 0:
        meet_fate(sandbox, account_id, "review")
        meet_fate_later(sandbox, account_id, "approve", seconds=wait)
        return
    if outcome == "reject":
        # Rejected after everything was handed in, so that the account counts as submitted.
        meet_fate(sandbox, account_id, "review", silently=True)
    meet_fate(sandbox, account_id, outcome)


@hosted.get("/express/<token>")
def express_dashboard(token: str) -> str:
    """The Express dashboard, by a link that works once."""
    sandbox = _sandbox()
    account_id = open_login_link(sandbox, token)
    account = None if account_id is None else accessible(sandbox, account_id)
    if account is None:
        raise NotFound("This login link was used already, or has expired.")
    payouts = sandbox.store.select("payout", where={"_owner": account["id"]}, limit=20)
    return render_template(
        "sandbox/express.html",
        account=account,
        balance=available(sandbox, account["id"]),
        payouts=payouts,
        portal_url=sandbox.config.portal_url,
    )
