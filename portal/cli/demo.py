"""`flask demo`: the whole portal on one machine, with no account anywhere and no settings needed."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from flask import Flask

from portal.cli.demo_people import PEOPLE
from portal.cli.demo_processes import DemoFailedError, DemoStopped, Processes
from portal.cli.demo_settings import (
    APP,
    MAIL_FOLDER,
    MAILBOX,
    PROJECT_ROOT,
    USUAL_FOLDER,
    Place,
    for_children,
    is_ready,
    kept_in,
    portal_settings,
    sandbox_settings,
    write_env_file,
    write_private,
)

_HIGHEST_PORT = 65_534  # the stand-in takes the next one


@click.command("demo")
@click.option(
    "--port",
    type=click.IntRange(0, _HIGHEST_PORT),
    default=5000,
    show_default=True,
    help="The portal's port; the stand-in takes the next one. 0 picks free ones.",
)
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=USUAL_FOLDER,
    help="Where everything is kept; instance/demo unless given.",
)
def demo(port: int, folder: Path) -> None:
    """Run everything on this machine: portal, worker, a stand-in for Stripe, an identity provider, sample data."""
    stopped = _stop_on_signals()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with _claimed(folder):
            _run(Place(folder, port or _free_port()), stopped)
    except DemoStopped:
        pass
    except DemoFailedError as problem:
        raise click.ClickException(str(problem)) from problem


def _run(place: Place, stopped: threading.Event) -> None:
    for port in (place.port, place.sandbox_port):
        if not _is_free(port):
            raise DemoFailedError(f"Port {port} is in use. End what runs there, or choose another by --port.")
    kept = kept_in(place.folder)
    settings = portal_settings(place, kept)
    portal_environment = for_children(os.environ, settings)
    write_private(place.people_file, json.dumps([person.at_provider() for person in PEOPLE], indent=2))
    write_env_file(place, settings)
    processes = Processes(place.folder / "logs", stopped=stopped)
    try:
        processes.start(
            "sandbox",
            ["portal.sandbox"],
            environment=for_children(os.environ, sandbox_settings(place, kept)),
        )
        if not is_ready(place.folder, issuer=place.issuer):
            click.echo("Making the sample data; this happens once.", err=True)
            processes.wait_until_it_answers("sandbox", place.sandbox_address, "/sandbox/")
            processes.run("sample data", ["portal.cli.demo_data"], environment=portal_environment)
        processes.start("portal", _gunicorn(place), environment=portal_environment)
        processes.wait_until_it_answers("sandbox", place.sandbox_address, "/sandbox/")
        processes.wait_until_it_answers("portal", place.address, "/readyz")
        processes.start("worker", ["flask", "--app", APP, "worker"], environment=portal_environment)
        processes.start("host business", ["portal.cli.demo_host"], environment=portal_environment)
        click.echo(_welcome(place))
        processes.watch()
    finally:
        processes.end()


def _gunicorn(place: Place) -> list[str]:
    options = ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--graceful-timeout", "3"]
    return ["gunicorn", *options, "--no-control-socket", "--bind", f"127.0.0.1:{place.port}", f"{APP}:app"]


def _welcome(place: Place) -> str:
    longest = max(len(person.name) for person in PEOPLE)
    people = [f"  {person.name.ljust(longest)}  {person.email.ljust(20)}{person.about}" for person in PEOPLE]
    flask = Path(sys.executable).with_name("flask")
    return "\n".join(
        [
            place.address,
            "",
            "Sign in there as anybody of these, without a password, or as somebody new:",
            *people,
            "",
            "Who is new is credited with some earnings by the demo's host business within seconds of joining.",
            "What is approved is sent with the next full minute; up to $500.00 needs no operator.",
            "",
            f"Stripe's stand-in: {place.sandbox_address}/sandbox/ (what becomes of an account, what was sent)",
            "",
            "An operator's shell (in a second window):",
            f"  set -a; . {_shown(place.env_file)}; set +a",
            f"  {_shown(flask)} payouts list",
            f"  {_shown(flask)} payouts approve ID --as demo:olga@example.com",
            f"  {_shown(flask)} process-payouts",
            "",
            f"Mail that would be sent: {place.address}{MAILBOX}/ (files: {_shown(place.folder / MAIL_FOLDER)})",
            f"Logs: {_shown(place.folder / 'logs')}",
            f"Ctrl-C ends all of it; what happened stays in {_shown(place.folder)}.",
        ]
    )


def _shown(path: Path) -> str:
    """A path as it is typed in the project's folder."""
    return str(path.relative_to(PROJECT_ROOT)) if path.is_relative_to(PROJECT_ROOT) else str(path)


def _stop_on_signals() -> threading.Event:
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return stopped


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """One demo at a time works on a folder; the lock goes with the process, however that ends."""
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailedError(f"A demo runs already with the data in {_shown(folder)}.") from None
        yield


def _free_port() -> int:
    """A port that nobody listens on, like the one after it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port <= _HIGHEST_PORT and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def demo_alone() -> Flask:
    """An app that has this one command and needs no settings: a fresh clone has none."""
    app = Flask("demo")
    register(app)
    return app


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(demo)
