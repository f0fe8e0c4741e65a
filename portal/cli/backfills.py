"""`flask backfill-events`: what never arrived by webhook, from Stripe's own list."""

from __future__ import annotations

from datetime import datetime

import click
from flask import Flask
from flask.cli import with_appcontext

from portal.cli.answers import json_option, report, says_refusals
from portal.wiring import StripeProblemError, services


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time with its offset."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}” is not a time such as 2026-01-31T08:00:00Z.", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"“{value}” needs its offset: {value}Z, if it is UTC.", param, ctx)
        return moment


@click.command("backfill-events")
@click.option(
    "--since", type=Moment(), default=None, metavar="TIME", help="From then on; else since the last time."
)
@json_option
@with_appcontext
@says_refusals
def backfill(since: datetime | None, as_json: bool) -> None:
    """Take from Stripe's event list what never arrived by webhook; the worker then works on it."""
    try:
        tally = services().event_backfills.run(since=since)
    except StripeProblemError as problem:
        raise click.ClickException(f"{problem}. Run it again later; nothing is taken twice.") from problem
    services().look_at_events()
    lines = [f"{tally.seen} events listed, {tally.stored} of them were new."]
    if tally.errors:
        lines.append(f"{tally.errors} accounts gave none out.")
    report(tally.as_json(), lines, as_json=as_json)


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(backfill)
