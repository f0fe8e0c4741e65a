"""Refunds that the host business reports: taken once, within the earning."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.web.access.machine import EARNING, EMPTY, Send, earnings, faults

REFUND = {"reference": "refund-1", "amount": 1_000, "reason": "sent back"}


@pytest.fixture(autouse=True)
def sold(send: Send, ana: TestResponse) -> None:
    """An order with a slash in its reference was credited."""
    send("POST", "/earnings", **earnings({**EARNING, "reference": "shop/order 1"}))


def test_a_refund_is_taken_once(send: Send) -> None:
    first = send("POST", "/earnings/shop%2Forder%201/reversals", json=REFUND)
    assert (first.status_code, first.get_json()["amount"]) == (201, 1_000)
    again = send("POST", "/earnings/shop/order 1/reversals", json=REFUND)
    assert again.status_code == 200
    ana = send("GET", "/affiliates/ana").get_json()
    assert (ana["total_earned"], ana["balance"]) == (250, {**EMPTY, "available": 250})


def test_the_same_reference_with_another_amount_is_409(send: Send) -> None:
    send("POST", "/earnings/shop/order 1/reversals", json=REFUND)
    assert send("POST", "/earnings/shop/order 1/reversals", json={**REFUND, "amount": 999}).status_code == 409


def test_more_in_all_than_the_earning_is_422(send: Send) -> None:
    send("POST", "/earnings/shop/order 1/reversals", json=REFUND)
    more = send("POST", "/earnings/shop/order 1/reversals", json={**REFUND, "reference": "r2", "amount": 251})
    assert more.status_code == 422
    assert send("GET", "/affiliates/ana").get_json()["total_earned"] == 250


def test_an_unknown_earning_is_404(send: Send) -> None:
    assert send("POST", "/earnings/nobody/reversals", json=REFUND).status_code == 404


@pytest.mark.parametrize("amount", [0, -1, 1.5, "1", True, None])
def test_an_amount_that_is_no_positive_integer_is_422(send: Send, amount: object) -> None:
    response = send("POST", "/earnings/shop/order 1/reversals", json={**REFUND, "amount": amount})
    assert faults(response) == ["amount"]
