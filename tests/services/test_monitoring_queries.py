"""The queries that people who watch over affiliates keep at hand run on the tables as they stand."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.models import Affiliate
from portal.wiring import db
from tests.services.programme import Programme

STATUSES = """
SELECT
  code,
  stripe_account_status,
  stripe_onboarding_complete,
  total_earned,
  created_at
FROM affiliates
ORDER BY created_at DESC;
"""

STUCK_IN_PENDING = """
SELECT
  code,
  stripe_account_id,
  stripe_account_status,
  created_at
FROM affiliates
WHERE stripe_account_status = 'pending'
  AND stripe_account_id IS NOT NULL
  AND created_at < NOW() - INTERVAL '7 days';
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_statuses_and_accounts_stuck_in_pending_are_found_by_plain_sql(programme: Programme) -> None:
    programme.clock.advance(days=-8)
    verified = programme.get(programme.verified(earned=5_000))
    programme.clock.advance(seconds=1)
    stuck_id = programme.affiliate()
    programme.onboard(stuck_id, fate=None)
    programme.clock.advance(days=8)
    young_id = programme.affiliate()
    programme.onboard(young_id, fate=None)
    programme.clock.advance(seconds=1)
    newest = programme.affiliate()
    with db.engine.connect() as connection:
        statuses = connection.execute(sa.text(STATUSES)).all()
        stuck = connection.execute(sa.text(STUCK_IN_PENDING)).all()
    assert [row[:4] for row in statuses] == [
        (programme.get(newest).code, None, False, 0),
        (programme.get(young_id).code, "pending", False, 0),
        (programme.get(stuck_id).code, "pending", False, 0),
        (verified.code, "verified", True, 5_000),
    ]
    assert [row.code for row in stuck] == [programme.get(stuck_id).code]
    assert stuck[0].created_at < programme.clock.now() - timedelta(days=7)


def test_who_never_began_at_stripe_is_not_stuck(programme: Programme) -> None:
    """The first status is null, so a query for `pending` does not find those who have not begun."""
    programme.affiliate()
    with db.engine.connect() as connection:
        pending = connection.execute(
            sa.select(Affiliate.code).where(Affiliate.stripe_account_status == "pending")
        )
        assert pending.all() == []
