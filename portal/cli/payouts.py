"""`flask payouts`: the queue, and what an operator decides about a payout."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import as_option, cause_of, operator_behind
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus
from portal.models import Payout
from portal.models.base import new_id
from portal.services.journal import Cause
from portal.wiring import services

payouts = AppGroup("payouts", help="Payouts: the queue, decisions, and stopping all sending.")

_IDS = click.argument("payout_ids", type=click.UUID, metavar="ID...", nargs=-1, required=True)
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
@_IDS
@as_option
@json_option
@says_refusals
def approve(payout_ids: tuple[UUID, ...], acting: str, as_json: bool) -> None:
    """Say yes to requests; the next run sends them. Never the second of two approvals."""
    cause = cause_of(acting, "payouts approve")
    _decide(DecisionKind.approve, payout_ids, by=operator_behind(acting), cause=cause, as_json=as_json)


@payouts.command("reject")
@_IDS
@_REASON
@as_option
@json_option
@says_refusals
def reject(payout_ids: tuple[UUID, ...], reason: str, acting: str, as_json: bool) -> None:
    """Say no to requests; the money goes back to the affiliates' balances."""
    cause = cause_of(acting, "payouts reject", reason)
    _decide(DecisionKind.reject, payout_ids, by=operator_behind(acting), cause=cause, as_json=as_json)


@payouts.command("cancel")
@_IDS
@_REASON
@as_option
@json_option
@says_refusals
def cancel(payout_ids: tuple[UUID, ...], reason: str, acting: str, as_json: bool) -> None:
    """Call payouts off that are not under way; the money goes back to the affiliates' balances."""
    cause = cause_of(acting, "payouts cancel", reason)
    _decide(DecisionKind.cancel, payout_ids, by=operator_behind(acting), cause=cause, as_json=as_json)


def _decide(kind: DecisionKind, payout_ids: Sequence[UUID], *, by: UUID, cause: Cause, as_json: bool) -> None:
    """One, or several at once as on the page; then exit 1 if one was skipped."""
    if len(payout_ids) == 1:
        outcome = services().decisions.decide_one(kind, payout_ids[0], decided_by=by, cause=cause)
        row = services().payouts.get(payout_ids[0])
        report(_described(row), [_line(kind, row, outcome)], as_json=as_json)
        return
    key = new_id()
    services().decisions.decide(key, kind, list(dict.fromkeys(payout_ids)), decided_by=by, cause=cause)
    lines = services().decisions.get(key).lines
    described = [
        _described(line.payout) | {"outcome": line.outcome, "refusal": line.refusal} for line in lines
    ]
    said = [
        f"{line.payout.reference} is skipped: {line.refusal}"
        if line.outcome is None or line.outcome is DecisionOutcome.skipped
        else _line(kind, line.payout, line.outcome)
        for line in lines
    ]
    report({"payouts": described}, said, as_json=as_json)
    if any(line.outcome is DecisionOutcome.skipped for line in lines):
        raise click.exceptions.Exit(1)


def _line(kind: DecisionKind, row: Payout, outcome: DecisionOutcome) -> str:
    done = "has the first of two approvals" if outcome is DecisionOutcome.first else f"is {kind.wanted.value}"
    return f"{row.reference} {done}."


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
