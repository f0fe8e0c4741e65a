"""How and when an affiliate wants to be paid."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import PortalError
from portal.domain.sentences import Sentence
from portal.models import Affiliate
from portal.services.affiliates import PreferenceChange
from portal.web.access import access, cause, current_affiliate
from portal.web.forms import problems_of, typed
from portal.web.kept_forms import typed_fields
from portal.web.rendering import country_name, render
from portal.wiring import services

pages = Blueprint("preferences", __name__)

_WEEKDAYS = {
    "mon": Sentence("Monday"),
    "tue": Sentence("Tuesday"),
    "wed": Sentence("Wednesday"),
    "thu": Sentence("Thursday"),
    "fri": Sentence("Friday"),
    "sat": Sentence("Saturday"),
    "sun": Sentence("Sunday"),
}


@pages.get("/payouts/preferences")
@access("affiliate")
def edit() -> Response:
    values = {**_saved(current_affiliate()), **typed_fields().to_dict()}
    return _form(current_affiliate(), values, is_saved=request.args.get("saved") == "1")


@pages.post("/payouts/preferences")
@access("affiliate", form_at="preferences.edit")
def save() -> AnyResponse:
    affiliate = current_affiliate()
    change = PreferenceChange(
        method=typed("preferred_payout_type"),
        wallet_address=typed("wallet_address"),
        automatic=typed("automatic"),
        country=typed("country"),
    )
    try:
        services().affiliates.set_preferences(affiliate.id, change, cause=cause())
    except PortalError as refusal:
        values = {**_saved(affiliate), **typed_fields().to_dict()}
        return _form(affiliate, values, problems=problems_of(refusal), status=refusal.status)
    return redirect(url_for("preferences.edit", saved=1), 303)


def schedule_words(schedule: str) -> str:
    """When automatic payouts are due, from the setting `monthly:1`, `weekly:mon` or `manual`."""
    kind, _, day = schedule.partition(":")
    if kind == "weekly":
        return Sentence("Every {weekday}, once you have reached the minimum.", weekday=_WEEKDAYS[day])
    if kind == "monthly":
        return Sentence("Every month on day {day}, once you have reached the minimum.", day=day)
    return Sentence(
        "No day is set for automatic payouts at the moment. Until then, request your payouts yourself."
    )


def _saved(affiliate: Affiliate) -> Mapping[str, str]:
    return {
        "preferred_payout_type": affiliate.preferred_payout_type.value,
        "wallet_address": affiliate.wallet_address or "",
        "automatic": "true" if affiliate.automatic else "false",
        "country": affiliate.country,
    }


def _form(
    affiliate: Affiliate,
    values: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
    is_saved: bool = False,
) -> Response:
    settings = services().settings
    codes = {*settings.stripe_countries, affiliate.country}
    return render(
        "preferences/edit.html",
        status=status,
        affiliate=affiliate,
        typed=values,
        problems=problems or {},
        is_saved=is_saved,
        countries=sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1]),
        automatic_hint=schedule_words(settings.payout_schedule),
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
