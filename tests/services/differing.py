"""Books and Stripe that do not agree, and what a pass says of them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.models import Installation
from portal.services.journal import Cause
from portal.services.reconciliation import PassTally
from tests.services.programme import Programme


def reconcile(programme: Programme) -> PassTally:
    return programme.services.reconciliation.run(cause=Cause.system("reconcile"))


def kinds(tally: PassTally) -> list[tuple[str, str]]:
    return [(difference.kind, difference.id) for difference in tally.differences]


def installation(programme: Programme) -> dict[str, str]:
    return {"installation": str(programme.rows(sa.select(Installation.id))[0][0])}


def is_halted(programme: Programme) -> bool:
    return programme.rows(sa.select(Installation.halted_at))[0][0] is not None


def stray(programme: Programme) -> str:
    """Somebody makes a transfer in our name; its id."""
    account = programme.account_of(programme.verified())
    programme.stripe.transfer_by_hand(
        account, 500, group=f"payout-{UUID(int=7)}", metadata=installation(programme)
    )
    return str(programme.stripe.transfers()[-1]["id"])


def paid(programme: Programme) -> UUID:
    payout_id = programme.approved()
    programme.run()
    return payout_id
