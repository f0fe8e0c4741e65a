"""Who may open which view. Everything is denied that does not say otherwise: a view carries `@access(…)`, and one
without answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Response, current_app, g, redirect, request
from flask_login import current_user as login_user

from portal.domain.roles import Act
from portal.models import ActorKind, Affiliate, ApiToken
from portal.models.base import new_id
from portal.services.journal import Cause
from portal.services.people import CurrentUser
from portal.services.tokens import Scope
from portal.web.rendering import wants_fragment

#: public: anybody. person: anybody signed in. affiliate: a person with an affiliate record. operator: one of the
#: business's. api: a machine with a token. stripe: Stripe, which proves itself by its signature.
AccessKind = Literal["public", "person", "affiliate", "operator", "api", "stripe"]

MARK = "portal_access"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule:
    """Who may open a view."""

    kind: AccessKind
    scope: Scope | None = None
    """What a machine's token must reach."""
    act: Act | Callable[[], Act] | None = None
    """What an operator's role must allow; None is looking, and allows no change."""
    form_at: str | None = None
    """The endpoint of the page whose form is sent here, for what asks for a recent sign-in."""

    def act_now(self) -> Act | None:
        """The act; where it depends on what was sent, that of this request."""
        return self.act() if callable(self.act) else self.act


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


def access(
    kind: AccessKind,
    *,
    scope: Scope | None = None,
    act: Act | Callable[[], Act] | None = None,
    form_at: str | None = None,
) -> Callable[[View], View]:
    """Say who may open a view. The innermost decorator but the route's own needs no order: it only marks. What asks
    for a recent sign-in says where its form stands: an affiliate's view by naming it, an operator's if its act is
    sensitive."""
    if isinstance(act, Act) and act.is_sensitive and form_at is None:
        raise TypeError(f"{act} asks for a recent sign-in: say by form_at where the form stands")

    def mark(view: View) -> View:
        setattr(view, MARK, Rule(kind, scope, act, form_at))
        return view

    return mark


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """What a view says about who may open it; None denies it to everybody."""
    rule = getattr(view, MARK, None)
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


def speak_as_chosen_by(affiliate: Affiliate | None) -> None:
    """From here on the page is in the affiliate's own language and time zone."""
    if affiliate is not None:
        g.time_zone, g.language = affiliate.time_zone, affiliate.language


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
