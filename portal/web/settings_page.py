"""What people settle about themselves: name, how they read times and words, e-mails, theme, and their sessions."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask, Response, request, url_for

from portal.domain.errors import PortalError
from portal.domain.languages import Language
from portal.domain.notifications import OPTIONAL, is_wanted
from portal.models import Affiliate
from portal.services.personal_settings import SettingsChange
from portal.services.time_zones import UTC_NAME, places
from portal.web.access import access, cause, current_affiliate, current_user, leave_for
from portal.web.forms import problems_of, typed
from portal.web.languages import language
from portal.web.rendering import render
from portal.web.theme import chosen_theme, keep_theme, read_theme
from portal.wiring import services

pages = Blueprint("settings", __name__)


@pages.get("/settings")
@access("affiliate")
def edit() -> Response:
    return _form(_saved(current_affiliate()), is_saved=request.args.get("saved") == "1")


@pages.post("/settings")
@access("affiliate")
def save() -> Response:
    affiliate = current_affiliate()
    # each checkbox follows a hidden field of its name, so that `false` comes where it is not checked
    mail = {kind.value: choices[-1] for kind in OPTIONAL if (choices := request.form.getlist(kind))}
    try:
        theme = read_theme(request.form.get("theme", chosen_theme()))
        change = SettingsChange(
            name=typed("name"), mail=mail, time_zone=typed("time_zone"), language=typed("language")
        )
        services().personal_settings.save(affiliate.id, change, cause=cause())
    except PortalError as refusal:
        values = {**_saved(affiliate), **request.form.to_dict(), **mail}
        return _form(values, problems=problems_of(refusal), status=refusal.status)
    return keep_theme(leave_for(url_for("settings.edit", saved=1)), theme)


def _saved(affiliate: Affiliate) -> Mapping[str, str]:
    mail = {kind.value: str(is_wanted(kind, affiliate.unwanted_mail)).lower() for kind in OPTIONAL}
    return {
        "name": affiliate.name,
        "time_zone": affiliate.time_zone or UTC_NAME,
        "language": language(),
        "theme": chosen_theme(),
        **mail,
    }


def _form(
    values: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
    is_saved: bool = False,
) -> Response:
    person = current_user()
    return render(
        "settings/edit.html",
        status=status,
        affiliate=current_affiliate(),
        typed=values,
        problems=problems or {},
        is_saved=is_saved,
        optional_mail=OPTIONAL,
        places=places(),
        languages=list(Language),
        sessions=services().access.sessions(person.user_id),
        this_session=person.session_id,
    )


def register(app: Flask) -> None:
    app.register_blueprint(pages)
