"""`flask payouts`: the queue, and what an operator decides about a payout."""

from __future__ import annotations

from uuid import UUID

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import as_option, cause_of, operator_behind
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus
from portal.models import Payout
from portal.wiring import services

payouts = AppGroup("payouts", help="Payouts: the queue, decisions, and stopping all sending.")

_ID = click.argument("payout_id", type=click.UUID, metavar="ID")
_REASON = click.option("--reason", required=True, help="Why; the affiliate reads it.")


@payouts.command("list")
@click.option("--status", type=click.Choice([*PayoutStatus]), default=None)
@click.option("--affiliate", "affiliate_code", default=None, metavar="CODE")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
@says_refusals
def show(status: str | None, affiliate_code: str | None, limit: int, as_json: bool) -> None:
    """The newest payouts."""
    found = services().payouts.search(status=status, affiliate_code=affiliate_code, limit=limit)
    lines = [
        f"{row.id}\t{row.reference}\t{code}\t{Money(row.amount, row.currency)}\t{row.status}"
        for row, code in found
    ]
    document = {"payouts": [_described(row) | {"affiliate_code": code} for row, code in found]}
    report(document, lines or ["No payouts."], as_json=as_json)


@payouts.command("approve")
@_ID
@as_option
@json_option
@says_refusals
def approve(payout_id: UUID, acting: str, as_json: bool) -> None:
    """Say yes to a request; the next run sends it. Never the second of two approvals."""
    row = services().approvals.approve(
        payout_id, approver=operator_behind(acting), cause=cause_of(acting, "payouts approve")
    )
    done = "is approved" if row.status is PayoutStatus.approved else "has the first of two approvals"
    report(_described(row), [f"{row.reference} {done}."], as_json=as_json)


@payouts.command("reject")
@_ID
@_REASON
@as_option
@json_option
@says_refusals
def reject(payout_id: UUID, reason: str, acting: str, as_json: bool) -> None:
    """Say no to a request; the money goes back to the affiliate's balance."""
    row = services().payouts.reject(payout_id, cause=cause_of(acting, "payouts reject", reason))
    report(_described(row), [f"{row.reference} is rejected."], as_json=as_json)


@payouts.command("cancel")
@_ID
@_REASON
@as_option
@json_option
@says_refusals
def cancel(payout_id: UUID, reason: str, acting: str, as_json: bool) -> None:
    """Call a payout off that is not under way; the money goes back to the affiliate's balance."""
    row = services().payouts.cancel(payout_id, cause=cause_of(acting, "payouts cancel", reason))
    report(_described(row), [f"{row.reference} is canceled."], as_json=as_json)


def _described(row: Payout) -> dict[str, object]:
    return {
        "id": str(row.id),
        "reference": row.reference,
        "status": row.status,
        "hold_reason": row.hold_reason,
        "amount": row.amount,
        "currency": row.currency,
        "transfer_id": row.transfer_id,
        "created_at": row.created_at.isoformat(),
    }


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(payouts)
