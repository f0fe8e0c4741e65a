"""`flask webhooks list`, `replay` and `self-test`: the inbox of Stripe's events."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import as_option, cause_of
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.roles import Act
from portal.domain.webhook_endpoints import Verdict
from portal.models import EventState
from portal.services.event_log import EventFilter
from portal.wiring import services

webhooks = AppGroup("webhooks", help="The inbox of Stripe's events.")


@webhooks.command("list")
@click.option("--state", type=click.Choice([*EventState]), default=None, help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@json_option
@says_refusals
def show(state: str | None, limit: int, as_json: bool) -> None:
    """The newest events."""
    wanted = EventFilter(state=EventState(state) if state else None)
    events = [
        {
            "id": event.id,
            "type": event.type,
            "account": event.account_id,
            "received_at": event.received_at.isoformat(),
            "state": event.state,
            "tries": event.tries,
            "effect": event.effect,
            "error": event.error,
        }
        for event in services().event_log.newest(wanted, limit=limit)
    ]
    lines = ["\t".join(str(value or "-") for value in event.values()) for event in events]
    report({"events": events}, lines or ["No events."], as_json=as_json)


@webhooks.command("replay")
@click.argument("event_id", required=False, metavar="EVENT")
@click.option("--failed", is_flag=True, help="All that could not be worked on.")
@as_option
@json_option
@says_refusals
def replay(event_id: str | None, failed: bool, acting: str, as_json: bool) -> None:
    """Have an event worked on again, or all that failed."""
    if (event_id is None) is not failed:
        raise click.UsageError("Name one event, or give --failed.")
    cause = cause_of(acting, Act.replay, "webhooks replay")
    count = 1
    if event_id is None:
        count = services().event_log.replay_failed(cause=cause)
    else:
        services().event_log.replay(event_id, cause=cause)
    services().look_at_events()
    report({"replayed": count}, [f"Worked on again: {count}."], as_json=as_json)


@webhooks.command("self-test")
@json_option
@says_refusals
def self_test(as_json: bool) -> None:
    """Ask Stripe for its endpoints, and send signed events to the portal's own address; exit 1 if anything is wrong."""
    findings = services().webhook_self_tests.run()
    is_fine = all(finding.verdict is not Verdict.wrong for finding in findings)
    lines = [f"{finding.verdict}\t{finding.subject}\t{finding.says}" for finding in findings]
    document = {"is_fine": is_fine, "findings": [finding.as_json() for finding in findings]}
    report(document, lines, as_json=as_json)
    raise SystemExit(0 if is_fine else 1)


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(webhooks)
