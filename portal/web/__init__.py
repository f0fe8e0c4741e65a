"""The web: what a browser, a machine and Stripe see of the portal."""

from __future__ import annotations

from flask import Flask

from portal.web import (
    api,
    api_verification,
    auth,
    compression,
    dashboard,
    earnings,
    errors,
    guard,
    headers,
    health,
    limits,
    metrics,
    onboarding,
    operator,
    payouts,
    preferences,
    rendering,
    settings_page,
    statements,
    webhooks,
)


def register_web(app: Flask) -> None:
    """Add every view, closed by default. The services must be wired already."""
    rendering.register(app)
    guard.register(app)
    errors.register(app)
    headers.register(app)
    compression.register(app)
    affiliates_pages = (
        auth,
        dashboard,
        preferences,
        settings_page,
        onboarding,
        payouts,
        earnings,
        statements,
    )
    for views in (*affiliates_pages, operator, api, api_verification, webhooks, health, metrics):
        views.register(app)
    limits.register(app)  # last: it goes around views that are there
