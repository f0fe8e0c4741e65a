"""How often one address, person or machine may ask for what costs others something: sign-in, Stripe, the API.

Limits on money are counted in database rows elsewhere; these only keep a broken script from harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded

from portal.config import Environment
from portal.domain.errors import PortalError
from portal.domain.sentences import Sentence
from portal.models import ApiToken
from portal.web.access import current_user, rule_of
from portal.web.errors import refused
from portal.wiring import services

#: Each begins a conversation with the provider. A person needs one a day, but everybody in an office, or behind a
#: proxy that does not say whom it speaks for, has the same address.
SIGN_IN_LIMIT = "300 per minute"

#: Each asks Stripe, which allows the whole portal tens a second.
STRIPE_LIMIT = "30 per minute"

#: A host that sends every sale as it happens stays far below; it may send 1,000 earnings in one request.
API_LIMIT = "1200 per minute"

#: Not in the test environment, where one address is everybody.
ENABLED_IN = frozenset({Environment.production, Environment.development})

SIGN_IN_VIEWS = ("auth.begin", "auth.callback")
STRIPE_VIEWS = (
    "onboarding.start",
    "onboarding.sync",
    "onboarding.dashboard",
    "onboarding.refresh",
    "operator_affiliates.sync",
)


class TooManyRequests(PortalError):
    """More requests than anybody needs."""

    status = 429
    code = "too_many_requests"


def _address() -> str:
    return request.remote_addr or "unknown"


def _person() -> str:
    return str(current_user().user_id)


def _machine() -> str:
    token = g.get("api_token")
    return str(token.id) if isinstance(token, ApiToken) else _address()


def register(app: Flask) -> None:
    """Put the limits around the views, which must all be there already."""
    with app.app_context():
        settings = services().settings
    limiter = Limiter(
        _address,
        app=app,
        storage_uri=settings.redis_url or "memory://",
        strategy="moving-window",
        # sign-in and payouts go on while Redis is away
        in_memory_fallback_enabled=settings.redis_url is not None,
        key_prefix="portal",
        enabled=settings.environment in ENABLED_IN,
    )
    api_views = [
        name for name, view in app.view_functions.items() if (rule := rule_of(view)) and rule.kind == "api"
    ]
    _limit(app, limiter, SIGN_IN_VIEWS, limit=SIGN_IN_LIMIT, who=_address)
    _limit(app, limiter, STRIPE_VIEWS, limit=STRIPE_LIMIT, who=_person)
    _limit(app, limiter, api_views, limit=API_LIMIT, who=_machine)

    def too_many(_error: RateLimitExceeded) -> Response:
        clock, reached = services().clock, limiter.current_limit
        seconds = 1.0 if reached is None else max(1.0, reached.reset_at - clock.real_now().timestamp())
        retry_at = clock.now() + timedelta(seconds=seconds)
        return refused(
            TooManyRequests(Sentence("Too many requests. Wait a moment, then try again."), retry_at=retry_at)
        )

    app.register_error_handler(RateLimitExceeded, too_many)


def _limit(app: Flask, limiter: Limiter, views: Iterable[str], *, limit: str, who: Callable[[], str]) -> None:
    for name in views:
        if name in app.view_functions:
            limited: Callable[..., Any] = limiter.limit(limit, key_func=who)(app.view_functions[name])
            app.view_functions[name] = limited
