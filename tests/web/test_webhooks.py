"""What Stripe is answered: stored and 200, not an event and 400, not to be stored and 503."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from portal.wiring import services
from tests.clocks import MovableClock
from tests.services.stand_in import signed

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "account.updated",
    "livemode": False,
    "created": 1,
    "data": {},
}


def _post(portal: Flask, body: bytes, signature: str) -> TestResponse:
    return portal.test_client().post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature})


def test_an_event_is_taken_once_and_answered_200_each_time(portal_app: Flask, clock: MovableClock) -> None:
    body, signature = signed(EVENT, at=clock.real_now())
    announced: list[None] = []
    with portal_app.app_context():
        services().look_at_events = lambda: announced.append(None)
    assert [_post(portal_app, body, signature).status_code for _ in range(3)] == [200, 200, 200]
    assert len(announced) == 1


def test_a_body_over_one_mebibyte_is_400_whatever_its_signature(
    portal_app: Flask, clock: MovableClock
) -> None:
    body, signature = signed({**EVENT, "filler": "x" * 1024 * 1024}, at=clock.real_now())
    assert len(json.dumps(EVENT)) < 1024 * 1024 < len(body)
    assert _post(portal_app, body, signature).status_code == 400


def test_a_body_that_somebody_changed_is_400(portal_app: Flask, clock: MovableClock) -> None:
    body, signature = signed(EVENT, at=clock.real_now())
    assert _post(portal_app, body.replace(b"evt_1", b"evt_2"), signature).status_code == 400


def test_what_cannot_be_stored_is_503_so_that_stripe_sends_it_again(
    portal_app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, signature = signed(EVENT, at=clock.real_now())

    def away(*_: object) -> bool:
        raise OperationalError("INSERT", {}, Exception("the server is gone"))

    with portal_app.app_context():
        monkeypatch.setattr(services().stripe_events, "_store", away)
    assert _post(portal_app, body, signature).status_code == 503
