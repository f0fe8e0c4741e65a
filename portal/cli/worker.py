"""`flask worker`: the background jobs and the timetable."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from portal.jobs.queue import Jobs
from portal.jobs.work import everything_due
from portal.wiring import services


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end: 0, or 1 if a job raised.")
@with_appcontext
def worker(once: bool) -> None:
    """Run the background jobs and the timetable."""
    if once:
        raise SystemExit(0 if everything_due(services()) else 1)
    jobs = current_app.extensions["portal_jobs"]
    if not isinstance(jobs, Jobs):
        raise TypeError("the app was built without its jobs")
    jobs.work()


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(worker)
