"""What is logged: never what a variable held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from portal import logs
from portal.config import settings_from


@pytest.fixture
def usual_logs() -> Iterator[None]:
    """Whatever a test sets up for the whole process is taken back."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_where_it_was_and_never_what_a_variable_held(
    log_format: str, usual_logs: None, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_from({"PORTAL_ENV": "test", "PORTAL_LOG_FORMAT": log_format})
    logs.configure(settings)
    _fail("hush-hush")
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "hush-hush" not in shown


def _fail(token: str) -> None:
    try:
        len(token) // 0
    except ZeroDivisionError:
        structlog.get_logger().exception("job.raised")
