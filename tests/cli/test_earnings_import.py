"""`flask earnings import`: all or none, every bad line named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from portal.services.affiliates import AffiliateData
from portal.services.journal import Cause
from portal.wiring import services

HEADER = "reference,affiliate_code,amount,currency,occurred_at,description"


@pytest.fixture
def portal(portal_app: Flask) -> Flask:
    """A portal that knows Ana."""
    with portal_app.app_context():
        services().affiliates.put("ana", AffiliateData(currency="usd"), cause=Cause.system("a test"))
    return portal_app


def _import(portal: Flask, folder: Path, *lines: str) -> Result:
    file = folder / "earnings.csv"
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return portal.test_cli_runner().invoke(args=["earnings", "import", str(file), "--json"])


def _total(portal: Flask) -> int:
    with portal.app_context():
        return services().affiliates.by_code("ana").total_earned


def test_a_file_is_credited_once(portal: Flask, tmp_path: Path) -> None:
    lines = [
        "o-1,ana,1250,usd,2026-01-05T12:00:00Z,Order 1",
        'o-2,ana,50,usd,2026-01-05T12:00:00Z,"Two, of them"',
    ]
    assert json.loads(_import(portal, tmp_path, *lines).stdout) == {"created": 2, "duplicates": 0}
    assert json.loads(_import(portal, tmp_path, *lines).stdout) == {"created": 0, "duplicates": 2}
    assert _total(portal) == 1300


def test_every_bad_line_is_named_and_nothing_is_written(portal: Flask, tmp_path: Path) -> None:
    result = _import(
        portal,
        tmp_path,
        "o-1,ana,1250,usd,2026-01-05T12:00:00Z,fine",
        "o-2,ana,12.50,usd,2026-01-05T12:00:00Z,decimals",
        "o-3,ana,1250,usd,2026-01-05 12:00:00,no offset",
        "o-4,ana,1250",
    )
    assert result.exit_code == 1
    assert [line.removeprefix("Error: ").split(": ")[0] for line in result.stderr.splitlines()] == [
        "line 3.amount",
        "line 4.occurred_at",
        "line 5",
    ]
    assert _total(portal) == 0


def test_what_only_the_books_know_is_named_by_line_too(portal: Flask, tmp_path: Path) -> None:
    result = _import(
        portal,
        tmp_path,
        "o-1,nobody,1250,usd,2026-01-05T12:00:00Z,",
        "o-2,ana,1250,eur,2026-01-05T12:00:00Z,",
    )
    assert "line 2.affiliate_code" in result.stderr
    assert "line 3.currency" in result.stderr
    assert _total(portal) == 0


def test_another_header_and_what_is_no_csv_are_refused(portal: Flask, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    for content in (b"a,b\n1,2\n", b"\xff\xfe\x00", b""):
        file.write_bytes(content)
        result = portal.test_cli_runner().invoke(args=["earnings", "import", str(file)])
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
