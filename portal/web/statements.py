"""Monthly statements: as a page, as a file for a spreadsheet, and as a document to print or hand on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask import Blueprint, Flask, Response

from portal.domain.statements import Month
from portal.services.statements import MonthStatement, StatementLine
from portal.web.access import access, current_affiliate
from portal.web.csv_files import BATCH_ROWS, all_pages, csv_file
from portal.web.forms import page_after
from portal.web.rendering import render
from portal.web.words import STATEMENT_WORDS
from portal.wiring import services

pages = Blueprint("statements", __name__)

PAGE_ROWS = 100

#: A document of more lines than this helps nobody; the file for spreadsheets has them all.
MOST_PDF_LINES = 1_000

_COLUMNS = ("date", "kind", "what", "details", "reference", "amount", "currency", "balance")


@pages.get("/statements")
@access("affiliate")
def index() -> Response:
    return render("statements/index.html", years=services().statements.years(current_affiliate().id))


@pages.get("/statements/<month>")
@access("affiliate")
def show(month: str) -> Response:
    affiliate, after = current_affiliate(), page_after()
    statement = services().statements.get(affiliate.id, Month.parse(month))
    found = services().statements.lines(affiliate.id, statement, after=after, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    return render(
        "statements/show.html",
        affiliate=affiliate,
        statement=statement,
        lines=shown,
        after=after,
        later=shown[-1].entry_id if len(found) > PAGE_ROWS else None,
    )


@pages.get("/statements/<month>.csv")
@access("affiliate")
def csv(month: str) -> Response:
    statement = services().statements.get(current_affiliate().id, Month.parse(month))
    return csv_file(f"statement-{statement.month}.csv", _COLUMNS, _csv_rows(statement))


@pages.get("/statements/<month>.pdf")
@access("affiliate")
def pdf(month: str) -> Response:
    # here, since nothing else takes as long to load and few requests need it
    from portal.web.statement_pdf import statement_pdf

    affiliate = current_affiliate()
    statement = services().statements.get(affiliate.id, Month.parse(month))
    lines = services().statements.lines(affiliate.id, statement, limit=MOST_PDF_LINES + 1)
    document = statement_pdf(
        statement,
        lines[:MOST_PDF_LINES],
        affiliate=affiliate,
        portal_name=services().settings.name,
        has_more=len(lines) > MOST_PDF_LINES,
    )
    response = Response(document, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{statement.month}.pdf"'
    return response


def _csv_rows(statement: MonthStatement) -> Iterator[Sequence[object]]:
    affiliate_id, currency = current_affiliate().id, statement.totals.opening.currency

    def page(after: StatementLine | None) -> list[StatementLine]:
        after_id = after.entry_id if after else None
        return services().statements.lines(affiliate_id, statement, after=after_id, limit=BATCH_ROWS)

    balance = statement.totals.opening
    yield (statement.month.begins_at, "opening", "Opening balance", "", "", "", currency, balance.as_number)
    for line in all_pages(page, place_of=lambda line: line):
        balance = balance + line.money
        yield (
            line.at, line.kind, STATEMENT_WORDS[line.kind], line.text, line.reference,
            line.money.as_number, currency, balance.as_number,
        )  # fmt: skip
    words = "Closing balance" if statement.is_final else "Balance so far"
    yield ("", "closing", words, "", "", "", currency, balance.as_number)


def register(app: Flask) -> None:
    app.register_blueprint(pages)
