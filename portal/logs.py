"""Structured logs: one line an event, as JSON in production; never a secret, never an account link."""

from __future__ import annotations

import logging
import sys

import structlog

from portal.config import Settings


def configure(settings: Settings) -> None:
    """Set up structlog for the whole process; lines go to standard error."""
    is_json = settings.log_format == "json"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if is_json else structlog.processors.StackInfoRenderer(),
            structlog.processors.JSONRenderer()
            if is_json
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # where rich is installed the usual one shows local variables: tokens, addresses, links
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
