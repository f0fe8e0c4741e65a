"""What may become of events and requests on their way: out of order, twice, late, never, too many, thin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import CONNECT_SECRET, MakeStand, Stand
from tests.stripe_description.conversation import of_event

KEY = {"Authorization": "Bearer sk_test_sandbox"}


def accounts_of(stand: Stand) -> list[str]:
    return [event["account"] for event in stand.mailbox.events()]


def made(stand: Stand, count: int) -> list[str]:
    """So many accounts, an event each."""
    return [stand.express_account().id for _ in range(count)]


def deliveries(stand: Stand) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stand.control("state", method="GET")["deliveries"]
    return found


def test_dropped_events_are_listed_and_never_delivered(stand: Stand) -> None:
    stand.control("disorder", {"disorder": "drop", "times": 2})
    first, second, third = made(stand, 3)
    assert accounts_of(stand) == [third]
    stand.hands.pass_by(100_000)
    stand.beat()
    assert accounts_of(stand) == [third]
    for account_id in (first, second):
        missed = stand.stripe.v1.events.list({"delivery_success": False}, {"stripe_account": account_id})
        assert len(missed.data) == 1


def test_duplicated_events_arrive_twice_with_the_same_id(stand: Stand) -> None:
    stand.control("disorder", {"disorder": "duplicate"})
    first, second = made(stand, 2)
    assert accounts_of(stand) == [first, first, second]
    assert len({event["id"] for event in stand.mailbox.events()}) == 2


def test_a_delayed_event_is_overtaken(stand: Stand) -> None:
    stand.control("disorder", {"disorder": "delay", "seconds": 60})
    first, second = made(stand, 2)
    assert accounts_of(stand) == [second]
    stand.hands.pass_by(59)
    stand.beat()
    assert accounts_of(stand) == [second]
    stand.hands.pass_by(1)
    stand.beat()
    assert accounts_of(stand) == [second, first]


@pytest.mark.parametrize("count", [2, 5])
def test_shuffled_events_wait_for_one_another_and_arrive_in_another_order(stand: Stand, count: int) -> None:
    stand.control("disorder", {"disorder": "shuffle", "times": count})
    order = made(stand, count - 1)
    assert accounts_of(stand) == []
    order += made(stand, 1)
    arrived = accounts_of(stand)
    assert sorted(arrived) == sorted(order)
    assert arrived != order
    later = made(stand, 1)
    assert accounts_of(stand) == [*arrived, *later]


def test_order_that_is_restored_lets_go_what_was_held(stand: Stand) -> None:
    stand.control("disorder", {"disorder": "shuffle", "times": 9})
    held = made(stand, 2)
    stand.control("disorder", method="DELETE")
    stand.beat()
    assert accounts_of(stand) == held


def test_a_restart_forgets_the_plan_and_lets_go_what_was_held(make_stand: MakeStand, tmp_path: Path) -> None:
    first = make_stand(data_dir=tmp_path)
    first.control("disorder", {"disorder": "shuffle", "times": 9})
    held = made(first, 2)
    first.app.extensions["sandbox"].store.close()
    again = make_stand(data_dir=tmp_path)
    again.beat()
    assert accounts_of(again) == held


@pytest.mark.parametrize(
    "nonsense",
    [
        {"disorder": "scatter"}, {}, {"disorder": "drop", "times": 0}, {"disorder": "shuffle", "times": 1},
        {"disorder": "drop", "times": 1_001}, {"disorder": "delay", "seconds": 0},
        {"disorder": "delay", "seconds": True},
        {"disorder": "shuffle", "seed": "x"}, {"disorder": "drop", "colour": "red"}, {"disorder": ["drop"]},
    ],
)  # fmt: skip
def test_disorder_that_makes_no_sense_is_422(stand: Stand, nonsense: Any) -> None:
    answer = stand.browser.post("/sandbox/api/disorder", json=nonsense)
    assert answer.status_code == 422
    assert answer.get_json()["error"]


def test_what_is_sent_by_hand_is_noted_and_takes_no_try_away(make_stand: MakeStand) -> None:
    stand = make_stand(retry_delays_seconds=(10,))
    stand.mailbox.answer = lambda: 500
    made(stand, 1)
    event_id = stand.mailbox.events()[0]["id"]
    assert stand.browser.post(f"/sandbox/events/{event_id}/deliver").status_code == 303
    (delivery,) = deliveries(stand)
    assert delivery["state"] == "pending"
    assert [attempt.get("by_hand", False) for attempt in delivery["attempts"]] == [False, True]
    assert "pending (500, 500), due " in stand.browser.get("/sandbox/").text
    stand.mailbox.answer = lambda: 200
    stand.hands.pass_by(10)
    stand.beat()
    assert [each["state"] for each in deliveries(stand)] == ["delivered"]
    assert stand.browser.post("/sandbox/events/evt_nowhere/deliver").status_code == 404


def test_a_thin_endpoint_gets_the_accounts_name_and_nothing_of_it(stand: Stand) -> None:
    stand.control("webhooks", {"connect": "thin"})
    account = stand.approved_account()
    stand.transfer(account.id)
    stand.control(f"accounts/{account.id}/payouts")
    stand.control(f"accounts/{account.id}/fate", {"fate": "delete"})
    kinds = [event["type"] for event in stand.mailbox.events()]
    assert kinds == [
        "v2.core.account.updated",
        "v2.core.account[configuration.recipient].capability_status_updated",
        "v2.core.account[requirements].updated",
        "transfer.created",
        "v2.core.account.closed",
    ]
    _, body, headers = stand.mailbox.received[2]
    told = json.loads(body)
    assert told["related_object"] == {
        "id": account.id, "type": "v2.core.account", "url": f"/v2/core/accounts/{account.id}",
    }  # fmt: skip
    assert not {"account", "data"} & told.keys()
    stripe.WebhookSignature.verify_header(
        body.decode(), headers["Stripe-Signature"], CONNECT_SECRET, tolerance=None
    )
    notification = stand.stripe.parse_event_notification(
        body, headers["Stripe-Signature"], CONNECT_SECRET, tolerance=10**10
    )
    assert notification.type == told["type"]
    stand.control("webhooks", {"connect": "snapshot"})
    made(stand, 1)
    assert stand.mailbox.types()[-1] == "account.updated"


def test_a_thin_event_that_is_not_stripes_is_named_by_its_place(stand: Stand) -> None:
    stand.control("webhooks", {"connect": "thin"})
    made(stand, 1)
    (event,) = stand.mailbox.events()
    assert of_event(event) == []
    assert of_event({**event, "data_object": {}}) == [
        f"event {event['type']}: data_object is unknown to Stripe"
    ]
    assert of_event({**event, "type": "v2.core.account.paid"})


@pytest.mark.parametrize("given", [{}, {"connect": "thick"}, {"paused": 1}, {"other": "thin"}])
def test_deliveries_that_make_no_sense_are_422(stand: Stand, given: Any) -> None:
    assert stand.browser.post("/sandbox/api/webhooks", json=given).status_code == 422


def test_what_is_over_the_rate_is_429_until_a_second_has_passed(stand: Stand) -> None:
    assert {stand.browser.get("/v1/account", headers=KEY).status_code for _ in range(60)} == {200}
    stand.control("rate-limit", {"requests_per_second": 25})
    answers = [stand.browser.get("/v1/account", headers=KEY) for _ in range(26)]
    assert [answer.status_code for answer in answers] == [200] * 25 + [429]
    assert answers[-1].headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert answers[-1].headers["Retry-After"] == "1"
    stand.hands.pass_by(0.999)
    assert stand.browser.get("/v1/account", headers=KEY).status_code == 429
    stand.hands.pass_by(0.001)
    assert stand.browser.get("/v1/account", headers=KEY).status_code == 200
    stand.control("rate-limit", {"requests_per_second": 0})
    assert stand.browser.get("/v1/account", headers=KEY).status_code == 200
    assert stand.browser.post("/sandbox/api/rate-limit", json={"requests_per_second": -1}).status_code == 422


def test_all_of_it_can_be_planned_on_the_page_and_called_off(stand: Stand) -> None:
    page = "/sandbox/trouble"
    plan = {"fault": "429", "method": "GET", "path_prefix": "/v1/account", "times": "2"}
    for path, form in (
        ("faults", plan), ("disorder", {"disorder": "delay", "times": "3", "seconds": "9"}),
        ("deliveries", {"connect": "on", "paused": "on"}), ("rate-limit", {"requests_per_second": "7"}),
    ):  # fmt: skip
        assert stand.browser.post(f"{page}/{path}", data=form).status_code == 303
    shown = stand.browser.get(page).text
    assert "429 for the next 2 × GET /v1/account…" in shown
    assert "delay the next 3" in shown
    assert 'value="7"' in shown
    sandbox = stand.app.extensions["sandbox"]
    assert (sandbox.webhooks.paused, sandbox.webhooks.thin_endpoints) == (True, {"connect"})
    assert stand.browser.get("/v1/account", headers=KEY).status_code == 429
    for path, form in (
        ("faults", {}), ("disorder", {}), ("deliveries", {}), ("rate-limit", {"requests_per_second": "0"}),
    ):  # fmt: skip
        stand.browser.post(f"{page}/{path}", data=form)
    assert stand.browser.get("/v1/account", headers=KEY).status_code == 200
    assert stand.browser.get(page).text.count('class="quiet"') == 2
    assert (sandbox.webhooks.paused, sandbox.webhooks.thin_endpoints) == (False, set())


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("faults", {"fault": "earthquake"}), ("faults", {"fault": "429", "times": "no"}),
        ("disorder", {"disorder": "scatter"}), ("rate-limit", {"requests_per_second": "many"}),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_is_400(stand: Stand, path: str, form: dict[str, str]) -> None:
    assert stand.browser.post(f"/sandbox/trouble/{path}", data=form).status_code == 400
