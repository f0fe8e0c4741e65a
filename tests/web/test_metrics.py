"""`GET /metrics`: what stands in it, what does not, and what it costs."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from portal.config import PROJECT_ROOT
from portal.domain.webhooks import fingerprint
from portal.services.metrics import KEPT_FOR
from portal.version import VERSION
from portal.wiring import db
from tests.clocks import MovableClock
from tests.databases import on_sqlite, statements_of
from tests.services.programme import Programme
from tests.services.stand_in import signed

EVENT = {"object": "event", "type": "from.the.future", "livemode": False}
CONNECT = "whsec_connect_test"


@pytest.fixture
def programme(portal_app: Flask, stand_in: Flask, clock: MovableClock) -> Any:
    with portal_app.app_context():
        yield Programme(portal_app, stand_in, clock)


def scraped(programme: Programme) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels."""
    answer = programme.app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    families = text_string_to_metric_families(answer.text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_everything_that_is_watched_stands_in_it(programme: Programme) -> None:
    programme.approved(12_345)
    programme.run()
    programme.request(programme.verified(earned=98_765))
    event = EVENT | {"id": "evt_1", "account": "acct_1"}
    programme.services.stripe_events.receive(*signed(event, at=programme.clock.real_now(), secret=CONNECT))
    programme.clock.advance(hours=1)
    (slot,) = programme.services.timetable.take_due(only="reconcile")
    programme.services.timetable.finish(slot, {})
    programme.services.verification.run(trigger="timetable")
    programme.clock.advance(minutes=1)
    programme.app.test_client().post("/webhooks/stripe", data=b"{}")
    found = scraped(programme)
    webhook = "portal_webhook_"
    expected = {
        (f"{webhook}last_event_age_seconds", "accounts"): 3_660,
        (f"{webhook}secret_last_event_age_seconds", "accounts", fingerprint(CONNECT)): 3_660,
        (f"{webhook}events_waiting",): 1,
        (f"{webhook}events_parked",): 0,
        (f"{webhook}refused_last_day", "bad_signature"): 1,
        (f"{webhook}refused_last_day", "too_old"): 0,
        ("portal_job_last_success_age_seconds", "reconcile"): 60,
        ("portal_payouts_open", "requested"): 1,
        ("portal_payouts_open", "held"): 0,
        ("portal_payouts_newest", "paid"): 1,
        ("portal_payouts_newest", "requested"): 1,
        ("portal_mails_parked",): 0,
        ("portal_sending_halted",): 0,
        ("portal_needs_a_person", "requested"): 1,
        ("portal_needs_a_person", "stuck"): 0,
        ("portal_oldest_request_age_seconds",): 3_660,
        ("portal_webhook_events_missed_last_day",): 0,
        ("portal_verification_last_run_age_seconds",): 60,
        ("portal_verification_last_run_accounts", "unchanged"): 2,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["portal_mails_waiting",] > 0
    assert [values[-1] for values in found if values[0] == "portal_build_info"] == [VERSION]
    assert (f"{webhook}last_event_age_seconds", "platform") not in found


@on_sqlite
def test_every_card_of_the_overview_has_its_sample_and_says_the_same(programme: Programme) -> None:
    programme.approved(20_000)
    programme.stripe.set_balance(usd=5_000)
    programme.services.platform_balance.look()
    found = scraped(programme)
    cards = {values[1]: count for values, count in found.items() if values[0] == "portal_needs_a_person"}
    assert cards == {need.value: count for need, count in programme.services.overview.get().needs.items()}
    assert cards["short"] == 1
    assert found["portal_balance_covers", "usd"] == 0


@on_sqlite
def test_it_names_nobody_and_no_amount(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=98_765)
    programme.request(affiliate_id)
    text = programme.app.test_client().get("/metrics").text
    affiliate = programme.get(affiliate_id)
    secrets = programme.services.settings.stripe_webhook_secrets
    private = [affiliate.code, affiliate.email, affiliate.stripe_account_id, "98765", "987.65", *secrets]
    assert not [each for each in private if each and each in text]


@on_sqlite
def test_a_job_that_failed_at_its_slot_is_not_taken_for_done(programme: Programme) -> None:
    programme.clock.advance(hours=1)
    (slot,) = programme.services.timetable.take_due(only="reconcile")
    programme.services.timetable.finish(slot, {"problem": "Stripe was away"})
    assert ("portal_job_last_success_age_seconds", "reconcile") not in scraped(programme)


@on_sqlite
def test_many_scrapes_ask_the_database_once_in_ten_seconds(programme: Programme) -> None:
    with statements_of(db.engine) as asked:
        scraped(programme)
        first = len(asked)
        for _ in range(50):
            scraped(programme)
        assert len(asked) == first
        programme.clock.advance(seconds=KEPT_FOR.total_seconds())
        scraped(programme)
        assert first < len(asked) <= 2 * first


def test_it_says_the_version_that_the_project_has() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
