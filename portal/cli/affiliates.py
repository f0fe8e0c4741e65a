"""`flask affiliates`: who is there, and what operators do about one of them."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import as_option, cause_of
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.errors import NotFound
from portal.domain.roles import Act
from portal.models import Affiliate
from portal.wiring import services

affiliates = AppGroup("affiliates", help="Affiliates: list, sync, block, unblock, accept-bank, note.")

_CODE = click.argument("code")


@affiliates.command("list")
@json_option
@says_refusals
def show(as_json: bool) -> None:
    """Every affiliate with the status of their Stripe account."""
    found = services().affiliates.all()
    lines = [
        f"{row.code}\t{row.stripe_account_status or '-'}\t{'blocked' if row.is_blocked else ''}\t{row.name}"
        for row in found
    ]
    report(
        {"affiliates": [_described(row) for row in found]}, lines or ["No affiliates yet."], as_json=as_json
    )


@affiliates.command("block")
@_CODE
@click.option("--reason", required=True, help="Why; for operators and the audit trail.")
@click.option("--message", default="", help="What the affiliate reads.")
@as_option
@json_option
@says_refusals
def block(code: str, reason: str, message: str, acting: str, as_json: bool) -> None:
    """Stop all payouts of an affiliate; what is approved is held."""
    row = services().affiliates.block(
        code, message=message, cause=cause_of(acting, Act.block, "affiliates block", reason)
    )
    report(_described(row), [f"{code} is blocked."], as_json=as_json)


@affiliates.command("unblock")
@_CODE
@click.option("--reason", default=None, help="Why; for operators and the audit trail.")
@as_option
@json_option
@says_refusals
def unblock(code: str, reason: str | None, acting: str, as_json: bool) -> None:
    """Allow payouts again; the next run looks at what was held."""
    row = services().affiliates.unblock(code, cause=cause_of(acting, Act.block, "affiliates unblock", reason))
    report(_described(row), [f"{code} is not blocked."], as_json=as_json)


@affiliates.command("sync")
@_CODE
@as_option
@json_option
@says_refusals
def sync(code: str, acting: str, as_json: bool) -> None:
    """Ask Stripe about an affiliate's account now, and write down what it says."""
    cause = cause_of(acting, Act.sync, "affiliates sync")
    before = services().affiliates.by_code(code)
    if before.stripe_account_id is None:
        raise NotFound(f"{code} has no Stripe account to ask about yet.")
    row = services().accounts.sync(before.id, cause=cause)
    said = "No change" if row.version == before.version else "It is written down"
    report(_described(row), [f"{said}: {row.stripe_account_status}."], as_json=as_json)


@affiliates.command("accept-bank")
@_CODE
@click.option("--reason", required=True, help="Why several are rightly paid to one bank account.")
@as_option
@json_option
@says_refusals
def accept_bank(code: str, reason: str, acting: str, as_json: bool) -> None:
    """Accept that an affiliate's bank account is others' too; whoever joins them later is shown again."""
    services().shared_banks.accept(
        code, cause=cause_of(acting, Act.accept_bank, "affiliates accept-bank", reason)
    )
    report({"code": code}, ["The shared bank account is accepted for all who use it now."], as_json=as_json)


@affiliates.command("note")
@_CODE
@click.option(
    "--text", required=True, help="What to note, for operators and the audit trail; they never read it."
)
@as_option
@json_option
@says_refusals
def note(code: str, text: str, acting: str, as_json: bool) -> None:
    """Note something about an affiliate; it can't be changed or taken back."""
    services().notes.add(code, text, cause=cause_of(acting, Act.note, "affiliates note"))
    report({"code": code}, [f"It stands in the history of {code}."], as_json=as_json)


def _described(row: Affiliate) -> dict[str, object]:
    return {
        "code": row.code,
        "name": row.name,
        "country": row.country,
        "currency": row.currency,
        "stripe_account_id": row.stripe_account_id,
        "stripe_account_status": row.stripe_account_status,
        "is_blocked": row.is_blocked,
        "block_reason": row.block_reason,
        "total_earned": row.total_earned,
    }


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(affiliates)
