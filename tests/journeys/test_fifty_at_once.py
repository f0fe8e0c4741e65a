"""Impatience on a large scale: many requests for the same balance, through several processes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.journeys.affiliates import field, signed_in
from tests.journeys.inside import affiliate_with, assert_books_balance, inside, verified_at_stripe
from tests.journeys.running import RunningPortal

REQUESTS = 50

#: Cents: all fifty requests could be served one after another.
AVAILABLE, REQUESTED = 200_000, 4_000


def test_fifty_concurrent_requests_for_one_balance_make_one_payout(standing: RunningPortal) -> None:
    standing.settings["PORTAL_OIDC_SANDBOX_TRUST_EMAIL"] = (
        "true"  # her sign-in finds what the host has entered
    )
    standing.start_portal(workers=2, threads=4)
    with inside(standing) as here:
        ada = affiliate_with(here, "ada", amount=AVAILABLE)
        verified_at_stripe(standing, here, ada)
        browser = signed_in(standing, "person-ada")
        token = field(browser.get(f"{standing.address}/payouts/new", timeout=10).text, "csrf_token")

        def ask(number: int) -> int:
            form = {"csrf_token": token, "request_key": f"tab-{number}", "amount": "40.00"}
            answer = requests.post(
                f"{standing.address}/payouts",
                data=form,
                cookies=browser.cookies.copy(),
                allow_redirects=False,
                timeout=60,
            )
            return answer.status_code

        with ThreadPoolExecutor(REQUESTS) as threads:
            statuses = Counter(threads.map(ask, range(REQUESTS)))

        assert statuses == {303: 1, 409: REQUESTS - 1}
        assert [payout.amount for payout in here.payout_history.page(ada)] == [REQUESTED]
        assert_books_balance(here, ada, available=AVAILABLE - REQUESTED, reserved=REQUESTED)
