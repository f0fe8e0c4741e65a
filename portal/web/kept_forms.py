"""What was typed into a form that was not sent, because the person had to sign in again first."""

from __future__ import annotations

from uuid import UUID

from flask import g, request
from werkzeug.datastructures import MultiDict

from portal.web.access import current_user
from portal.wiring import services

#: Made anew for every form, so of no use later.
_ONE_TIME = {"csrf_token", "request_key"}


def keep_form(user_id: UUID) -> UUID | None:
    """Keep what this request brings for when its person is back; its name for the address, None if nothing is."""
    fields = {name: texts for name, texts in request.form.lists() if name not in _ONE_TIME}
    return services().kept_forms.keep(user_id, fields) if fields else None


def typed_fields() -> MultiDict[str, str]:
    """What is typed into the page's form: what was sent with it, or what was kept of it (`?kept=`), if anything."""
    if request.method == "POST":
        return request.form
    if "kept_fields" not in g:
        g.kept_fields = MultiDict(_kept())
    fields: MultiDict[str, str] = g.kept_fields
    return fields


def _kept() -> dict[str, list[str]]:
    try:
        form_id = UUID(request.args.get("kept", ""))
    except ValueError:
        return {}
    return dict(services().kept_forms.of(current_user().user_id, form_id))
