"""What a shell sees: a module for each family of commands."""

from __future__ import annotations

from flask import Flask


def register_commands(app: Flask) -> None:
    """Add every family to `flask`."""
    # Here, so that the demo, which is one of them, begins without waiting for the others.
    from portal.cli import (
        affiliates,
        backfills,
        checks,
        demo,
        earnings,
        generate,
        operators,
        payout_control,
        payouts,
        runs,
        tokens,
        webhooks,
        worker,
    )

    for family in (
        affiliates,
        backfills,
        checks,
        demo,
        earnings,
        generate,
        operators,
        payout_control,
        payouts,
        runs,
        tokens,
        webhooks,
        worker,
    ):
        family.register(app)
