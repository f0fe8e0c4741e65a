"""The demo's processes: each in a group of its own, with a log; they start, answer, and end together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portal.cli.demo_requests import status_of
from portal.cli.demo_settings import PROJECT_ROOT

#: How long a process may take until it answers; a cold disk and a busy machine included.
_START_SECONDS = 60.0

#: How long a process may take to end by itself; requests and jobs that are under way finish meanwhile.
_GRACE_SECONDS = 8.0

_LOOK_EVERY_SECONDS = 0.05
_SHOWN_LOG_LINES = 15

#: https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
_PR_SET_PDEATHSIG = 1


class DemoFailedError(Exception):
    """The demo can't go on; the text says why."""


class DemoStopped(Exception):
    """Somebody asked the demo to end."""


@dataclass(frozen=True)
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Processes:
    """What the demo has started. `stopped` is set when somebody asks it to end."""

    def __init__(self, logs: Path, *, stopped: threading.Event) -> None:
        self._logs = logs
        self._stopped = stopped
        self._running: list[_Running] = []
        logs.mkdir(exist_ok=True)

    def start(self, name: str, module: Sequence[str], *, environment: Mapping[str, str]) -> None:
        """Run a module of this Python, with its output in a log of its name."""
        log = self._logs / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 (our own modules, nothing typed by anybody)
                [sys.executable, "-m", *module],
                cwd=PROJECT_ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo alone; it then ends the others in order
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (no threads yet)
            )
        self._running.append(_Running(name, process, log))

    def run(self, name: str, module: Sequence[str], *, environment: Mapping[str, str]) -> None:
        """Run a module to its end; raises DemoFailedError, DemoStopped."""
        self.start(name, module, environment=environment)
        job = self._running.pop()
        try:
            while job.process.poll() is None:
                self._pause()
        finally:
            _end([job])
        if job.process.returncode:
            raise _ended(job)

    def wait_until_it_answers(self, name: str, address: str, path: str) -> None:
        """Raises DemoFailedError, DemoStopped."""
        deadline = time.monotonic() + _START_SECONDS
        while status_of(address, path) != 200:
            if time.monotonic() > deadline:
                raise DemoFailedError(f"The {name} does not answer at {address}{path}.")
            self._pause()

    def watch(self) -> None:
        """Return when somebody asks the demo to end; raises DemoFailedError if a process ends before."""
        with suppress(DemoStopped):
            while True:
                self._pause()

    def end(self) -> None:
        """End all of them, the newest first, children included."""
        _end(self._running[::-1])

    def _pause(self) -> None:
        for running in self._running:
            if running.process.poll() is not None:
                raise _ended(running)
        if self._stopped.wait(_LOOK_EVERY_SECONDS):
            raise DemoStopped


def _end(ending: Sequence[_Running]) -> None:
    for running in ending:
        _signal_group(running, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    for running in ending:
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(max(0.0, deadline - time.monotonic()))
    for running in ending:
        _signal_group(running, signal.SIGKILL)  # also what a process that was killed has left behind
        running.process.wait()


def _signal_group(running: _Running, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.process.pid, number)


def _ended(running: _Running) -> DemoFailedError:
    code = running.process.returncode
    how = f"exit {code}" if code >= 0 else signal.Signals(-code).name
    lines = running.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN_LOG_LINES:]
    return DemoFailedError(
        "\n".join([f"The {running.name} ended by itself ({how}). {running.log} says:", *lines])
    )


def _end_with_parent() -> None:
    """Even a demo that is killed leaves nothing running."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
