"""Statements as people get them: a page, a file for a spreadsheet, a PDF."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pypdf
import pytest

from portal.domain.statements import Month
from portal.services.affiliates import AffiliateData
from portal.services.ledger import EarningData
from portal.web.rendering import money_text
from portal.web.statement_pdf import statement_pdf
from portal.wiring import services
from tests.web.pages.conftest import TEST, Partner


def go_to(partner: Partner, month: int, day: int = 1) -> None:
    partner.clock.set(datetime(2031, month, day, 12, tzinfo=UTC))
    partner.sign_in()


@pytest.fixture
def paid(ada: Partner) -> Partner:
    """Earned $412.50 in January, was paid it in February; it is March."""
    go_to(ada, 1, 10)
    ada.set_up()
    ada.earn(41_250)
    go_to(ada, 2, 20)
    ada.send(ada.get("/payouts/new"), "/payouts")
    ada.pays()
    go_to(ada, 3, 5)
    return ada


def spreadsheet(partner: Partner, month: str) -> list[dict[str, str]]:
    response = partner.get(f"/statements/{month}.csv").response
    assert response.mimetype == "text/csv"
    return [*csv.DictReader(io.StringIO(response.text))]


def document(partner: Partner, month: str) -> tuple[bytes, str]:
    response = partner.get(f"/statements/{month}.pdf").response
    assert (response.status_code, response.mimetype) == (200, "application/pdf")
    pages = pypdf.PdfReader(io.BytesIO(response.data)).pages
    return response.data, " ".join("\n".join(page.extract_text() for page in pages).split())


def test_every_month_is_listed_under_its_year(paid: Partner) -> None:
    page = paid.get("/statements")
    assert [row.one("th").text for row in page.html.all("tr", role="row")[1:]] == [
        "March 2031 so far", "February 2031", "January 2031", "All of 2031",
    ]  # fmt: skip
    year = page.html.one("tfoot").all("data")
    assert [each.attributes["value"] for each in year] == ["41250", "0", "41250", "0"]


def test_a_statement_adds_up_and_its_lines_are_explained(paid: Partner) -> None:
    page = paid.get("/statements/2031-02")
    sums = [each.one("data").attributes["value"] for each in page.html.all("dd", data_sum=None)]
    assert sums == ["41250", "0", "0", "-41250", "0"]
    (row,) = page.html.one("tbody").all("tr")
    assert row.one("th").text == "Payout sent"
    assert row.one("a").attributes["href"].startswith("/payouts/")
    assert "Final" in page.said
    january = paid.get("/statements/2031-01")
    assert january.html.one("tbody").one("tr").one("th").text == "Commission: A sale"


def test_a_running_month_says_that_it_may_still_change(paid: Partner) -> None:
    page = paid.get("/statements/2031-03")
    assert "The month is not over" in page.said
    assert "Nothing moved in this month." in page.said


def test_the_spreadsheet_has_every_line_with_the_balance_after_it(paid: Partner) -> None:
    assert spreadsheet(paid, "2031-02") == [
        {"date": "2031-02-01T00:00:00Z", "kind": "opening", "what": "Opening balance", "details": "",
         "reference": "", "amount": "", "currency": "usd", "balance": "412.50"},
        {"date": "2031-02-20T12:00:00Z", "kind": "sent", "what": "Payout sent", "details": "",
         "reference": "P-1001", "amount": "-412.50", "currency": "usd", "balance": "0.00"},
        {"date": "", "kind": "closing", "what": "Closing balance", "details": "",
         "reference": "", "amount": "", "currency": "usd", "balance": "0.00"},
    ]  # fmt: skip


def test_a_description_can_be_no_formula(ada: Partner) -> None:
    row = ada.row()
    bad = EarningData(
        "=1+1", row.code, 500, row.currency, ada.clock.now(), '=HYPERLINK("https://evil.example")'
    )
    with ada.app.app_context():
        services().ledger.post_earnings([bad], cause=TEST)
    (line,) = spreadsheet(ada, f"{ada.clock.now():%Y-%m}")[1:-1]
    assert line["details"].startswith("'=")
    assert line["reference"] == "'=1+1"


def test_the_pdf_says_the_same(paid: Partner) -> None:
    _, text = document(paid, "2031-02")
    assert "Statement for February 2031" in text
    assert "1 Feb 2031 to 28 Feb 2031" in text
    assert "Opening balance $412.50" in text
    assert "Payouts sent −$412.50" in text
    assert "Closing balance $0.00" in text
    assert "20 Feb 2031 Payout sent P-1001 −$412.50" in text


def test_only_the_balances_of_the_pdf_are_bold_whatever_they_are_worth(paid: Partner) -> None:
    made, _ = document(paid, "2031-01")
    bold: list[str] = []
    pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text(
        visitor_text=lambda text, _, __, font, ___: (
            bold.append(text) if "Bold" in (font or {}).get("/BaseFont", "") else None
        )
    )
    words = " ".join("".join(bold).split())
    assert "Opening balance $0.00" in words
    assert "Closing balance $412.50" in words
    assert "Commissions" not in words
    assert "Refund adjustments" not in words


def test_signs_that_the_font_lacks_leave_a_mark_in_the_pdf(ada: Partner) -> None:
    go_to(ada, 1, 10)
    ada.earn(41_250)
    assert "□" not in document(ada, "2031-01")[1]
    ada.send(ada.get("/settings"), "/settings", name="山田 Yamada")
    _, text = document(ada, "2031-01")
    assert "□□ Yamada" in text
    assert "□ stands for signs" in text


def test_a_final_pdf_is_the_same_file_each_time(paid: Partner) -> None:
    first, _ = document(paid, "2031-02")
    go_to(paid, 4, 2)
    assert document(paid, "2031-02")[0] == first


@pytest.mark.parametrize("currency", ["jpy", "bhd", "eur", "isk", "inr", "vnd"])
def test_any_currency_and_long_names_in_other_scripts_fit(
    new_partner: Callable[[str], Partner], currency: str
) -> None:
    partner = new_partner("zoe")
    name = "Đặng Ünsal-Großmann Παπαδόπουλος Александра בן־דוד محمد " + "Wolfeschlegelsteinhausen" * 5
    code = f"long-{currency}"
    with partner.app.app_context():
        data = AffiliateData(email="zoe@example.com", name=name[:200], currency=currency, country="DE")
        services().affiliates.put(code, data, cause=TEST)
        earning = EarningData(
            "x" * 255,
            code,
            999_999_999_990,
            currency,
            partner.clock.now(),
            "Übermäßig lange Beschreibung " * 17,
        )
        services().ledger.post_earnings([earning], cause=TEST)
        row = services().affiliates.by_code(code)
        statement = services().statements.get(row.id, Month.of(partner.clock.now()))
        lines = services().statements.lines(row.id, statement, limit=10)
        made = statement_pdf(statement, lines, affiliate=row, portal_name="Programme", has_more=True)
        text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
        # as a sum, as the balance and in its line, broken nowhere
        assert text.replace("\u00a0", " ").count(money_text(lines[0].money).replace("\u00a0", " ")) == 3
    assert "Großmann" in text
    assert "Александра" in text
    assert "The CSV of this month has all of them" in text.replace("\n", " ")


def test_long_months_are_read_page_by_page(ada: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.web.statements.PAGE_ROWS", 2)
    monkeypatch.setattr("portal.web.csv_files.BATCH_ROWS", 2)
    monkeypatch.setattr("portal.web.statements.BATCH_ROWS", 2)
    monkeypatch.setattr("portal.web.statements.MOST_PDF_LINES", 2)
    for number in range(3):
        ada.earn(100 + number, days_ago=0, reference=f"order-{number}")
    month = f"{ada.clock.now():%Y-%m}"
    first = ada.get(f"/statements/{month}")
    assert "order-1" in first.said
    assert "order-2" not in first.said
    later = ada.get(first.html.one("nav", aria_label="Pages").all("a")[-1].attributes["href"])
    assert "order-2" in later.said
    assert [line["balance"] for line in spreadsheet(ada, month)] == ["0.00", "1.00", "2.01", "3.03", "3.03"]
    assert "These are the first 2 lines" in document(ada, month)[1]
    assert ada.get(f"/statements/{month}?after=x").status == 422


@pytest.mark.parametrize(
    "path", ["2031-13", "x", "2031-02.txt", "1999-01", "2031-02.csv", "2031-02.pdf", "2031-02"]
)
def test_what_is_not_ones_own_is_not_there(
    paid: Partner, new_partner: Callable[[str], Partner], path: str
) -> None:
    assert new_partner("bob").get(f"/statements/{path}").status == 404


def test_before_the_first_earnings_the_page_says_what_will_be_there(ada: Partner) -> None:
    assert "Your first statement appears here with your first earnings." in ada.get("/statements").said
