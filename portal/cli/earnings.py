"""`flask earnings import`: earnings from a file, all or none, every bad line named."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.answers import by_shell, json_option, report, says_refusals
from portal.domain.errors import InvalidInput
from portal.services.ledger import EarningData, EarningsConflict
from portal.web.earning_bodies import EARNING_MEMBERS, read_earning
from portal.wiring import services

earnings = AppGroup("earnings", help="Earnings: import.")

#: Where the services name a fault: the place in the list, then the member.
_PLACE = re.compile(r"earnings\.([0-9]+)\.?(.*)")


@earnings.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.csv")
@json_option
@says_refusals
def import_(file: Path, as_json: bool) -> None:
    """Credit the earnings of a CSV file with the header
    reference,affiliate_code,amount,currency,occurred_at,description; all of them or none."""
    items, lines = _read(file)
    try:
        results = services().ledger.post_earnings(items, cause=by_shell(f"earnings import {file.name}"[:255]))
    except (InvalidInput, EarningsConflict) as refusal:
        raise InvalidInput(
            [(_line_of(at, lines), sentence) for at, sentence in refusal.problems]
        ) from refusal
    created = sum(status == "created" for _, status in results)
    document = {"created": created, "duplicates": len(results) - created}
    report(document, [f"{created} credited, {len(results) - created} known already."], as_json=as_json)


def _read(file: Path) -> tuple[list[EarningData], list[int]]:
    """The rows and the line each stands on. Raises InvalidInput naming every bad line."""
    faults: list[tuple[str, str]] = []
    items: list[EarningData] = []
    lines: list[int] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, strict=True)
            if next(rows, None) != list(EARNING_MEMBERS):
                raise InvalidInput([("line 1", f"The header must be {','.join(EARNING_MEMBERS)}.")])
            for row in rows:
                if row:
                    items.append(_earning(row, f"line {rows.line_num}", faults))
                    lines.append(rows.line_num)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise InvalidInput([(file.name, f"This is not CSV in UTF-8: {problem}.")]) from problem
    if faults:
        raise InvalidInput(faults)
    if not items:
        raise InvalidInput([(file.name, "There are no earnings in this file.")])
    return items, lines


def _earning(row: list[str], at: str, faults: list[tuple[str, str]]) -> EarningData:
    if len(row) != len(EARNING_MEMBERS):
        faults.append((at, f"This line has {len(row)} columns instead of {len(EARNING_MEMBERS)}."))
        return read_earning(None, at, [])
    item: dict[str, object] = dict(zip(EARNING_MEMBERS, row, strict=True))
    if re.fullmatch(r"[0-9]{1,15}", str(item["amount"])):
        item["amount"] = int(str(item["amount"]))
    return read_earning(item, at, faults)


def _line_of(place: str, lines: list[int]) -> str:
    match = _PLACE.fullmatch(place)
    return f"line {lines[int(match[1])]}.{match[2]}".rstrip(".") if match else place


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(earnings)
