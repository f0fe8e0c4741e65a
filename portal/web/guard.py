"""The guard before every view: is whoever asks allowed in, does the form come from this site, and did they sign in
lately enough for what they are about to do? Everything is denied that does not say otherwise.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, Response, current_app, g, request, url_for
from flask_login import LoginManager
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Forbidden

from portal.domain.errors import NotFound, PortalError
from portal.domain.languages import Language
from portal.domain.roles import Act, OperatorRole, refuse_weak
from portal.domain.sentences import Sentence
from portal.models import ApiToken
from portal.services.tokens import Scope, may
from portal.web.access import (
    MARK,
    Rule,
    SignedInPerson,
    current_user,
    is_signed_in,
    leave_for,
    request_id,
    rule_of,
    speak_as_chosen_by,
)
from portal.web.kept_forms import keep_form
from portal.web.local_paths import page_to_come_back_to
from portal.web.problems import wants_problem
from portal.web.rendering import wants_fragment
from portal.web.session_cookie import shown_token
from portal.wiring import services

_READING_METHODS = {"GET", "HEAD", "OPTIONS"}


class SignInIsNeeded(PortalError):
    """Nobody is signed in, and the answer can't be a page that asks for it."""

    status = 401
    code = "sign_in_needed"


class TokenIsNotAccepted(PortalError):
    """A machine came without a token, or with one that is not in use."""

    status = 401
    code = "token_not_accepted"


class TokenDoesNotReachThis(PortalError):
    """The token is good, but was made for something else."""

    status = 403
    code = "insufficient_scope"


class SignInIsTooOld(PortalError):
    """A program wants to do what asks for a sign-in of the last 30 minutes."""

    status = 401
    code = "recent_sign_in_needed"


def _to_sign_in(**parameters: Any) -> Response:
    response = leave_for(url_for("auth.sign_in", **parameters))
    if wants_fragment():
        response.status_code = 401
    return response


def _to_first_sign_in() -> Response:
    if wants_problem():
        raise SignInIsNeeded(Sentence("Sign in first."))
    return _to_sign_in(next=page_to_come_back_to(services().settings.base_url))


def _asks_for_recent_sign_in(rule: Rule) -> Response | None:
    """Whoever signed in too long ago does it again, and finds the form as it was; nothing is done by itself."""
    act = rule.act_now()
    is_sensitive = act.is_sensitive if act is not None else rule.form_at is not None
    if not is_sensitive or current_user().is_recent(services().clock.real_now()):
        return None
    if wants_problem():
        raise SignInIsTooOld(Sentence("Sign in again first: this asks for a sign-in of the last 30 minutes."))
    page = url_for(str(rule.form_at), **(request.view_args or {}), kept=keep_form(current_user().user_id))
    return _to_sign_in(again=1, next=page)


def _guard() -> Response | None:
    """Before every view: may this one be opened by whoever asks?"""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return None  # no such address, or not by this method: routing says so itself
    rule = rule_of(view)
    if rule is None:
        raise Forbidden
    answer = _check(rule)
    if answer is None and rule.kind not in {"api", "stripe"}:
        current_app.extensions["csrf"].protect()
        _check_origin()
        return _asks_for_recent_sign_in(rule)
    return answer


def _check_origin() -> None:
    """On https a form must also say that it comes from this site; which that is, the setting says, not the Host
    header, which is a proxy's to change."""
    if request.is_secure and request.method not in _READING_METHODS:
        named, ours = (
            urlsplit(request.origin or request.referrer or ""),
            urlsplit(services().settings.base_url),
        )
        if (named.scheme, named.netloc) != (ours.scheme, ours.netloc):
            raise CSRFError("The form comes from another site.")


def _check(rule: Rule) -> Response | None:
    match rule.kind:
        case "public" | "stripe":
            return None
        case "api":
            g.api_token = _machine(rule.scope)
            return None
        case _ if not is_signed_in():
            return _to_first_sign_in()
        case "operator":
            g.language = Language.en
            _check_operator(current_user().role, rule)
            return None
        case "affiliate":
            g.affiliate = current_user().affiliate
            speak_as_chosen_by(g.affiliate)
            first_page = "operator.overview" if current_user().is_operator else "auth.first_page"
            return None if g.affiliate is not None else leave_for(url_for(first_page))
        case "person":
            return None


def _check_operator(role: OperatorRole | None, rule: Rule) -> None:
    if role is None:
        raise NotFound(Sentence("There is no such page."))
    act = rule.act_now()
    if act is None and request.method not in _READING_METHODS:
        raise Forbidden  # a change that says of no role that it may
    refuse_weak(role, act or Act.look)


def _machine(scope: Scope | None) -> ApiToken:
    shown = request.authorization
    bearer = shown.token if shown is not None and shown.type == "bearer" else None
    if not bearer:
        raise TokenIsNotAccepted("Send a token: Authorization: Bearer …")
    token = services().access.token(bearer)
    if token is None:
        raise TokenIsNotAccepted("This token is unknown or was revoked.")
    if scope is not None and not may(token, scope):
        raise TokenDoesNotReachThis(f"This token was made without the scope {scope}.")
    return token


def _person_of(_request: Request) -> SignedInPerson | None:
    token = shown_token()
    # a page that looks again by itself says what it has seen; it may be open where nobody is
    is_click = not (wants_fragment() and "seen" in request.args)
    user = services().access.resolve(token, is_click=is_click) if token else None
    g.person_seen = user
    return SignedInPerson(user) if user else None


def _name_the_request() -> None:
    structlog.contextvars.bind_contextvars(request_id=request_id())


def _forget_the_request(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")


def register(app: Flask) -> None:
    """Close the app: from now on only what a view's marker allows."""
    with app.app_context():
        settings = services().settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks) or None,
        # Flask's own session holds the form tokens and what a sign-in under way must remember, no identity
        SESSION_COOKIE_NAME="portal_state",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        # who is signed in stands in our own cookie; Flask-Login's is never set and must not be mistaken for another's
        REMEMBER_COOKIE_NAME="portal_unused",
        SESSION_PROTECTION=None,
        # far above every form and every event of Stripe's; views that take more say so
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        WTF_CSRF_CHECK_DEFAULT=False,  # _guard checks, once it knows whom the view is for
        WTF_CSRF_SSL_STRICT=False,  # _check_origin compares with the setting instead of the Host header
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser's session: a page left open overnight still works
    )
    CSRFProtect(app)
    login = LoginManager(app)
    login.request_loader(_person_of)
    app.before_request(_name_the_request)
    app.before_request(_guard)
    app.teardown_request(_forget_the_request)
    if "static" in app.view_functions:
        setattr(app.view_functions["static"], MARK, Rule("public"))
