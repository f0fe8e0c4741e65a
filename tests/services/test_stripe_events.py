"""The inbox: only what Stripe signed, stored first, worked on from Stripe's state and never from a body."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from portal.models import EventState, WebhookEvent
from portal.services.event_bodies import EventIsNotAccepted
from portal.services.stripe_events import TRIES_BEFORE_PARKED
from portal.wiring import db
from tests.services.line import Line
from tests.services.programme import Programme
from tests.services.stand_in import WEBHOOK_SECRET, signed

EVENT: dict[str, Any] = {
    "id": "evt_1", "object": "event", "type": "account.updated", "livemode": False, "account": "acct_unknown",
    "data": {"object": {"id": "acct_unknown", "object": "account"}}, "created": 1_795_000_000,
}  # fmt: skip

THIN: dict[str, Any] = {
    "id": "evt_thin_1", "object": "v2.core.event", "type": "v2.core.account.updated", "livemode": False,
    "created": "2026-11-01T00:00:00.000Z",
    "related_object": {"id": "acct_unknown", "type": "v2.core.account", "url": "/v2/core/accounts/acct_unknown"},
}  # fmt: skip


def stored(programme: Programme) -> dict[str, EventState]:
    rows = programme.rows(sa.select(WebhookEvent.id, WebhookEvent.state))
    return dict(rows)


def work(programme: Programme) -> int:
    return programme.services.stripe_events.process_due()


def receive(programme: Programme, body: bytes, header: str) -> bool:
    return programme.services.stripe_events.receive(body, header)


def test_each_of_our_secrets_is_accepted_and_no_other(programme: Programme) -> None:
    now = programme.clock.real_now()
    for number, secret in enumerate(("whsec_platform_test", "whsec_connect_test")):
        assert receive(programme, *signed(EVENT | {"id": f"evt_{number}"}, at=now, secret=secret))
    with pytest.raises(EventIsNotAccepted):
        receive(programme, *signed(EVENT, at=now, secret="whsec_other"))
    assert len(stored(programme)) == 2


def test_a_signature_too_old_or_from_the_future_is_refused(programme: Programme) -> None:
    now = programme.clock.real_now()
    for seconds in (-302, 302):
        with pytest.raises(EventIsNotAccepted):
            receive(programme, *signed(EVENT, at=now + timedelta(seconds=seconds)))
    assert stored(programme) == {}
    for seconds in (-299, 299):
        receive(programme, *signed(EVENT, at=now + timedelta(seconds=seconds)))
    assert list(stored(programme)) == ["evt_1"]


def test_a_header_that_is_none_or_a_changed_body_is_refused(programme: Programme) -> None:
    body, header = signed(EVENT, at=programme.clock.real_now())
    moment, signature = header.split(",")
    wrong = [
        "", "t=", "nonsense", moment, signature, f"{moment},v0={signature[3:]}", f"{moment},v1=",
        f"{moment},{moment},{signature}",
        f"t=-1,{signature}", f"t=9{'9' * 20},{signature}", f"{moment},v1={'0' * 64}", header.replace("t=", "t=٣"),
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(EventIsNotAccepted):
            receive(programme, body, given)
    with pytest.raises(EventIsNotAccepted):
        receive(programme, body + b" ", header)
    assert receive(programme, body, f"{moment},v1={'0' * 64},{signature}")


def test_a_signed_body_that_is_no_event_is_refused(programme: Programme) -> None:
    bodies = [
        b"", b"\xff\xfe", b"not json", b"[]", b"null", b"1", b'"event"', b"{}", b'{"object": "event"}',
        b'{"object": "event", "id": "", "type": "x"}', b'{"object": "event", "id": 1, "type": "x"}',
        b'{"object": "event", "id": "a\\u0000", "type": "x"}', b'{"object": "event", "id": "\\ud800", "type": "x"}',
        b'{"object": "account", "id": "acct_1", "type": "x"}', b"[" * 100_000,
        b'{"object": "event", "id": "' + b"x" * 256 + b'", "type": "x"}',
    ]  # fmt: skip
    for body in bodies:
        with pytest.raises(EventIsNotAccepted) as refusal:
            receive(programme, *signed(body, at=programme.clock.real_now()))
        assert refusal.value.status == 400
    assert stored(programme) == {}


def test_members_that_are_missing_extra_or_of_wrong_types_hurt_nobody(programme: Programme) -> None:
    strange: list[dict[str, Any]] = [
        {"data": None}, {"data": []}, {"data": {"object": "text"}}, {"data": {"object": {"id": 7}}},
        {"account": 7}, {"account": ["a"]}, {"created": 10**30}, {"created": -1}, {"created": True},
        {"created": "9999-12-31T23:59:59-12:00"}, {"created": "yesterday"}, {"api_version": "v" * 300},
        {"new": {"deep": [1]}}, {"related_object": {"id": None}}, {"livemode": None},
    ]  # fmt: skip
    for number, change in enumerate(strange):
        assert programme.receive(EVENT | {"id": f"evt_{number}"} | change)
    work(programme)
    assert set(stored(programme).values()) <= {EventState.ignored, EventState.processed}


def test_the_other_mode_is_answered_and_not_stored(programme: Programme) -> None:
    assert programme.receive(EVENT | {"livemode": True}) is False
    assert stored(programme) == {}


def test_unknown_types_and_accounts_are_stored_and_ignored(programme: Programme) -> None:
    for number, kind in enumerate(
        ("account.updated", "from.the.future", "balance.available", "person.created")
    ):
        assert programme.receive(EVENT | {"id": f"evt_{number}", "type": kind})
    assert programme.receive(THIN)
    assert work(programme) == 5
    assert set(stored(programme).values()) == {EventState.ignored}
    assert work(programme) == 0


def test_an_event_is_stored_and_worked_on_once(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict")
    (event,) = programme.stripe.events("account.updated")[-1:]
    programme.stripe.forget_requests()
    assert [programme.receive(event) for _ in range(5)] == [True, *[False] * 4]
    work(programme)
    assert [programme.receive(event) for _ in range(95)] == [False] * 95
    work(programme)
    assert len(programme.stripe.requests("GET", "/v1/accounts/")) == 1
    assert len(programme.changes(affiliate_id, "affiliate.status_changed")) == 3


def test_many_events_of_one_account_cost_one_retrieve(programme: Programme) -> None:
    account_id = programme.account_of(programme.verified())
    other = programme.account_of(programme.verified())
    programme.stripe.forget_requests()
    for number in range(30):
        programme.receive(EVENT | {"id": f"evt_{number}", "account": other if number == 7 else account_id})
    assert work(programme) == 30
    assert len(programme.stripe.requests("GET", "/v1/accounts/")) == 2


def test_any_order_and_any_loss_ends_in_the_same_state(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate=None)
    for fate in ("review", "approve", "restrict"):
        programme.stripe.fate(account_id, fate)
    events = programme.stripe.events("account.updated")
    ends = set()
    for number, order in enumerate(itertools.permutations([*events, events[0]], 2)):
        for position, event in enumerate(order):
            programme.receive(event | {"id": f"evt_{number}_{position}"})
            work(programme)
        affiliate = programme.get(affiliate_id)
        ends.add((affiliate.stripe_account_status, affiliate.stripe_account_detail))
    assert ends == {("restricted", "action_required")}


def test_the_status_is_never_taken_from_a_body(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate=None)
    approved = {
        "id": account_id, "object": "account", "charges_enabled": True, "payouts_enabled": True,
        "details_submitted": True, "capabilities": {"transfers": "active"},
    }  # fmt: skip
    programme.receive(EVENT | {"account": account_id, "data": {"object": approved}})
    work(programme)
    assert programme.get(affiliate_id).stripe_account_status == "pending"


def test_a_thin_event_and_a_deauthorization_make_us_look(programme: Programme) -> None:
    first, second = programme.verified(), programme.verified()
    programme.stripe.fate(programme.account_of(first), "restrict", silently=True)
    programme.receive(
        THIN | {"related_object": {"id": programme.account_of(first), "type": "v2.core.account"}}
    )
    programme.stripe.fate(programme.account_of(second), "deauthorise")
    (event,) = programme.stripe.events("account.application.deauthorized")
    programme.receive(event)
    work(programme)
    assert programme.get(first).stripe_account_status == "restricted"
    assert programme.get(second).stripe_account_detail == "disconnected"


def test_a_thin_event_by_v1_is_its_snapshot_by_another_name(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    programme.stripe.fate(account_id, "restrict", silently=True)
    thin = {
        "id": "evt_thin_v1", "object": "v2.core.event", "type": "v1.capability.updated", "livemode": False,
        "created": "2026-11-01T00:00:00.000Z", "context": account_id,
        "related_object": {"id": "transfers", "type": "capability", "url": f"/v1/accounts/{account_id}/capabilities"},
    }  # fmt: skip
    assert programme.receive(thin)
    programme.services.stripe_events.process_due()
    assert programme.get(affiliate_id).stripe_account_status == "restricted"


def test_an_event_waits_while_stripe_is_away_and_is_parked_in_the_end(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    programme.receive(EVENT | {"account": account_id})
    programme.receive(EVENT | {"id": "evt_other"})
    programme.stripe.fault("timeout_before", path="/v1/accounts", method="*", times=1_000)
    for tries in range(1, TRIES_BEFORE_PARKED + 1):
        assert work(programme) == (2 if tries == 1 else 1)
        assert work(programme) == 0
        assert programme.get(affiliate_id).stripe_account_status == "verified"
        programme.clock.advance(hours=1)
    assert stored(programme) == {"evt_1": EventState.parked, "evt_other": EventState.ignored}


def test_an_event_that_waited_is_worked_on_once_stripe_is_back(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict")
    (event,) = programme.stripe.events("account.updated")[-1:]
    programme.receive(event)
    programme.stripe.goes_away()
    work(programme)
    programme.stripe.comes_back()
    programme.clock.advance(seconds=20)
    assert work(programme) == 1
    assert programme.get(affiliate_id).stripe_account_status == "restricted"


def test_what_another_worker_has_done_meanwhile_stays_done_when_this_one_fails(
    programme: Programme, line: Line
) -> None:
    affiliate_id = programme.verified()
    (event,) = programme.stripe.events("account.updated")[-1:]
    programme.receive(event)

    def another_was_faster(method: str, path: str) -> None:
        line.on_request = lambda _method, _path: None
        with programme.app.app_context():
            work(programme)
        raise ZeroDivisionError

    line.on_request = another_was_faster
    work(programme)
    assert stored(programme) == {event["id"]: EventState.processed}
    assert programme.rows(sa.select(WebhookEvent.tries, WebhookEvent.error))[0][1] is None
    assert programme.get(affiliate_id).stripe_account_status == "verified"


def test_an_event_that_cannot_be_stored_is_not_taken_for_received(programme: Programme) -> None:
    """503, so that Stripe sends it again."""
    body, header = signed(EVENT, at=programme.clock.real_now(), secret=WEBHOOK_SECRET)
    client = programme.app.test_client()
    with broken_database():
        with pytest.raises(SQLAlchemyError):
            receive(programme, body, header)
        refused = client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": header})
    assert refused.status_code == 503
    assert client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": header}).status_code == 200
    assert list(stored(programme)) == ["evt_1"]


class broken_database:  # noqa: N801 - reads as a phrase in a with statement
    """Every statement fails, as when the server has gone."""

    def __enter__(self) -> None:
        sa.event.listen(db.engine, "before_cursor_execute", self._fail)

    def __exit__(self, *_: object) -> None:
        sa.event.remove(db.engine, "before_cursor_execute", self._fail)

    @staticmethod
    def _fail(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", None, OSError("the server has gone"))


def test_no_body_is_kept(programme: Programme) -> None:
    event = EVENT | {"data": {"object": {"id": "acct_unknown", "individual": {"first_name": "Annabel"}}}}
    programme.receive(event)
    kept = str(programme.rows(sa.select(WebhookEvent.__table__)))
    assert "acct_unknown" in kept
    assert "Annabel" not in kept


def test_five_hundred_events_about_one_account_cost_one_look_at_it(programme: Programme) -> None:
    account_id = programme.account_of(programme.verified())
    now = programme.clock.real_now()
    one = {
        "type": "account.updated", "object_id": account_id, "account_id": account_id, "is_livemode": False,
        "body_sha256": "0" * 64, "received_at": now, "next_try_at": now, "state": EventState.received, "tries": 0,
    }  # fmt: skip
    programme.execute(sa.insert(WebhookEvent).values([one | {"id": f"evt_{n}"} for n in range(500)]))
    programme.stripe.forget_requests()
    assert work(programme) == 500
    assert len(programme.stripe.requests("GET", "/v1/")) == 1
    assert set(stored(programme).values()) == {EventState.processed}
