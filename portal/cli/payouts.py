"""`flask payouts`: the queue, and what an operator decides about one payout or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from portal.wiring import services

payouts = AppGroup("payouts", help="Payouts: the queue, decisions, and stopping all sending.")

_IDS = click.argument("payout_ids", type=click.UUID, metavar="ID...", nargs=-1, required=True)
_IS = {
    DecisionKind.approve: "is approved",
    DecisionKind.reject: "is rejected",
    DecisionKind.cancel: "is canceled",
}
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
    _decide(DecisionKind.approve, payout_ids, acting=acting, as_json=as_json)


@payouts.command("reject")
@_IDS
@_REASON
@as_option
@json_option
@says_refusals
def reject(payout_ids: tuple[UUID, ...], reason: str, acting: str, as_json: bool) -> None:
    """Say no to requests; the money goes back to the affiliates' balances."""
    _decide(DecisionKind.reject, payout_ids, acting=acting, reason=reason, as_json=as_json)


@payouts.command("cancel")
@_IDS
@_REASON
@as_option
@json_option
@says_refusals
def cancel(payout_ids: tuple[UUID, ...], reason: str, acting: str, as_json: bool) -> None:
    """Call payouts off that are not under way; the money goes back to the affiliates' balances."""
    _decide(DecisionKind.cancel, payout_ids, acting=acting, reason=reason, as_json=as_json)


@payouts.command("retry")
@_IDS
@as_option
@json_option
@says_refusals
def retry(payout_ids: tuple[UUID, ...], acting: str, as_json: bool) -> None:
    """Have the next run take payouts up, however long they were to wait."""
    _decide(DecisionKind.retry, payout_ids, acting=acting, as_json=as_json)


@payouts.command("mark-paid")
@_IDS
@click.option(
    "--reference",
    "references",
    required=True,
    multiple=True,
    help="What the payment is found by: the wallet transfer's hash, say. One for all, or one for each in order.",
)
@as_option
@json_option
@says_refusals
def mark_paid(payout_ids: tuple[UUID, ...], references: tuple[str, ...], acting: str, as_json: bool) -> None:
    """Note that crypto payouts were paid by hand."""
    each = references * len(payout_ids) if len(references) == 1 else references
    if len(each) != len(payout_ids) or len(set(payout_ids)) != len(payout_ids):
        raise click.UsageError(
            "Name each payout once, with one --reference for all or one for each, in order."
        )
    given = dict(zip(payout_ids, each, strict=True))
    _decide(DecisionKind.mark_paid, payout_ids, acting=acting, as_json=as_json, references=given)


def _decide(
    kind: DecisionKind,
    payout_ids: Sequence[UUID],
    *,
    acting: str,
    as_json: bool,
    reason: str | None = None,
    references: Mapping[UUID, str] | None = None,
) -> None:
    """One, or several at once as on the page; then exit 1 if one was skipped."""
    cause = cause_of(acting, kind.act, f"payouts {kind.value.replace('_', '-')}", reason)
    by = operator_behind(acting, kind.act)
    if len(payout_ids) == 1:
        reference = (references or {}).get(payout_ids[0])
        done = services().decisions.decide_one(
            kind, payout_ids[0], decided_by=by, cause=cause, reference=reference
        )
        row = services().payouts.get(payout_ids[0])
        report(
            _described(row) | _done(done.said), [_line(kind, row, done.outcome, done.said)], as_json=as_json
        )
        return
    key, ids = new_id(), list(dict.fromkeys(payout_ids))
    services().decisions.decide(key, kind, ids, decided_by=by, cause=cause, references=references)
    lines = services().decision_records.get(key).lines
    described = [
        _described(line.payout) | {"outcome": line.outcome, "refusal": line.refusal} | _done(line.done)
        for line in lines
    ]
    said = [
        f"{line.payout.reference} is skipped: {line.refusal}"
        if line.outcome is None or line.outcome is DecisionOutcome.skipped
        else _line(kind, line.payout, line.outcome, line.done)
        for line in lines
    ]
    report({"payouts": described}, said, as_json=as_json)
    if any(line.outcome is DecisionOutcome.skipped for line in lines):
        raise click.exceptions.Exit(1)


def _done(said: str | None) -> dict[str, object]:
    return {"done": said} if said else {}


def _line(kind: DecisionKind, row: Payout, outcome: DecisionOutcome, said: str | None) -> str:
    if said:
        return said
    if kind is DecisionKind.mark_paid:
        return f"{row.reference} is paid ({row.external_reference})."
    return f"{row.reference} {'has the first of two approvals' if outcome is DecisionOutcome.first else _IS[kind]}."


def _described(row: Payout) -> dict[str, object]:
    return {
        "id": str(row.id),
        "reference": row.reference,
        "status": row.status,
        "hold_reason": row.hold_reason,
        "amount": row.amount,
        "currency": row.currency,
        "transfer_id": row.transfer_id,
        "external_reference": row.external_reference,
        "created_at": row.created_at.isoformat(),
    }


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(payouts)
