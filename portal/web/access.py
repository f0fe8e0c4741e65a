"""Who may open which view. Everything is denied that does not say otherwise: a view carries `@access(…)`, and one
without answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, Response, current_app, g, redirect, request, url_for
from flask_login import LoginManager
from flask_login import current_user as login_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Forbidden

from portal.domain.errors import NotFound, PortalError
from portal.domain.languages import Language
from portal.domain.sentences import Sentence
from portal.models import ActorKind, Affiliate, ApiToken
from portal.models.base import new_id
from portal.services.journal import Cause
from portal.services.people import CurrentUser, OperatorMayOnlyLook, OperatorRole
from portal.services.tokens import Scope, may
from portal.web.local_paths import page_to_come_back_to
from portal.web.problems import wants_problem
from portal.web.rendering import wants_fragment
from portal.web.session_cookie import shown_token
from portal.wiring import services

#: public: anybody. person: anybody signed in. affiliate: a person with an affiliate record. operator: one of the
#: business's. api: a machine with a token. stripe: Stripe, which proves itself by its signature.
AccessKind = Literal["public", "person", "affiliate", "operator", "api", "stripe"]

_MARK = "portal_access"
_READING_METHODS = {"GET", "HEAD", "OPTIONS"}

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule:
    """Who may open a view; `scope` is what a machine's token must reach."""

    kind: AccessKind
    scope: Scope | None = None


@dataclass(frozen=True)
class SignedInPerson:
    """A `CurrentUser` as Flask-Login and the templates know it."""

    user: CurrentUser
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def name(self) -> str:
        return self.user.name or self.user.email

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def is_operator(self) -> bool:
        return self.user.is_operator

    def get_id(self) -> str:
        return str(self.user.user_id)


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


def access(kind: AccessKind, *, scope: Scope | None = None) -> Callable[[View], View]:
    """Say who may open a view. The innermost decorator but the route's own needs no order: it only marks."""

    def mark(view: View) -> View:
        setattr(view, _MARK, Rule(kind, scope))
        return view

    return mark


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """What a view says about who may open it; None denies it to everybody."""
    rule = getattr(view, _MARK, None)
    return rule if isinstance(rule, Rule) else None


def current_user() -> CurrentUser:
    """The person who is signed in; for views of the kinds person, affiliate and operator."""
    person = login_user._get_current_object()
    if not isinstance(person, SignedInPerson):
        raise RuntimeError("a view asked who is signed in without demanding it by @access")
    return person.user


def is_signed_in() -> bool:
    """Whether anybody is; for public pages."""
    return bool(login_user.is_authenticated)


def person_seen() -> CurrentUser | None:
    """Who is signed in, if this request had a reason to look; looks for nobody itself."""
    person = g.get("person_seen")
    return person if isinstance(person, CurrentUser) else None


def current_affiliate() -> Affiliate:
    """The affiliate of the person who is signed in, as read at the beginning of the request; for affiliate views."""
    affiliate = g.get("affiliate")
    if not isinstance(affiliate, Affiliate):
        raise RuntimeError("a view asked for the affiliate without demanding one by @access")
    return affiliate


def request_id() -> str:
    """Names this request in the logs, in the audit trail and in its answer's X-Request-ID."""
    if "request_id" not in g:
        g.request_id = new_id().hex
    return str(g.request_id)


def cause() -> Cause:
    """Who does what this request changes, and that it was this request."""
    why = f"request:{request_id()}"
    token = g.get("api_token")
    if isinstance(token, ApiToken):
        return Cause(ActorKind.machine, str(token.id), why)
    person = login_user._get_current_object()
    if not isinstance(person, SignedInPerson):
        return Cause(ActorKind.system, None, why)
    rule = rule_of(current_app.view_functions[request.endpoint or ""])
    actor = ActorKind.operator if rule and rule.kind == "operator" else ActorKind.affiliate
    return Cause(actor, str(person.user.user_id), why)


def leave_for(address: str) -> Response:
    """303, or under htmx the header that makes the whole page go there."""
    if wants_fragment():
        response = Response(status=200)
        response.headers["HX-Redirect"] = address
        return response
    return current_app.make_response(redirect(address, 303))


def _to_sign_in() -> Response:
    if wants_problem():
        raise SignInIsNeeded(Sentence("Sign in first."))
    response = leave_for(url_for("auth.sign_in", next=page_to_come_back_to(services().settings.base_url)))
    if wants_fragment():
        response.status_code = 401
    return response


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
            return _to_sign_in()
        case "operator":
            g.language = Language.en
            _check_operator(current_user().role)
            return None
        case "affiliate":
            g.affiliate = current_user().affiliate
            if g.affiliate is not None:
                g.time_zone, g.language = g.affiliate.time_zone, g.affiliate.language
            first_page = "operator.overview" if current_user().is_operator else "auth.first_page"
            return None if g.affiliate is not None else leave_for(url_for(first_page))
        case "person":
            return None


def _check_operator(role: OperatorRole | None) -> None:
    if role is None:
        raise NotFound(Sentence("There is no such page."))
    if role is OperatorRole.viewer and request.method not in _READING_METHODS:
        raise OperatorMayOnlyLook("You may look at everything here, and change nothing.")


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
    user = services().access.resolve(token) if token else None
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
        setattr(app.view_functions["static"], _MARK, Rule("public"))
