"""What a page asks of the database: as much for a history of thousands of entries as for none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.domain.ledger import AccountKind, EntryKind
from portal.models import Earning, LedgerAccount, LedgerEntry
from portal.models.base import new_id
from portal.wiring import db
from tests.databases import statements_of
from tests.web.pages.conftest import Partner

#: Signed in, session and all: what the dashboard may cost.
MOST = 5


@pytest.fixture
def busy(verified: Partner) -> Partner:
    """Thousands of entries over several months, with payouts and holds of every age."""
    for month in range(3):
        add_sales(verified, [f"{month}-{number}" for number in range(900)])
        verified.send(verified.get("/payouts/new"), "/payouts", amount="100.00")
        verified.pays()
        verified.wait(days=31)
    return verified


def add_sales(partner: Partner, references: Sequence[str]) -> None:
    """Commissions of the last two months, in two statements: one by one they would take longer than all the rest."""
    row, now = partner.row(), partner.clock.now()
    shared = {"affiliate_id": row.id, "amount": 900, "currency": row.currency, "created_at": now}
    with partner.app.app_context(), db.session.begin():
        accounts = dict(
            db.session.execute(
                sa.select(LedgerAccount.kind, LedgerAccount.id).where(LedgerAccount.affiliate_id == row.id)
            ).all()
        )
        earnings = [
            {
                "id": new_id(), "reference": reference, "description": "", "held": 0, "occurred_at": now,
                "available_at": now + timedelta(days=day % 60 - 30), **shared,
            }
            for day, reference in enumerate(references)
        ]  # fmt: skip
        entries = [
            {
                "kind": EntryKind.earn, "source": "earning", "reference": each["reference"], "earning_id": each["id"],
                "debit_account_id": accounts[AccountKind.earned], "credit_account_id": accounts[AccountKind.on_hold],
                **shared,
            }
            for each in earnings
        ]  # fmt: skip
        db.session.execute(sa.insert(Earning), earnings)
        db.session.execute(sa.insert(LedgerEntry), entries)


def sent_for(partner: Partner, path: str) -> list[str]:
    with partner.app.app_context(), statements_of(db.engine) as sent:
        assert partner.client.get(path, headers={"HX-Request": "true"}).status_code in {200, 204}
    return sent


def test_the_dashboard_takes_five_statements_at_most(ada: Partner) -> None:
    assert len(sent_for(ada, "/dashboard")) <= MOST


def test_and_no_more_with_thousands_of_entries(busy: Partner) -> None:
    busy.get("/dashboard")  # the first look in a month writes down the months before
    assert len(sent_for(busy, "/dashboard")) <= MOST - 1
    busy.clock.advance(minutes=2)  # now and then it is noted that the session is in use
    assert len(sent_for(busy, "/dashboard")) <= MOST


def test_a_poll_without_news_asks_for_the_session_alone(ada: Partner) -> None:
    mark = ada.set_up("review").location.partition("since=")[2]
    path = f"/stripe/status?seen={ada.row().version}&since={mark}"
    ada.ask(path)
    sent = sent_for(ada, path)
    assert len(sent) == 1, sent


def test_and_one_for_the_balances_for_the_offer_besides(ada: Partner) -> None:
    path = ada.get("/dashboard").html.one(id="balances").attributes["hx-get"]
    ada.ask(path)
    sent = sent_for(ada, path)
    assert len(sent) == 3, sent
