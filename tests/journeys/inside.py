"""An installation from within: the same services on the same database, to get an affiliate where a test begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal import create_app
from portal.clock import Clock
from portal.config import settings_from
from portal.models import ActorKind, Payout
from portal.services.affiliates import AffiliateData
from portal.services.journal import Cause
from portal.services.ledger import EarningData
from portal.wiring import Services, db, services
from tests.journeys.running import RunningPortal

CAUSE = Cause(ActorKind.machine, None, "journey")


@contextmanager
def inside(portal: RunningPortal, *, clock: Clock | None = None) -> Iterator[Services]:
    """The services of an app in this process; its connections are closed with the block."""
    app = create_app(settings_from(portal.settings), clock=clock)
    with app.app_context():
        try:
            yield services()
        finally:
            db.session.remove()
            db.engine.dispose()


def affiliate_with(here: Services, code: str, *, amount: int) -> UUID:
    """An affiliate of the host business's with one earning, in cents, whose hold has passed."""
    affiliate, _ = here.affiliates.put(
        code, AffiliateData(email=f"{code}@example.com", name=code), cause=CAUSE
    )
    earning = EarningData(
        reference=f"order-{code}",
        affiliate_code=code,
        amount=amount,
        currency="usd",
        occurred_at=here.clock.now() - timedelta(days=60),
        description="",
    )
    here.ledger.post_earnings([earning], cause=CAUSE)
    return affiliate.id


def verified_at_stripe(portal: RunningPortal, here: Services, affiliate_id: UUID) -> str:
    """Give the affiliate an account that can be paid; its id."""
    here.onboarding.start(affiliate_id, cause=CAUSE)
    account_id = here.affiliates.get(affiliate_id).stripe_account_id
    assert account_id
    portal.control(f"accounts/{account_id}/fate", {"fate": "approve"})
    here.accounts.sync(affiliate_id, cause=CAUSE)
    return account_id


def approved_payout(portal: RunningPortal, here: Services, code: str, *, amount: int) -> Payout:
    """A payout of all that a verified affiliate has, which only waits to be sent."""
    affiliate_id = affiliate_with(here, code, amount=amount)
    verified_at_stripe(portal, here, affiliate_id)
    return here.payouts.request(
        affiliate_id, amount="", request_key=f"key-{code}", requested_by=None, cause=CAUSE
    )


def assert_books_balance(here: Services, affiliate_id: UUID, **expected: int) -> None:
    """The affiliate's balances are these and all others zero, and what left one account arrived in another."""
    balances = here.ledger.balances(affiliate_id)
    shown = {
        name: getattr(balances, name).amount
        for name in ("on_hold", "available", "reserved", "paid_out", "owed")
    }
    assert shown == dict.fromkeys(shown, 0) | expected
    total = db.session.scalar(sa.text("SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts"))
    db.session.rollback()
    assert total == 0
