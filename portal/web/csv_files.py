"""Lists that leave the portal as CSV: UTF-8, sent while they are read, and harmless in a spreadsheet.

A cell that begins like a formula would be run by a spreadsheet, so it gets an apostrophe in front.
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from flask import Response, stream_with_context

#: How many rows are read at a time: one statement each, and never the whole table in memory.
BATCH_ROWS = 1_000

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = TypeVar("Row")
Place = TypeVar("Place")


def csv_file(name: str, header: Sequence[str], rows: Iterator[Sequence[object]]) -> Response:
    """A file of that name to be saved."""
    response = Response(stream_with_context(_lines(header, rows)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def all_pages(
    page: Callable[[Place | None], Sequence[Row]], *, place_of: Callable[[Row], Place]
) -> Iterator[Row]:
    """Every row of a list that is read page by page; `page` gets the place of the row before."""
    rows = page(None)
    while rows:
        yield from rows
        rows = page(place_of(rows[-1])) if len(rows) >= BATCH_ROWS else []


def cell(value: object) -> str:
    """A value as a spreadsheet may have it: times in UTC, enums as stored, nothing as nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case int() | Decimal():
            return str(value)
        case Enum():
            text = str(value.value)
        case _:
            text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_BEGINS) else text


def _lines(header: Iterable[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield _line(header)
    for row in rows:
        yield _line(cell(value) for value in row)


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([*cells])
    return line.getvalue()
