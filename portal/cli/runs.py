"""`flask verify-stripe-accounts` and `flask process-payouts`: the two runs, by hand or by a cron elsewhere."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from portal.cli.answers import by_shell, json_option, report, says_refusals
from portal.domain.accounts import Requirements
from portal.domain.money import Money, is_supported
from portal.domain.payout_runs import RunTrigger
from portal.models import Affiliate
from portal.wiring import StripeKeyRefusedError, services

#: A report that names more of them is read by nobody.
MOST_STUCK = 1_000


@click.command("verify-stripe-accounts")
@click.option(
    "--stale", type=click.IntRange(0, 87_600), metavar="HOURS", help="Only those not seen for so long."
)
@json_option
@with_appcontext
@says_refusals
def verify(stale: int | None, as_json: bool) -> None:
    """Ask Stripe for every account and update it."""
    try:
        run = services().verification.run(trigger="shell", stale_hours=stale)
    except StripeKeyRefusedError as problem:
        raise click.ClickException(f"{problem}. No account was changed.") from problem
    tally: dict[str, object] = {
        "checked": run.checked,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "errors": run.errors,
        "webhooks_missed": run.webhooks_missed,
    }
    lines = [f"{name}: {count}" for name, count in tally.items()]
    stuck = [_stuck(each) for each in services().affiliate_search.stuck(limit=MOST_STUCK)]
    lines += [f"stuck: {who['affiliate_code']} since {who['since']}, {who['detail']}" for who in stuck]
    report(tally | ({"stuck": stuck} if stuck else {}), lines, as_json=as_json)


def _stuck(affiliate: Affiliate) -> dict[str, Any]:
    """Who is pending for more than 7 days, and what is missing in Stripe's names."""
    wanted = Requirements.from_json(affiliate.stripe_requirements or {})
    since = affiliate.status_changed_at
    return {
        "affiliate_code": affiliate.code,
        "stripe_account_id": affiliate.stripe_account_id,
        "since": since.isoformat() if since else None,
        "detail": affiliate.stripe_account_detail,
        "missing": [*wanted.missing],
    }


@click.command("process-payouts")
@click.option("--dry-run", is_flag=True, help="Say what would be sent; ask and change nothing.")
@json_option
@with_appcontext
@says_refusals
def process(dry_run: bool, as_json: bool) -> None:
    """Make the automatic payouts that are due, and send what is approved."""
    try:
        if dry_run:
            tally = services().payout_previews.next().as_tally()
        else:
            services().automatic_payouts.make_due()
            tally = services().payout_runs.run(trigger=RunTrigger.shell, cause=by_shell("process-payouts"))
    except StripeKeyRefusedError as problem:
        raise click.ClickException(f"{problem}. No payout was changed.") from problem
    if (reason := services().payout_control.why_stopped()) is not None:
        click.echo(f"Sending is stopped: {reason} Nothing is sent until an operator resumes it.", err=True)
    lines = [f"{outcome}: {count}" for outcome, count in tally.counts.items()]
    lines += [f"total: {_printed(amount, currency)}" for currency, amount in tally.total.items()]
    report(tally.as_json(), lines or ["Nothing to send."], as_json=as_json)


def _printed(amount: int, currency: str) -> str:
    return str(Money(amount, currency)) if is_supported(currency) else f"{amount} {currency}"


def register(app: Flask) -> None:
    """Add both commands."""
    app.cli.add_command(verify)
    app.cli.add_command(process)
