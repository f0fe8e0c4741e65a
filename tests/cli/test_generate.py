"""Generated databases: plausible, whole, the same for the same seed, and never in production."""

from __future__ import annotations

import json

import sqlalchemy as sa
from flask import Flask

from portal import create_app
from portal.config import settings_from
from portal.domain.accounts import AccountStatus
from portal.domain.ledger import AccountKind
from portal.domain.payouts import PayoutStatus
from portal.models import Affiliate, Base, LedgerAccount, LedgerEntry, Payout
from portal.services.ledger import EarningData
from portal.wiring import db, services
from tests.clocks import MovableClock
from tests.conftest import TEST_SETTINGS
from tests.services.programme import TEST
from tests.test_config import PRODUCTION

#: Everything but what names the database itself.
_OWN = {"installation", "alembic_version"}


def generate(app: Flask, *arguments: str) -> dict[str, object]:
    result = app.test_cli_runner().invoke(args=["generate", "--json", *arguments])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_what_is_generated_keeps_every_promise_of_the_books(portal_app: Flask) -> None:
    told = generate(portal_app, "--affiliates", "150", "--payouts", "2000", "--entries", "9000")
    with portal_app.app_context():
        assert services().selfcheck.run() == []
        trail = services().audit_chain.verify()
        assert (trail.is_whole, trail.waiting) == (True, 0)
        with db.engine.connect() as connection:
            count = sa.select(sa.func.count())
            assert connection.scalar(count.select_from(Payout)) == told["payouts"] == 2000
            assert connection.scalar(count.select_from(Affiliate)) == told["affiliates"] == 150
            assert 8_000 < (connection.scalar(count.select_from(LedgerEntry)) or 0) < 12_000
            assert set(connection.scalars(sa.select(Payout.status))) == set(PayoutStatus)
            assert set(connection.scalars(sa.select(Affiliate.stripe_account_status))) == {
                *AccountStatus,
                None,
            }


def test_life_goes_on_in_it_by_the_database_s_own_rules(portal_app: Flask) -> None:
    generate(portal_app, "--affiliates", "30")
    generate(portal_app, "--affiliates", "20", "--seed", "2")
    with portal_app.app_context():
        one = services().affiliates.by_code("gen2-000000")
        before = services().ledger.balances(one.id)
        at = services().clock.now()
        earning = EarningData("order-1", one.code, 1_234, one.currency, at, "A sale")
        services().ledger.post_earnings([earning], cause=TEST)
        after = services().ledger.balances(one.id)
        assert after.on_hold.amount == before.on_hold.amount + 1_234
        services().affiliates.block(one.code, message="Wait.", cause=TEST)
        services().audit_chain.seal()
        assert services().selfcheck.run() == []


def test_the_same_seed_makes_the_same_rows_on_both_databases(
    sqlite_url: str, postgresql_url: str, clock: MovableClock
) -> None:
    found = []
    for url in (sqlite_url, postgresql_url):
        app = create_app(settings_from({**TEST_SETTINGS, "DATABASE_URL": url}), clock=clock)
        generate(app, "--affiliates", "40", "--seed", "7")
        with app.app_context():
            with db.engine.connect() as connection:
                found.append({name: _rows(connection, table) for name, table in Base.metadata.tables.items()})
            db.engine.dispose()
    assert found[0].keys() == found[1].keys()
    assert [name for name, rows in found[0].items() if rows != found[1][name] and name not in _OWN] == [
        "payout_attempts",  # their requests name the installation
    ]


def test_a_busy_affiliate_has_thousands_of_entries(portal_app: Flask) -> None:
    generate(portal_app, "--affiliates", "20", "--payouts", "100", "--entries", "5000")
    with portal_app.app_context(), db.engine.connect() as connection:
        (busiest, *others) = connection.scalars(
            sa.select(sa.func.count())
            .group_by(LedgerEntry.affiliate_id)
            .select_from(LedgerEntry)
            .order_by(sa.func.count().desc())
        )
        assert busiest > 2_000 > 5 * max(others)
        earned = sa.select(sa.func.min(LedgerAccount.balance)).where(LedgerAccount.kind == AccountKind.earned)
        assert (connection.scalar(earned) or 0) < 0


def test_production_is_left_alone(database_url: str) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if name != "REDIS_URL"}
    app = create_app(settings_from({**environment, "DATABASE_URL": database_url}))
    result = app.test_cli_runner().invoke(args=["generate", "--affiliates", "10"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "This is production: nothing is made up here." in result.stderr
    with app.app_context():
        with db.engine.connect() as connection:
            assert connection.scalar(sa.select(Affiliate.id)) is None
        db.engine.dispose()


def test_a_seed_is_used_once(portal_app: Flask) -> None:
    generate(portal_app, "--affiliates", "5")
    result = portal_app.test_cli_runner().invoke(args=["generate", "--affiliates", "5"])
    assert result.exit_code == 1
    assert "This seed was used here before. Give another --seed." in result.stderr


def _rows(connection: sa.Connection, table: sa.Table) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in connection.execute(sa.select(table))), key=str)
