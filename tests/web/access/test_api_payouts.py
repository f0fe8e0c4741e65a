"""Payouts as the host business sees them."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.services.affiliates import PreferenceChange
from portal.services.journal import Cause
from portal.wiring import services
from tests.web.access.machine import EARNING, Send, earnings, faults


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What a machine sends reaches both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class TestPayouts:
    @pytest.fixture
    def five(self, app: Flask, send: Send) -> list[str]:
        """Five payouts, each of its own affiliate; their ids, newest first."""
        ids = []
        for number in range(5):
            code = f"a{number}"
            send("PUT", f"/affiliates/{code}", json={"email": f"{code}@example.com"})
            send("POST", "/earnings", **earnings(
                {**EARNING, "reference": code, "affiliate_code": code, "amount": 10_000}
            ))  # fmt: skip
            with app.app_context():
                ids.append(self.request(code))
        return ids[::-1]

    def request(self, code: str) -> str:
        affiliate, cause = services().affiliates.by_code(code), Cause.system("a test")
        change = PreferenceChange(method="crypto", wallet_address="0x" + "ab" * 20)
        services().affiliates.set_preferences(affiliate.id, change, cause=cause)
        payout = services().payouts.request(
            affiliate.id, amount="", request_key="k", requested_by=None, cause=cause
        )
        return str(payout.id)

    def test_one_payout_is_told_by_every_member_that_is_promised(self, send: Send, five: list[str]) -> None:
        answer = send("GET", f"/payouts/{five[0]}").get_json()
        assert answer.pop("created_at").endswith("Z")
        assert answer == {
            "id": five[0],
            "affiliate_code": "a4",
            "status": "approved",
            "hold_reason": None,
            "amount": 10_000,
            "currency": "usd",
            "amount_reversed": 0,
            "transfer_id": None,
            "paid_at": None,
        }

    def test_pages_follow_each_other_without_a_gap_or_a_repeat(self, send: Send, five: list[str]) -> None:
        seen: list[str] = []
        path = "/payouts?limit=2"
        for expected in (2, 2, 1):
            answer = send("GET", path).get_json()
            assert len(answer["data"]) == expected
            seen += [payout["id"] for payout in answer["data"]]
            path = f"/payouts?limit=2&cursor={answer['next_cursor']}"
        assert seen == five
        assert path.endswith("cursor=None")

    def test_filters_narrow_it_down(self, send: Send, five: list[str]) -> None:
        def found(query: str) -> int:
            return len(send("GET", f"/payouts?{query}").get_json()["data"])

        assert found("affiliate_code=a1") == 1
        assert found("affiliate_code=nobody") == 0
        assert found("status=approved") == 5
        assert found("status=paid") == 0
        assert found("created_after=2020-01-01T00:00:00Z") == 5
        assert found("created_after=2099-01-01T00:00:00%2B02:00") == 0

    @pytest.mark.parametrize(
        ("query", "at"),
        [
            ("status=lost", "status"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=1e1", "limit"),
            ("limit=%D9%A3", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=YmVmb3JlOi0x", "cursor"),
            ("created_after=yesterday", "created_after"),
            ("created_after=2026-01-01T00:00:00", "created_after"),
            ("affiliate_code=%00", "affiliate_code"),
            ("status=paid&status=held", "status"),
            ("page=2", "page"),
        ],
    )
    def test_a_filter_that_means_nothing_is_named(self, send: Send, query: str, at: str) -> None:
        assert faults(send("GET", f"/payouts?{query}")) == [at]

    @pytest.mark.parametrize("payout_id", ["x", "00000000-0000-0000-0000-000000000000", "%00"])
    def test_a_payout_that_is_not_there_is_404(self, send: Send, payout_id: str) -> None:
        response = send("GET", f"/payouts/{payout_id}")
        assert (response.status_code, response.content_type) == (404, "application/problem+json")
