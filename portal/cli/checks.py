"""`flask selfcheck`, `reconcile` and `audit verify`: whether books and trail hold, and agree with Stripe."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from portal.cli.acting import cause_of
from portal.cli.answers import by_shell, json_option, report, says_refusals
from portal.domain.roles import Act
from portal.services.reconciliation import PassTally
from portal.wiring import StripeProblemError, services

audit = AppGroup("audit", help="The audit trail.")


@click.command("selfcheck")
@json_option
@with_appcontext
@says_refusals
def selfcheck(as_json: bool) -> None:
    """Every invariant of the books and every setting; exit 1 if one is broken."""
    broken = services().selfcheck.run()
    lines = [f"{breach.kind}\t{breach.id}\t{breach.message}" for breach in broken]
    report(
        {"broken": [breach.as_json() for breach in broken]}, lines or ["Everything holds."], as_json=as_json
    )
    raise SystemExit(1 if broken else 0)


@click.command("reconcile")
@click.option(
    "--accept", "accepted", default=None, metavar="ID", help="Close a difference that is explained."
)
@click.option("--reason", default=None, help="Why it is all right; for operators and the audit trail.")
@click.option(
    "--as", "acting", default=None, metavar="PROVIDER:EMAIL-OR-SUBJECT", help="The operator who accepts."
)
@json_option
@with_appcontext
@says_refusals
def reconcile(accepted: str | None, reason: str | None, acting: str | None, as_json: bool) -> None:
    """Compare ledger, payouts and our transfers at Stripe, and settle what is proven; exit 1 on a difference left."""
    if accepted is None and (reason is not None or acting is not None):
        raise click.UsageError("--reason and --as go with --accept.")
    if accepted is not None and not (reason and acting):
        raise click.UsageError("--accept needs --reason and --as.")
    try:
        tally = _accept(accepted, str(reason), str(acting)) if accepted else _compare()
    except StripeProblemError as problem:
        raise click.ClickException(f"{problem}. Nothing was concluded.") from problem
    lines = [f"{difference.kind}\t{difference.id}\t{difference.message}" for difference in tally.differences]
    click.echo(
        f"{tally.ours} transfers of ours, {tally.others} of others, {tally.settled} settled now, "
        f"{tally.accepted} differences explained.",
        err=True,
    )
    report(tally.as_json(), lines or ["Ledger and Stripe agree."], as_json=as_json)
    raise SystemExit(0 if tally.is_clean else 1)


def _compare() -> PassTally:
    return services().reconciliation.run(cause=by_shell("reconcile"))


def _accept(difference_id: str, reason: str, acting: str) -> PassTally:
    return services().acceptances.accept(
        difference_id, cause=cause_of(acting, Act.accept_difference, "reconcile --accept", reason)
    )


@audit.command("verify")
@json_option
@says_refusals
def verify(as_json: bool) -> None:
    """Compute the chain over the audit trail anew; exit 1 at the first break."""
    found = services().audit_chain.verify()
    if found.late:
        click.echo(
            f"{found.late} rows are older than five minutes and not sealed: does a worker run?", err=True
        )
    lines = [f"{found.sealed} rows are sealed, {found.waiting} wait. Head: {found.head}"]
    if found.first_break:
        lines = [f"{found.first_break.kind}\t{found.first_break.id}\t{found.first_break.message}"]
    report(found.as_json(), lines, as_json=as_json)
    raise SystemExit(0 if found.is_whole else 1)


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(selfcheck)
    app.cli.add_command(reconcile)
    app.cli.add_command(audit)
