"""The round trip to Stripe: out by a button, back by Stripe's redirect, and the news while Stripe is checking.

Coming back proves nothing: Stripe is asked. https://docs.stripe.com/connect/hosted-onboarding
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import StripeIsAway
from portal.models import Affiliate
from portal.services.onboarding import LinkWasJustRefreshed
from portal.web.access import access, cause, current_affiliate
from portal.web.coming_back import Waiting, new_mark, waiting
from portal.web.dashboard_view import dashboard_view
from portal.web.forms import typed
from portal.web.problems import wants_problem
from portal.web.rendering import is_htmx, nothing_changed, render, said, wants_fragment
from portal.web.words import NEWS_IN_STATUS, NO_CHANGE, NOT_REACHED, STATUS_NEWS
from portal.wiring import services

pages = Blueprint("onboarding", __name__)


class ForeignRedirectError(Exception):
    """Stripe's API named an address that is not Stripe's; nobody is sent there."""


@pages.post("/stripe/onboarding")
@access("affiliate")
def start() -> AnyResponse:
    try:
        address = services().onboarding.start(current_affiliate().id, cause=cause())
    except StripeIsAway as away:
        return _not_opened(away)
    return _open(address)


@pages.post("/stripe/dashboard")
@access("affiliate")
def dashboard() -> AnyResponse:
    try:
        address = services().onboarding.dashboard_link(current_affiliate().id, cause=cause())
    except StripeIsAway as away:
        return _not_opened(away)
    return _open(address)


@pages.get("/stripe/refresh")
@access("affiliate")
def refresh() -> AnyResponse:
    try:
        address = services().onboarding.refresh(current_affiliate().id, cause=cause())
    except LinkWasJustRefreshed:
        return render("onboarding/expired.html")
    except StripeIsAway as away:
        return _not_opened(away)
    return _open(address)


@pages.get("/stripe/return")
@access("affiliate")
def come_back() -> AnyResponse:
    affiliate = current_affiliate()
    try:
        services().accounts.sync(affiliate.id, cause=cause())
    except StripeIsAway:
        flash(said(NOT_REACHED), "pending")
    return redirect(url_for("dashboard.show", since=new_mark(affiliate.id)), 303)


@pages.get("/stripe/status")
@access("affiliate")
def status() -> Response:
    affiliate = services().accounts.poll(current_affiliate(), cause=cause())
    mark = request.args.get("since")
    if not wants_fragment():
        return _card(affiliate, mark)
    is_seen = request.args.get("seen") == str(affiliate.version)
    if is_seen and waiting(mark, affiliate.id) is Waiting.polling:
        return nothing_changed()
    return _card(
        affiliate, mark, announcement="" if is_seen else STATUS_NEWS[affiliate.stripe_account_status]
    )


@pages.post("/stripe/sync")
@access("affiliate")
def sync() -> AnyResponse:
    affiliate = current_affiliate()
    before, tone = affiliate, "info"
    words: str = NO_CHANGE
    try:
        affiliate, _ = services().accounts.check(affiliate.id, cause=cause())
    except StripeIsAway:
        words, tone = NOT_REACHED, "pending"
    if affiliate.stripe_account_status is not before.stripe_account_status:
        words = STATUS_NEWS[affiliate.stripe_account_status]
    elif affiliate.version != before.version:
        words = NEWS_IN_STATUS
    if wants_fragment():
        return _card(affiliate, typed("since"), note=words, announcement=words)
    flash(said(words), tone)
    return redirect(url_for("dashboard.show", since=typed("since")), 303)


def _card(affiliate: Affiliate, mark: str | None, *, note: str = "", announcement: str = "") -> Response:
    """The card and what goes with it, alone for htmx, else as a page."""
    return render(
        "onboarding/status.html",
        "onboarding/_status.html",
        **vars(dashboard_view(affiliate, mark, note=note, announcement=announcement)),
    )


def _open(address: str) -> AnyResponse:
    """Send the browser to one of Stripe's pages; the address opens them for whoever has it, so it goes nowhere else.
    Raises ForeignRedirectError."""
    if not _is_stripes(address):
        raise ForeignRedirectError(urlsplit(address).netloc)
    if wants_problem():
        return jsonify(url=address)
    if is_htmx():
        return Response(status=200, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _is_stripes(address: str) -> bool:
    parts, base = urlsplit(address), services().settings.stripe_api_base
    if base is not None and (parts.scheme, parts.netloc) == urlsplit(base)[:2]:
        return True
    host = parts.hostname or ""
    return parts.scheme == "https" and parts.port in {None, 443} and f".{host}".endswith(".stripe.com")


def _not_opened(away: StripeIsAway) -> AnyResponse:
    """Back to the dashboard with a banner; a program gets the problem itself."""
    if wants_problem():
        raise away
    flash(said(away.sentence), "pending")
    back = url_for("dashboard.show")
    return Response(status=200, headers={"HX-Redirect": back}) if is_htmx() else redirect(back, 303)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
