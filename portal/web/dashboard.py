"""The affiliate's first page: what can be paid out, how Stripe stands, what to do next."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.statements import Month
from portal.web.access import access, current_affiliate, is_signed_in, leave_for
from portal.web.dashboard_view import dashboard_view
from portal.web.earnings_chart import ChartRange, EarningsChart, earnings_chart
from portal.web.filters import chosen
from portal.web.rendering import nothing_changed, render, wants_fragment
from portal.web.words import DASHBOARD_NEWS
from portal.wiring import services

pages = Blueprint("dashboard", __name__)

#: Where the programme's own documents send people back to from Stripe, and where that leads here.
_FROM_STRIPE = {"return": "onboarding.come_back", "refresh": "onboarding.refresh"}


@pages.get("/")
@access("public")
def home() -> AnyResponse:
    return redirect(url_for("dashboard.show") if is_signed_in() else url_for("auth.sign_in"), 303)


@pages.get("/dashboard")
@access("affiliate")
def show() -> Response | AnyResponse:
    if target := _FROM_STRIPE.get(request.args.get("stripe", "")):
        return redirect(url_for(target), 303)
    view = dashboard_view(current_affiliate(), request.args.get("since"))
    return render("dashboard/show.html", chart=_chart(), **vars(view))


@pages.get("/dashboard/balances")
@access("affiliate")
def news() -> AnyResponse:
    """What has changed since the page was `seen`, in its place; 204 if nothing has."""
    if not wants_fragment():
        return leave_for(url_for("dashboard.show"))
    view = dashboard_view(current_affiliate(), request.args.get("since"), announcement=DASHBOARD_NEWS)
    if request.args.get("seen") == view.seen:
        return nothing_changed()
    return render("onboarding/_status.html", **vars(view))


@pages.get("/dashboard/chart")
@access("affiliate")
def chart() -> AnyResponse:
    """Another range of the chart, in its place; whoever can't take a part of a page gets the dashboard with it."""
    shown = _chart()
    if shown is None or not wants_fragment():
        return leave_for(url_for("dashboard.show", range=request.args.get("range"), _anchor="chart"))
    return render("dashboard/_chart_change.html", chart=shown)


def _chart() -> EarningsChart | None:
    """None where nothing was ever earned. Raises InvalidInput for a range that there is not."""
    affiliate = current_affiliate()
    return earnings_chart(
        services().statements.earned(affiliate.id),
        chosen("range", ChartRange) or ChartRange.year,
        running=Month.of(services().clock.now()),
        currency=affiliate.currency,
    )


@pages.get("/affiliates")
@access("affiliate")
def from_the_programme() -> AnyResponse:
    is_set_up = request.args.get("setup") == "success"
    return redirect(url_for("onboarding.come_back" if is_set_up else "dashboard.show"), 303)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
