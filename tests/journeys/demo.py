"""The demo as its user starts it: one command, a folder, and an address on its first line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page

from portal.config import PROJECT_ROOT
from tests.equipment import CACHE
from tests.journeys.running import PATIENCE_SECONDS

#: A fresh clone's: no setting at all. Bytecode is kept only so that this file is fast.
NO_SETTINGS = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode")}


class Demo:
    """One run of the command."""

    def __init__(self, folder: Path, *, port: int = 0, environment: Mapping[str, str] = NO_SETTINGS) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "flask",
                "--app",
                "wsgi",
                "demo",
                "--port",
                str(port),
                "--data",
                str(folder),
            ],
            cwd=PROJECT_ROOT,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.address = self._process.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def children(self) -> dict[int, str]:
        """The processes of its folder, itself left out: what each runs, by its pid."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        mine = {str(self._process.pid)}
        found: dict[int, str] = {}
        for pid, parent, words in rows:
            if parent in mine:
                mine.add(pid)
                found[int(pid)] = words
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(PATIENCE_SECONDS)

    def complaint(self) -> str:
        """What it said on standard error; for one that has ended."""
        assert self._process.stderr
        return self._process.stderr.read()

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_SECONDS)
        self._process.kill()
        self._process.communicate()

    def signs_in(self, page: Page, person: str) -> None:
        """Pick somebody at the demo's identity provider, by the first part of their address."""
        page.context.clear_cookies()
        page.goto(f"{self.address}/login/demo")
        page.get_by_role("button", name=f"{person}@example.com").click()
