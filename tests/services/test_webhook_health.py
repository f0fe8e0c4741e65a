"""What an operator can know of how Stripe is heard, and what counting it costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from portal.domain.webhooks import SELF_TEST_TYPE, WebhookRefusal, WebhookScope, fingerprint
from portal.models import WebhookHearing, WebhookRefusalCount
from portal.services.event_bodies import EventIsNotAccepted
from portal.services.webhook_health import SecretFacts, WebhookFacts, WebhookHealth
from portal.services.webhook_tally import PAUSE_SECONDS
from portal.wiring import db, session
from tests.databases import on_sqlite
from tests.services.programme import Programme
from tests.services.stand_in import signed
from tests.services.test_stripe_events import broken_database

PLATFORM, CONNECT = "whsec_platform_test", "whsec_connect_test"
EVENT = {"object": "event", "type": "from.the.future", "livemode": False}


def facts(programme: Programme) -> WebhookFacts:
    programme.clock.advance(seconds=PAUSE_SECONDS)
    programme.services.webhook_tally.write_what_is_due()
    return programme.services.webhook_health.get()


def refuse(programme: Programme, body: bytes, header: str, times: int = 1) -> None:
    for _ in range(times):
        with suppress(EventIsNotAccepted):
            programme.services.stripe_events.receive(body, header)


@contextmanager
def counted_transactions() -> Iterator[list[str]]:
    """How often a transaction was begun."""
    begun: list[str] = []

    def note(_connection: object) -> None:
        begun.append("begin")

    sa.event.listen(db.engine, "begin", note)
    try:
        yield begun
    finally:
        sa.event.remove(db.engine, "begin", note)


def test_each_scope_and_each_secret_says_when_it_was_heard_last(programme: Programme) -> None:
    began = programme.clock.real_now()
    assert facts(programme).secrets == [
        SecretFacts(fingerprint(PLATFORM), is_set=True, heard={}),
        SecretFacts(fingerprint(CONNECT), is_set=True, heard={}),
    ]
    moments = []
    for number, (secret, account) in enumerate(
        [(PLATFORM, None), (CONNECT, "acct_1"), (CONNECT, "acct_1"), (CONNECT, "acct_1")]
    ):
        programme.clock.advance(minutes=1)
        moments.append(programme.clock.real_now())
        event = EVENT | {"id": f"evt_{number % 3}", "account": account}
        programme.services.stripe_events.receive(*signed(event, at=moments[-1], secret=secret))
    now = facts(programme)
    assert now.heard == {WebhookScope.platform: moments[0], WebhookScope.accounts: moments[3]}
    assert [secret.heard for secret in now.secrets] == [
        {WebhookScope.platform: moments[0]},
        {WebhookScope.accounts: moments[3]},
    ]
    assert began < programme.rows(sa.select(sa.func.min(WebhookHearing.first_at)))[0][0]
    assert PLATFORM not in str(programme.rows(sa.select(WebhookHearing.__table__)))


@on_sqlite
def test_a_secret_that_is_no_longer_set_is_remembered_for_a_month(programme: Programme) -> None:
    now = programme.clock.real_now()
    programme.services.stripe_events.receive(*signed(EVENT | {"id": "evt_1"}, at=now, secret=PLATFORM))
    facts(programme)
    later = WebhookHealth(session, clock=programme.clock, secrets=[CONNECT])
    assert [(each.fingerprint, each.is_set) for each in later.get().secrets] == [
        (fingerprint(CONNECT), True),
        (fingerprint(PLATFORM), False),
    ]
    programme.clock.advance(days=31)
    assert [each.is_set for each in later.get().secrets] == [True]
    assert later.get().heard == {WebhookScope.platform: now}


def test_what_is_refused_is_counted_by_reason(programme: Programme) -> None:
    now = programme.clock.real_now()
    body, header = signed(EVENT | {"id": "evt_1"}, at=now)
    refuse(programme, body + b" ", header)
    refuse(programme, b"\xff", header)
    refuse(programme, body, "nonsense", times=3)
    refuse(programme, *signed(EVENT, at=now - timedelta(minutes=6)))
    refuse(programme, *signed(EVENT, at=now + timedelta(minutes=6)), times=2)
    refuse(programme, *signed(b"[]", at=now))
    refuse(programme, *signed(b"x" * (1024 * 1024 + 1), at=now))
    refuse(programme, *signed(EVENT | {"id": "evt_1", "livemode": True}, at=now))
    now_facts = facts(programme)
    assert now_facts.refused == {
        WebhookRefusal.bad_signature: 5,
        WebhookRefusal.too_old: 1,
        WebhookRefusal.from_the_future: 2,
        WebhookRefusal.not_an_event: 1,
        WebhookRefusal.too_large: 1,
        WebhookRefusal.other_mode: 1,
    }
    assert now_facts.heard == {}
    programme.clock.advance(hours=25)
    assert facts(programme).refused == {}


@on_sqlite
def test_a_flood_of_forged_requests_is_written_at_most_once_a_second(programme: Programme) -> None:
    body, header = signed(EVENT | {"id": "evt_1"}, at=programme.clock.real_now(), secret="whsec_forged")
    with counted_transactions() as begun:
        for _ in range(20):
            refuse(programme, body, header, times=50)
            programme.clock.advance(milliseconds=100)
    assert len(begun) == 2
    assert facts(programme).refused == {WebhookRefusal.bad_signature: 1_000}
    assert len(programme.rows(sa.select(WebhookRefusalCount.count))) <= 2


def test_several_processes_count_together(programme: Programme) -> None:
    tallies = [type(programme.services.webhook_tally)(session, clock=programme.clock) for _ in range(3)]
    for tally in tallies:
        tally.refused(WebhookRefusal.too_old)
        tally.heard(WebhookScope.platform, ["aaaaaaaa"])
    programme.clock.advance(seconds=PAUSE_SECONDS)
    for tally in reversed(tallies):
        tally.write_what_is_due()
    assert facts(programme).refused == {WebhookRefusal.too_old: 3}


@on_sqlite
def test_what_could_not_be_written_is_written_later_and_no_webhook_fails_for_it(programme: Programme) -> None:
    with broken_database():
        refuse(programme, b"{}", "", times=3)
    assert facts(programme).refused == {WebhookRefusal.bad_signature: 3}


@on_sqlite
def test_a_self_test_is_stored_and_ignored_and_is_no_sign_of_stripe(programme: Programme) -> None:
    event = EVENT | {"id": "evt_self", "type": SELF_TEST_TYPE}
    assert programme.receive(event)
    assert programme.services.stripe_events.process_due() == 1
    assert programme.services.event_log.get("evt_self").state == "ignored"
    assert facts(programme).heard == {}


def test_a_scope_is_silent_only_where_something_happened_long_ago(programme: Programme) -> None:
    programme.approved()
    programme.run()
    assert facts(programme).silent == []
    programme.clock.advance(hours=1)
    assert facts(programme).silent == [WebhookScope.platform, WebhookScope.accounts]
    programme.receive(EVENT | {"id": "evt_1", "account": "acct_1"})
    assert facts(programme).silent == [WebhookScope.platform]
    assert facts(programme).needs_a_person


@on_sqlite
def test_rising_refusals_need_a_person_and_the_other_mode_is_none(programme: Programme) -> None:
    refuse(
        programme, *signed(EVENT | {"id": "evt_1", "livemode": True}, at=programme.clock.real_now()), times=20
    )
    assert not facts(programme).needs_a_person
    refuse(programme, b"{}", "", times=10)
    assert facts(programme).have_refusals_risen
    assert facts(programme).needs_a_person
    assert not replace(facts(programme), have_refusals_risen=False).needs_a_person
