"""A year's earnings: the drawing, the sentence and the table say the same."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.web.pages.conftest import Partner


def earn_in(partner: Partner, month: int, amount: int, *, year: int = 2031) -> None:
    partner.clock.set(datetime(year, month, 5, tzinfo=UTC))
    partner.sign_in()
    partner.earn(amount, reference=f"order-{year}-{month}")


def test_the_drawing_and_the_table_show_the_same_twelve_months(ada: Partner) -> None:
    for month, amount in [(1, 10_000), (3, 2_500), (6, 5_000)]:
        earn_in(ada, month, amount)
    chart = ada.get("/dashboard").html.one("figure")
    rows = [(row.one("th").text, row.one("data").attributes["value"]) for row in chart.one("tbody").all("tr")]
    assert rows[:6] == [
        ("June 2031", "5000"), ("May 2031", "0"), ("April 2031", "0"), ("March 2031", "2500"),
        ("February 2031", "0"), ("January 2031", "10000"),
    ]  # fmt: skip
    assert len(rows) == 12
    heights = [int(bar.attributes["height"]) for bar in chart.all("rect")]
    assert heights[-6:] == [100, 0, 25, 0, 0, 50]
    assert heights[:6] == [0] * 6
    assert "$175.00 in the last 12 months, after refunds; most in January 2031, $100.00." in chart.text


def test_what_is_older_than_a_year_is_not_counted(ada: Partner) -> None:
    earn_in(ada, 6, 70_000, year=2030)
    earn_in(ada, 6, 1)
    chart = ada.get("/dashboard").html.one("figure")
    assert "$0.01 in the last 12 months" in chart.text
    assert [int(bar.attributes["height"]) for bar in chart.all("rect")][-1] == 100


def test_where_nothing_was_earned_there_is_no_chart(ada: Partner) -> None:
    assert not ada.get("/dashboard").html.all("figure")
