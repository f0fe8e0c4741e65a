"""`flask payouts halt`, `resume`, `retry` and `mark-paid`: an operator's hand on sending."""

from __future__ import annotations

from uuid import UUID

import click
from flask import Flask

from portal.cli.acting import as_option, cause_of, operator_behind
from portal.cli.answers import json_option, report, says_refusals
from portal.cli.payouts import payouts
from portal.wiring import services

_ID = click.argument("payout_id", type=click.UUID, metavar="ID")
_REASON = click.option("--reason", required=True, help="Why; for operators and the audit trail.")


@payouts.command("halt")
@_REASON
@as_option
@json_option
@says_refusals
def halt(reason: str, acting: str, as_json: bool) -> None:
    """Stop all sending; what is under way runs out."""
    services().payout_control.halt(cause=cause_of(acting, "payouts halt", reason))
    report({"is_halted": True}, ["Sending is stopped."], as_json=as_json)


@payouts.command("resume")
@_REASON
@as_option
@json_option
@says_refusals
def resume(reason: str, acting: str, as_json: bool) -> None:
    """Let sending go on, if selfcheck and reconcile pass."""
    services().payout_control.resume(cause=cause_of(acting, "payouts resume", reason))
    report({"is_halted": False}, ["Sending is on."], as_json=as_json)


@payouts.command("retry")
@_ID
@as_option
@json_option
@says_refusals
def retry(payout_id: UUID, acting: str, as_json: bool) -> None:
    """Have the next run take a payout up, however long it was to wait."""
    done = services().payout_control.retry(payout_id, cause=cause_of(acting, "payouts retry"))
    row = services().payouts.get(payout_id)
    document = {"id": str(row.id), "reference": row.reference, "status": row.status, "done": done}
    report(document, [done], as_json=as_json)


@payouts.command("mark-paid")
@_ID
@click.option(
    "--reference", required=True, help="What the payment is found by: the wallet transfer's hash, say."
)
@as_option
@json_option
@says_refusals
def mark_paid(payout_id: UUID, reference: str, acting: str, as_json: bool) -> None:
    """Note that a crypto payout was paid by hand."""
    row = services().payout_control.mark_paid(
        payout_id,
        reference=reference,
        paid_by=operator_behind(acting),
        cause=cause_of(acting, "payouts mark-paid", reference),
    )
    document = {
        "id": str(row.id),
        "reference": row.reference,
        "status": row.status,
        "external_reference": row.external_reference,
    }
    report(document, [f"{row.reference} is paid ({row.external_reference})."], as_json=as_json)


def register(app: Flask) -> None:
    """Add the commands to the family that `payouts` has registered."""
    app.cli.add_command(payouts)
