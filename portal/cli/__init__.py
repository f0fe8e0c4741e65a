"""What a shell sees: a module for each family of commands."""

from __future__ import annotations

from flask import Flask

from portal.cli import affiliates, operators, payouts, runs, tokens, worker


def register_commands(app: Flask) -> None:
    """Add every family to `flask`."""
    for family in (affiliates, operators, payouts, runs, tokens, worker):
        family.register(app)
