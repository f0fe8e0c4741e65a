"""`flask payouts halt` and `resume`: an operator's hand on all sending."""

from __future__ import annotations

import click
from flask import Flask

from portal.cli.acting import as_option, cause_of
from portal.cli.answers import json_option, report, says_refusals
from portal.cli.payouts import payouts
from portal.domain.roles import Act
from portal.wiring import services

_REASON = click.option("--reason", required=True, help="Why; for operators and the audit trail.")


@payouts.command("halt")
@_REASON
@as_option
@json_option
@says_refusals
def halt(reason: str, acting: str, as_json: bool) -> None:
    """Stop all sending; what is under way runs out."""
    services().payout_control.halt(cause=cause_of(acting, Act.halt, "payouts halt", reason))
    report({"is_halted": True}, ["Sending is stopped."], as_json=as_json)


@payouts.command("resume")
@_REASON
@as_option
@json_option
@says_refusals
def resume(reason: str, acting: str, as_json: bool) -> None:
    """Let sending go on, if selfcheck and reconcile pass."""
    services().payout_control.resume(cause=cause_of(acting, Act.resume, "payouts resume", reason))
    report({"is_halted": False}, ["Sending is on."], as_json=as_json)


def register(app: Flask) -> None:
    """Add the commands to the family that `payouts` has registered."""
    app.cli.add_command(payouts)
