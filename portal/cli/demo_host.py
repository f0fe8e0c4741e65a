"""`python -m portal.cli.demo_host`: the demo's host business, which credits whoever is new with some earnings.

It speaks to the portal as a real one does: by the public API, with a token of its own.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta

import structlog

from portal import create_app
from portal.cli.demo_requests import DemoRequestError, post
from portal.cli.demo_samples import HOST_TOKEN_FILE
from portal.config import settings_from
from portal.models import Affiliate
from portal.wiring import services

#: How long somebody new may look at an empty dashboard.
LOOK_EVERY_SECONDS = 2.0

#: Days before the affiliate came, minor units, of what: three commissions whose hold has passed, and one on hold.
WELCOME = (
    (61, 6_400, "Welcome: annual plan, order 10231"),
    (48, 5_250, "Welcome: team plan, order 10310"),
    (36, 8_150, "Welcome: annual plan, order 10394"),
    (5, 4_900, "Welcome: starter plan, order 10524"),
)

log = structlog.get_logger(__name__)


def main() -> None:
    """Look for new affiliates until a signal ends it."""
    settings = settings_from(os.environ)
    token = (settings.data_directory / HOST_TOKEN_FILE).read_text(encoding="utf-8").strip()
    app = create_app(settings)
    while True:
        with app.app_context():
            affiliates = services().affiliates.all()
        for affiliate in affiliates:
            if affiliate.user_id is not None and affiliate.total_earned == 0:
                _welcome(affiliate, settings.base_url, token)
        time.sleep(LOOK_EVERY_SECONDS)


def _welcome(affiliate: Affiliate, portal: str, token: str) -> None:
    earnings = [
        _earning(affiliate, number, occurred_at=affiliate.created_at - timedelta(days=days))
        for number, (days, _, _) in enumerate(WELCOME)
    ]
    try:
        post(portal, "/api/v1/earnings", body={"earnings": earnings}, token=token)
    except DemoRequestError as problem:
        log.warning("welcome.refused", affiliate=affiliate.code, problem=str(problem))


def _earning(affiliate: Affiliate, number: int, *, occurred_at: datetime) -> dict[str, object]:
    _, amount, description = WELCOME[number]
    return {
        "reference": f"welcome-{affiliate.code}-{number + 1}",
        "affiliate_code": affiliate.code,
        "amount": amount,
        "currency": affiliate.currency,
        "occurred_at": occurred_at.isoformat(),
        "description": description,
    }


if __name__ == "__main__":
    main()
