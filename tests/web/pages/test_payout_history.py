"""Looking through one's payouts: filters with their counts, and the file of what they show."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from tests.web.pages.conftest import Partner

NEW = "/payouts/new"


def test_filters_count_what_there_is_and_keep_the_days(verified: Partner) -> None:
    for amount in ("30.00", "40.00"):
        payout = verified.send(verified.get(NEW), "/payouts", amount=amount).location.split("?")[0]
        verified.post(f"{payout}/cancel")
    verified.send(verified.get(NEW), "/payouts", amount="50.00")
    day = f"{verified.clock.now():%Y-%m-%d}"
    page = verified.get(f"/payouts?from={day}&to={day}")
    links = {link.text: link.attributes["href"] for link in page.html.one("ul", class_="chips").all("a")}
    assert list(links) == ["All 3", "Approved 1", "Canceled 2"]
    canceled = verified.get(links["Canceled 2"])
    assert len(canceled.html.all("tr", data_payout_id=None)) == 2
    assert f"from={day}" in links["Canceled 2"]
    earlier = verified.get("/payouts?to=2020-01-01")
    assert "No payouts match these filters." in earlier.said


@pytest.mark.parametrize(
    "query", ["status=sent", "from=yesterday", "to=2026-13-01", "to=9999-12-31", "from=%00"]
)
def test_a_filter_that_makes_no_sense_is_refused(verified: Partner, query: str) -> None:
    assert verified.get(f"/payouts?{query}").status == 422
    assert verified.get(f"/payouts.csv?{query}").status == 422


def test_the_file_holds_exactly_what_the_filter_shows(
    verified: Partner, new_partner: Callable[[str], Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.web.csv_files.BATCH_ROWS", 1)
    monkeypatch.setattr("portal.web.payouts.BATCH_ROWS", 1)
    payout = verified.send(verified.get(NEW), "/payouts", amount="30.00").location.split("?")[0]
    verified.post(f"{payout}/cancel")
    verified.send(verified.get(NEW), "/payouts", amount="50.00")
    rows = [*csv.DictReader(io.StringIO(verified.get("/payouts.csv").response.text))]
    assert [(row["reference"], row["status"], row["amount"], row["currency"]) for row in rows] == [
        ("P-1002", "Approved", "50.00", "usd"),
        ("P-1001", "Canceled", "30.00", "usd"),
    ]
    only = verified.get("/payouts.csv?status=canceled").response
    assert [row["reference"] for row in csv.DictReader(io.StringIO(only.text))] == ["P-1001"]
    assert only.headers["Content-Disposition"] == 'attachment; filename="payouts.csv"'
    stranger = new_partner("bob").get("/payouts.csv").response
    assert len(stranger.text.splitlines()) == 1
