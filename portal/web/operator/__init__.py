"""What operators see and do: one module for each of their pages, all below /operator/."""

from __future__ import annotations

from flask import Flask

from portal.web.operator import (
    affiliates,
    audit,
    blocking,
    decisions,
    overview,
    payouts,
    reconciliation,
    runs,
    sending,
    tokens,
    verification,
    webhooks,
)
from portal.web.operator.fields import may, who_may
from portal.web.operator.words import action_words


def register(app: Flask) -> None:
    """Add every page, and the words that their tables share."""
    app.jinja_env.filters["action_words"] = action_words
    app.jinja_env.globals.update(may=may, who_may=who_may)
    for views in (
        overview,
        sending,
        payouts,
        decisions,
        runs,
        affiliates,
        blocking,
        webhooks,
        verification,
        reconciliation,
        audit,
        tokens,
    ):
        views.register(app)
