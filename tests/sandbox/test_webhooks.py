"""Events are recorded, signed, delivered, tried again, and can be lost on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from portal.sandbox.webhooks import signature
from tests.sandbox.conftest import CONNECT_SECRET, PLATFORM_SECRET, PORTAL, MakeStand, Stand


def test_each_scope_is_signed_with_the_secret_of_its_endpoint(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id)
    secrets = {"platform": PLATFORM_SECRET, "connect": CONNECT_SECRET}
    seen = set()
    for url, body, headers in stand.mailbox.received:
        assert url == f"{PORTAL}/webhooks/stripe"
        scope = "connect" if "account" in json.loads(body) else "platform"
        right, wrong = secrets[scope], secrets["platform" if scope == "connect" else "connect"]
        header = headers["Stripe-Signature"]
        stripe.WebhookSignature.verify_header(body.decode(), header, right, tolerance=None)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(body.decode(), header, wrong, tolerance=None)
        seen.add(scope)
    assert seen == {"platform", "connect"}


def test_an_event_says_what_happened_on_which_account_by_which_request(stand: Stand) -> None:
    stand.express_account()
    account = stand.express_account()
    stand.mailbox.received.clear()
    stand.stripe.v1.accounts.update(account.id, {"metadata": {"more": "1"}}, {"idempotency_key": "update-1"})
    (event,) = stand.mailbox.events()
    assert event["id"].startswith("evt_")
    assert (event["object"], event["type"], event["account"]) == ("event", "account.updated", account.id)
    assert event["api_version"] == stripe.api_version
    assert event["livemode"] is False
    assert event["created"] == int(stand.hands())
    assert event["data"]["object"]["id"] == account.id
    assert event["data"]["previous_attributes"] == {"metadata": {"more": None}}
    assert event["request"]["idempotency_key"] == "update-1"
    assert event["request"]["id"].startswith("req_")
    assert not [name for name in event["data"]["object"] if name.startswith("_")]


def test_a_change_that_changes_nothing_makes_no_event(stand: Stand) -> None:
    account = stand.express_account()
    stand.mailbox.received.clear()
    stand.stripe.v1.accounts.update(account.id, {"metadata": {"affiliate_code": "ada"}})
    assert stand.mailbox.received == []


def test_a_refused_request_makes_no_event(stand: Stand) -> None:
    account = stand.approved_account()
    stand.mailbox.received.clear()
    with pytest.raises(stripe.InvalidRequestError):
        stand.transfer(account.id, amount=10**10)
    assert stand.mailbox.received == []


def test_a_failed_delivery_is_tried_again_later_and_not_for_ever(make_stand: MakeStand) -> None:
    stand = make_stand(retry_delays_seconds=(1, 10))
    stand.mailbox.answer = lambda: 503
    stand.express_account()
    assert len(stand.mailbox.received) == 1
    stand.beat()
    assert len(stand.mailbox.received) == 1
    stand.hands.pass_by(1)
    stand.beat()
    stand.hands.pass_by(10)
    stand.beat()
    assert len(stand.mailbox.received) == 3
    stand.hands.pass_by(100_000)
    stand.beat()
    assert len(stand.mailbox.received) == 3
    (delivery,) = stand.control("state", method="GET")["deliveries"]
    assert (delivery["state"], [attempt["outcome"] for attempt in delivery["attempts"]]) == (
        "failed",
        [503] * 3,
    )
    assert {event["id"] for event in stand.mailbox.events()} == {delivery["event"]}


def test_a_retry_is_signed_afresh(make_stand: MakeStand) -> None:
    stand = make_stand()
    stand.mailbox.answer = lambda: 500
    stand.express_account()
    stand.hands.pass_by(600)
    stand.beat()
    (_, first, before), (_, second, after) = stand.mailbox.received
    assert first == second
    assert before["Stripe-Signature"] == signature(first, CONNECT_SECRET, int(stand.hands()) - 600)
    assert after["Stripe-Signature"] == signature(second, CONNECT_SECRET, int(stand.hands()))


def test_nobody_there_counts_as_a_failure(stand: Stand) -> None:
    def refuse() -> int:
        raise ConnectionRefusedError

    stand.mailbox.answer = refuse
    stand.express_account()
    (delivery,) = stand.control("state", method="GET")["deliveries"]
    assert delivery["attempts"][0]["outcome"] == "ConnectionRefusedError"
    stand.mailbox.answer = lambda: 200
    stand.hands.pass_by(5)
    stand.beat()
    (delivery,) = stand.control("state", method="GET")["deliveries"]
    assert delivery["state"] == "delivered"


def test_what_happens_while_deliveries_are_paused_is_never_delivered_but_listed(stand: Stand) -> None:
    stand.control("webhooks", {"paused": True})
    lost = stand.approved_account()
    stand.control("webhooks", {"paused": False})
    kept = stand.express_account()
    assert {event["account"] for event in stand.mailbox.events()} == {kept.id}

    def undelivered(account_id: str) -> list[str]:
        missed = stand.stripe.v1.events.list({"delivery_success": False}, {"stripe_account": account_id})
        return [event.type for event in missed.data]

    assert undelivered(kept.id) == []
    assert "account.updated" in undelivered(lost.id)
    assert stand.stripe.v1.events.list({}, {"stripe_account": kept.id}).data[0].pending_webhooks == 0


def test_events_are_listed_by_type_and_by_owner(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id)
    stand.control(f"accounts/{account.id}/payouts")

    def types(owner: str | None = None, **params: Any) -> list[str]:
        wanted: Any = params
        options: stripe.RequestOptions = {"stripe_account": owner} if owner else {}
        return [event.type for event in stand.stripe.v1.events.list(wanted, options).data]

    assert types() == ["transfer.created"]
    assert types(account.id, type="payout.created") == ["payout.created"]
    assert set(types(account.id, type="account.*")) == {"account.updated", "account.external_account.created"}
    assert set(types(account.id, types=["capability.updated", "payout.created"])) == {
        "capability.updated",
        "payout.created",
    }
    assert types(account.id, created={"gt": int(stand.hands())}) == []
    assert types(account.id, type="invoice.*") == []
    with pytest.raises(stripe.InvalidRequestError):
        types(types=["payout.created"], type="payout.created")
    with pytest.raises(stripe.InvalidRequestError, match="20"):
        types(types=["payout.created"] * 21)


def test_an_event_is_read_by_its_owner_alone(stand: Stand) -> None:
    account = stand.express_account()
    event_id = stand.mailbox.events()[0]["id"]
    read = stand.stripe.v1.events.retrieve(event_id, {}, {"stripe_account": account.id})
    assert read.to_dict()["data"] == stand.mailbox.events()[0]["data"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.events.retrieve(event_id)
    assert refusal.value.http_status == 404


def test_an_event_can_be_delivered_a_hundredfold(stand: Stand) -> None:
    stand.express_account()
    event = stand.mailbox.events()[0]
    outcomes = stand.control("redeliver", {"event": event["id"], "times": 100})["outcomes"]
    assert outcomes == [200] * 100
    assert [again["id"] for again in stand.mailbox.events()] == [event["id"]] * 101


def test_a_portal_that_asks_back_while_it_is_told_gets_its_answer(stand: Stand) -> None:
    account = stand.express_account()
    seen: list[bool | None] = []

    def ask_back() -> int:
        seen.append(stand.stripe.v1.accounts.retrieve(account.id).payouts_enabled)
        return 200

    stand.mailbox.answer = ask_back
    stand.control(f"accounts/{account.id}/fate", {"fate": "approve"})
    assert seen
    assert all(seen)


def test_without_endpoints_events_are_recorded_as_nothing_to_deliver(make_stand: MakeStand) -> None:
    stand = make_stand(webhook_url=None)
    account = stand.express_account()
    assert stand.mailbox.received == []
    (event,) = stand.stripe.v1.events.list({"delivery_success": True}, {"stripe_account": account.id}).data
    assert event.type == "account.updated"


def test_a_silent_fate_changes_the_account_without_a_word(stand: Stand) -> None:
    account = stand.approved_account()
    stand.mailbox.received.clear()
    stand.control(f"accounts/{account.id}/fate", {"fate": "stop_payouts", "silently": True})
    assert not stand.stripe.v1.accounts.retrieve(account.id).payouts_enabled
    assert stand.mailbox.received == []


def test_money_added_to_the_platform_is_announced(stand: Stand) -> None:
    stand.control("balance", {"usd": 20_000_000})
    assert stand.mailbox.types() == ["balance.available"]
    stand.control("balance", {"usd": 5})
    assert stand.mailbox.types() == ["balance.available"]


def test_what_waits_for_its_retry_does_not_hold_up_what_is_new(make_stand: MakeStand) -> None:
    stand = make_stand(retry_delays_seconds=(3600,))
    stand.mailbox.answer = lambda: 500
    for _ in range(101):
        stand.express_account()
    stand.mailbox.answer = lambda: 200
    stand.mailbox.received.clear()
    account = stand.express_account()
    assert [event["account"] for event in stand.mailbox.events()] == [account.id]
