"""Many events, each delivered three times, in any order: one state, whatever the order."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import create_app
from portal.config import Settings
from portal.models import (
    Affiliate,
    AuditRow,
    BankPayout,
    CarriedPayout,
    LedgerAccount,
    LedgerEntry,
    OutboxMail,
    Payout,
    WebhookEvent,
)
from portal.wiring import db
from tests.clocks import MovableClock
from tests.services.invariants import assert_books_balance
from tests.services.line import Line
from tests.services.programme import Programme, Row
from tests.services.stand_in import StandIn

#: `EVENTS=1000 SHUFFLES=50` for more; PostgreSQL takes a fifth of the shuffles.
EVENTS = int(os.environ.get("EVENTS", "45"))
SHUFFLES = int(os.environ.get("SHUFFLES", "4"))
DELIVERIES = 3
SEED = int(os.environ.get("SEED", "1"))

#: What an affiliate, an operator and the books can see in the end, without when it was seen.
SEEN = (
    sa.select(
        Affiliate.code, Affiliate.stripe_account_status, Affiliate.stripe_account_detail,
        Affiliate.stripe_onboarding_complete, Affiliate.total_earned, Affiliate.is_blocked,
    ),
    sa.select(Payout.number, Payout.status, Payout.amount, Payout.amount_reversed, Payout.transfer_id),
    sa.select(LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.payout_id, LedgerEntry.reference),
    sa.select(LedgerAccount.affiliate_id, LedgerAccount.kind, LedgerAccount.balance),
    sa.select(BankPayout.id, BankPayout.status, BankPayout.amount, BankPayout.failure_code),
    sa.select(CarriedPayout.bank_payout_id, CarriedPayout.payout_id),
    sa.select(OutboxMail.kind, OutboxMail.affiliate_id),
    sa.select(AuditRow.action, AuditRow.subject_kind, AuditRow.from_value, AuditRow.to_value),
    sa.select(WebhookEvent.id, WebhookEvent.type, WebhookEvent.account_id, WebhookEvent.state),
)  # fmt: skip


def told(programme: Programme) -> list[dict[str, Any]]:
    """Everything that Stripe has to tell of a programme in which much has happened of which the portal knows nothing
    yet: accounts changed and gone, transfers taken back, bank payouts paid and returned. So many events as asked for:
    Stripe tells some of it more than once, under new ids."""
    stripe = programme.stripe
    for number in range(max(4, min(40, EVENTS // 15))):
        affiliate_id = programme.verified(earned=10_000)
        programme.request(affiliate_id)
        programme.run()
        account_id = programme.account_of(affiliate_id)
        paid = stripe.transfers()[-1]
        if number % 4 == 0:
            stripe.reverse(paid["id"], 4_000)
        bank_id = stripe.pay_to_bank(account_id)
        stripe.settle_at_bank(bank_id, "paid")
        if number % 4 == 1:
            stripe.settle_at_bank(bank_id, "failed", failure_code="account_closed")
        for fate in ("restrict", "approve", "review", "restrict")[number % 3 :]:
            stripe.fate(account_id, fate)
        if number % 4 == 2:
            stripe.fate(account_id, "deauthorise")
    events = stripe.events()
    again = [event | {"id": f"{event['id']}_{turn}"} for turn in range(1, 20) for event in events]
    return [*events, *again][:EVENTS]


@contextmanager
def one_more(settings: Settings, url: str, clock: MovableClock, stand_in: Flask) -> Iterator[Programme]:
    """The same portal on another database."""
    app = create_app(
        Settings(**{**vars(settings), "database_url": url}), clock=clock, stripe_transport=Line(stand_in)
    )
    with app.app_context():
        try:
            yield Programme(app, StandIn(stand_in), clock)
        finally:
            db.session.remove()
            db.engine.dispose()


@contextmanager
def copied(url: str, request: pytest.FixtureRequest, folder: Path, name: str) -> Iterator[str]:
    """A copy of a database to which nobody is connected."""
    if url.startswith("sqlite"):
        copy = folder / f"{name}.db"
        with (
            closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as original,
            closing(sqlite3.connect(copy)) as new,
        ):
            original.backup(new)
        yield f"sqlite:///{copy}"
        copy.unlink()
        return
    cluster = request.getfixturevalue("postgresql")
    copy_name = f"copy_{name}"
    try:
        yield cluster.create_database(copy_name, template=url.rpartition("/")[2])
    finally:
        cluster.drop_database(copy_name)


def delivered(programme: Programme, events: list[dict[str, Any]], draw: random.Random) -> None:
    """The events in this order; about six times in between the worker works."""
    for event in events:
        programme.receive(event)
        if draw.random() < 6 / len(events):
            programme.services.stripe_events.process_due()
    programme.services.stripe_events.process_due()
    assert_books_balance(programme)


def seen(programme: Programme) -> list[Counter[Row]]:
    return [Counter(programme.rows(query)) for query in SEEN]


def test_any_order_of_events_delivered_three_times_ends_in_one_state(
    programme: Programme,
    settings: Settings,
    clock: MovableClock,
    stand_in: Flask,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    events = told(programme)
    assert len(events) == EVENTS
    before = seen(programme)
    is_sqlite = db.engine.dialect.name == "sqlite"
    db.session.remove()
    db.engine.dispose()
    first: list[Counter[Row]] | None = None
    for shuffle in range(SHUFFLES if is_sqlite else max(2, SHUFFLES // 5)):
        draw = random.Random(f"{SEED} {shuffle}")
        order = draw.sample(events * DELIVERIES, EVENTS * DELIVERIES)
        name = f"{tmp_path.name}_{shuffle}".lower().replace("-", "_")
        with (
            copied(settings.database_url, request, tmp_path, name) as url,
            one_more(settings, url, clock, stand_in) as copy,
        ):
            delivered(copy, order, draw)
            end = seen(copy)
        first = first or end
        assert end == first, (SEED, shuffle)
    # and the same as each of them once, in the order in which Stripe told them
    delivered(programme, events, random.Random(SEED))
    assert seen(programme) == first != before
    assert sum(seen(programme)[-1].values()) == EVENTS
