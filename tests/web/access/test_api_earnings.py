"""Crediting earnings: all or none, once each, every fault named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.wiring import services
from tests.web.access.machine import EARNING, EMPTY, Send, earnings, faults


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What a machine sends reaches both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class TestEarnings:
    def test_they_are_credited_once_and_repeats_are_duplicates(self, send: Send, ana: TestResponse) -> None:
        other = {**EARNING, "reference": "order-2"}
        first = send("POST", "/earnings", **earnings(EARNING, other))
        assert first.status_code == 200
        assert [each["status"] for each in first.get_json()["results"]] == ["created", "created"]
        again = send("POST", "/earnings", **earnings(EARNING, {**EARNING, "reference": "order-3"}, EARNING))
        assert again.get_json() == {
            "results": [
                {"reference": "order-1", "status": "duplicate"},
                {"reference": "order-3", "status": "created"},
                {"reference": "order-1", "status": "duplicate"},
            ]
        }

    def test_the_same_moment_with_another_offset_is_the_same_content(
        self, send: Send, ana: TestResponse
    ) -> None:
        send("POST", "/earnings", **earnings(EARNING))
        same = {**EARNING, "occurred_at": "2026-01-05T11:00:00Z"}
        assert send("POST", "/earnings", **earnings(same)).get_json()["results"][0]["status"] == "duplicate"

    @pytest.mark.parametrize(
        "other", [{"amount": 1}, {"description": "x"}, {"occurred_at": "2026-01-05T12:00:00Z"}]
    )
    def test_the_same_reference_with_other_content_is_409_and_writes_nothing(
        self, send: Send, ana: TestResponse, other: dict[str, Any]
    ) -> None:
        send("POST", "/earnings", **earnings(EARNING))
        response = send(
            "POST", "/earnings", **earnings({**EARNING, "reference": "new"}, {**EARNING, **other})
        )
        assert (response.status_code, response.get_json()["errors"][0]["at"]) == (409, "earnings.1.reference")
        assert send("GET", "/affiliates/ana").get_json()["total_earned"] == 1250

    def test_two_in_one_list_that_share_a_reference_and_differ_are_409(
        self, send: Send, ana: TestResponse
    ) -> None:
        response = send("POST", "/earnings", **earnings(EARNING, {**EARNING, "amount": 1}))
        assert response.status_code == 409
        assert send("GET", "/affiliates/ana").get_json()["total_earned"] == 0

    def test_an_old_earning_is_available_and_a_new_one_on_hold(
        self, send: Send, ana: TestResponse, app: Flask
    ) -> None:
        with app.app_context():
            now = services().clock.now().isoformat()
        send(
            "POST",
            "/earnings",
            **earnings(EARNING, {**EARNING, "reference": "new", "occurred_at": now, "amount": 7}),
        )
        answer = send("GET", "/affiliates/ana").get_json()
        assert answer["balance"] == {**EMPTY, "available": 1250, "on_hold": 7}
        assert answer["total_earned"] == 1257

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("amount", 0),
            ("amount", -1),
            ("amount", 1_000_000_000_000),
            ("amount", 12.5),
            ("amount", 12.0),
            ("amount", "1250"),
            ("amount", True),
            ("amount", None),
            ("reference", ""),
            ("reference", "x" * 256),
            ("reference", "a\tb"),
            ("reference", 5),
            ("affiliate_code", "nobody"),
            ("affiliate_code", "a\x00"),
            ("currency", "eur"),
            ("currency", "USD"),
            ("description", "x" * 501),
            ("description", "a\x7fb"),
            ("occurred_at", "2026-01-05T12:00:00"),
            ("occurred_at", "2026-01-05"),
            ("occurred_at", "2026-13-05T12:00:00Z"),
            ("occurred_at", "0001-01-01T00:00:00+23:59"),
            ("occurred_at", 1_767_610_800),
            ("note", "unexpected"),
        ],
    )
    def test_one_fault_is_named_by_its_index_and_nothing_is_written(
        self, send: Send, ana: TestResponse, member: str, value: object
    ) -> None:
        response = send(
            "POST", "/earnings", **earnings({**EARNING, "reference": "good"}, {**EARNING, member: value})
        )
        assert faults(response) == [f"earnings.1.{member}"]
        assert send("GET", "/affiliates/ana").get_json()["total_earned"] == 0

    @pytest.mark.parametrize("missing", ["reference", "affiliate_code", "amount", "currency", "occurred_at"])
    def test_a_member_that_is_missing_is_named(self, send: Send, ana: TestResponse, missing: str) -> None:
        item = {name: value for name, value in EARNING.items() if name != missing}
        assert faults(send("POST", "/earnings", **earnings(item))) == [f"earnings.0.{missing}"]

    @pytest.mark.parametrize(
        ("body", "at"),
        [
            ({}, "earnings"),
            ({"earnings": []}, "earnings"),
            ({"earnings": {}}, "earnings"),
            ({"earnings": [EARNING] * 1_001}, "earnings"),
            ({"earnings": [7]}, "earnings.0"),
            ({"earnings": [EARNING], "more": 1}, "more"),
        ],
        ids=["no list", "an empty list", "no list but an object", "1,001", "no object", "an unknown member"],
    )
    def test_the_list_holds_1_to_1000_objects_and_nothing_else_is_sent(
        self, send: Send, ana: TestResponse, body: dict[str, Any], at: str
    ) -> None:
        assert faults(send("POST", "/earnings", json=body)) == [at]

    def test_a_thousand_faults_are_all_named(self, send: Send, ana: TestResponse) -> None:
        bad = [{**EARNING, "reference": f"r-{number}", "amount": 0} for number in range(1_000)]
        response = send("POST", "/earnings", **earnings(*bad))
        assert len(faults(response)) == 1_000
        assert len(json.loads(response.text)["detail"]) < 100

    def test_bounds_are_taken_to_the_last_value(self, send: Send, ana: TestResponse) -> None:
        longest = {
            **EARNING,
            "reference": "ü" * 255,
            "amount": 999_999_999_999,
            "description": "d" * 500,
            "occurred_at": "2026-01-05t12:00:00.123456z",
        }
        assert send("POST", "/earnings", **earnings(longest)).status_code == 200
