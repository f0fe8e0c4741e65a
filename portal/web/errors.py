"""How a refusal or a fault is answered: as a page, as the fragment htmx waits for, or as a problem document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import cast

import structlog
from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from portal.domain.errors import PortalError
from portal.domain.roles import RoleIsTooWeak
from portal.domain.sentences import Sentence
from portal.web.access import current_user, is_signed_in, speak_as_chosen_by
from portal.web.problems import problem, wants_problem
from portal.web.rendering import render, said, wants_fragment
from portal.wiring import services

_log = structlog.get_logger(__name__)

#: What a person reads for a status that no refusal of ours explains. Nothing here tells what is inside.
_SENTENCES = {
    400: Sentence("Your browser sent something that we could not read. Go back and try again."),
    401: Sentence("Sign in first."),
    403: Sentence("You may not open this page."),
    404: Sentence("There is no such page. If you typed the address, check it."),
    405: Sentence("This address does not do that."),
    408: Sentence("That took too long to arrive. Try again."),
    413: Sentence("That was too large."),
    415: Sentence("Send JSON, with Content-Type: application/json."),
    429: Sentence("Too many requests. Wait a moment, then try again."),
    500: Sentence("Something went wrong on our side. Nothing was lost; try again in a minute."),
    503: Sentence("This is not available right now. Try again in a minute."),
}

#: The same for a program, where people's words would mislead.
_DETAILS = {
    400: "The request could not be read.",
    403: "This may not be opened.",
    404: "There is nothing at this address.",
}

_TITLES = {
    400: Sentence("That did not work"),
    401: Sentence("Sign in first"),
    403: Sentence("You may not open this page"),
    404: Sentence("Page not found"),
    405: Sentence("That did not work"),
    409: Sentence("That is not possible right now"),
    413: Sentence("That was too large"),
    415: Sentence("That did not work"),
    422: Sentence("There is a problem"),
    429: Sentence("Too many requests"),
    500: Sentence("Something went wrong"),
    503: Sentence("Not available right now"),
}

#: Where the status alone would say too little.
_TITLES_BY_CODE = {RoleIsTooWeak.code: "Your role does not allow this"}

_CSRF_SENTENCE = Sentence(
    "This form was open for too long or did not come from this site. Go back, reload the page, try again."
)


@dataclass(frozen=True)
class Answer:
    """What is to be said about an error, before it is known to whom."""

    status: int
    code: str
    sentence: str
    faults: Sequence[tuple[str, str]] = ()
    retry_at: datetime | None = None


def answer(what: Answer) -> Response:
    """The error as whoever asked can take it in."""
    if wants_problem():
        response = problem(what.status, what.sentence, code=what.code, faults=what.faults)
    else:
        response = _page(what)
        if wants_fragment():
            # whatever was to be replaced stays as it is; the words go to the place for them
            response.headers["HX-Retarget"] = "#flash"
            response.headers["HX-Reswap"] = "innerHTML"
    if what.retry_at is not None:
        seconds = (what.retry_at - services().clock.now()).total_seconds()
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if what.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="portal"'
    return response


def _page(what: Answer) -> Response:
    title = _TITLES_BY_CODE.get(what.code, _TITLES.get(what.status, HTTPStatus(what.status).phrase))
    try:
        # where there is no page, nobody has looked yet who asks
        if request.endpoint is None and is_signed_in():
            speak_as_chosen_by(current_user().affiliate)
        return render(
            "errors/error.html",
            "errors/_error.html",
            status=what.status,
            title=title,
            sentence=what.sentence,
            code=what.code,
            faults=what.faults,
            retry_at=what.retry_at,
        )
    except (SQLAlchemyError, TemplateError):
        # the frame around the page needs what has just failed; people still get an answer
        _log.exception("error_page.failed")
        plain = f"{said(title)}. {said(what.sentence)}\n"
        return Response(plain, status=what.status, content_type="text/plain; charset=utf-8")


def refused(refusal: PortalError) -> Response:
    """A refusal in its own words."""
    faults: Sequence[tuple[str, str]] = getattr(refusal, "problems", ())
    return answer(Answer(refusal.status, refusal.code, refusal.sentence, faults, refusal.retry_at))


def _http(error: HTTPException) -> Response | HTTPException:
    """What Flask or Werkzeug refuses, and what broke: in our words, never in those of the code inside."""
    status = error.code or 500
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:
        return error  # an answer already, or a redirect
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    words = {**_SENTENCES, **_DETAILS} if wants_problem() else _SENTENCES
    sentence = words.get(status, f"{HTTPStatus(status).phrase}.")
    if isinstance(error, CSRFError):
        code, sentence = "csrf", _CSRF_SENTENCE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request.failed", path=request.path, status=status, endpoint=request.endpoint)
    response = answer(Answer(status, code, sentence))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(cast(Sequence[str], allowed)))
    return current_app.make_response(response)


def register(app: Flask) -> None:
    """One handler for refusals, one for everything else that is an HTTP error."""
    app.register_error_handler(PortalError, refused)
    app.register_error_handler(HTTPException, _http)
