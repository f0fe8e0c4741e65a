"""A portal that is built once and forks for every command: real processes by the hundred that are cheap to start.

`python -m tests.rehearsal.launcher` reads orders on standard input, as lines of JSON, and answers each with a number.
No connection to a database or to Stripe is open when it forks. It ends, with all it started, when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from flask import Flask
from flask.cli import ScriptInfo

from portal import create_app
from portal.config import load_settings
from portal.models import base
from portal.wiring import db
from tests.clocks import RunningClock
from tests.rehearsal.moments import Moments, Plan, WatchedTransport, watch_commits

#: Whoever takes so long hangs; SIGALRM ends them.
LONGEST_SECONDS = 120


class Launcher:
    """Starts commands of one installation as processes and says how they ended."""

    def __init__(self) -> None:
        self._clock = RunningClock()
        self._transport = WatchedTransport()
        self._app = create_app(load_settings(), clock=self._clock, stripe_transport=self._transport)
        self._children: set[int] = set()

    def warm_up(self, words: list[str]) -> int:
        """Do the command in this very process, so that those forked later find every statement compiled."""
        code = run(self._app, words)
        self._transport.hang_up()
        with self._app.app_context():
            db.session.remove()
            db.engine.dispose()
        return code

    def start(self, order: dict[str, Any]) -> int:
        """Fork, and become the command that is named; the child's id."""
        child = os.fork()
        if child == 0:
            self._become(order)
        os.setpgid(child, child)  # a group of its own, before anybody can send that group a signal
        self._children.add(child)
        return child

    def wait(self, child: int) -> int:
        """Its exit code, or the number of the signal that ended it, below zero."""
        _, status = os.waitpid(child, 0)
        self._children.discard(child)
        return os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """Leave nobody behind."""
        for child in self._children:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)

    def _become(self, order: dict[str, Any]) -> NoReturn:
        code = 1  # as the interpreter would, if it ended with a traceback
        try:
            signal.alarm(LONGEST_SECONDS)
            _speak_into(order["log"])
            base.BUSY_TIMEOUT_MILLISECONDS = order["busy_timeout_milliseconds"]
            self._clock.shift(order["offset_seconds"])
            moments = Moments(Plan(**order["plan"]), os.open(order["trace"], os.O_WRONLY | os.O_APPEND))
            self._transport.moments = moments
            with self._app.app_context():
                watch_commits(db.engine, moments)
            code = run(self._app, order["words"])
        except BaseException:  # noqa: BLE001 -- nothing may run on into the frames of the launcher
            traceback.print_exc()
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def run(app: Flask, words: list[str]) -> int:
    """`flask …` to its end, as the shell would see it; its exit code."""
    try:
        app.cli.main(words, prog_name="flask", obj=ScriptInfo(create_app=lambda: app))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _speak_into(log: str) -> None:
    """Standard input is empty, and all output goes to a file."""
    silence, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(silence, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def main() -> None:
    """Serve until nobody gives orders any more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a command says is no answer
    launcher = Launcher()
    try:
        for line in sys.stdin:
            answers.write(f"{_answer(launcher, json.loads(line))}\n")
            answers.flush()
    finally:
        launcher.end()


def _answer(launcher: Launcher, order: dict[str, Any]) -> int:
    match order:
        case {"wait": child}:
            return launcher.wait(child)
        case {"warm_up": words}:
            return launcher.warm_up(words)
        case _:
            return launcher.start(order)


if __name__ == "__main__":
    main()
