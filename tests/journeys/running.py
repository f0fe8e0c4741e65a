"""The portal as it really runs: gunicorn, worker, commands and the stand-in as processes, on free loopback ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import requests

from portal.config import PROJECT_ROOT
from tests.databases import free_port
from tests.equipment import CACHE

T = TypeVar("T")

#: Longer than anything here takes on a busy machine; whoever waits so long has failed.
PATIENCE_SECONDS = 30.0

STRIPE_KEY = "sk_test_journeys"
PLATFORM_SECRET, CONNECT_SECRET = "whsec_platform_of_journeys", "whsec_connect_of_journeys"

#: This shell's own settings are not the tests'.
_OURS = ("PORTAL_", "STRIPE_", "SANDBOX_", "FLASK_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")


def eventually(look: Callable[[], T], *, what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds as soon as it finds something; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} seconds in vain: {what}")
        time.sleep(0.03)
    return found


class Process:
    """One process in a group of its own, with its output in a file."""

    def __init__(self, module: Sequence[str], *, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=PROJECT_ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal_all(self, number: signal.Signals) -> None:
        """To the process and all that it started."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL: no handler, no farewell."""
        self.signal_all(signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Leave nothing of it behind; what it was doing is of no use to anybody any more."""
        with suppress(ProcessLookupError):
            self.kill()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(PATIENCE_SECONDS)


class RunningPortal:
    """One installation: a database, a stand-in that knows everybody, and whatever of the portal a test starts."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._started: list[Process] = []
        self.address = f"http://127.0.0.1:{free_port()}"
        self.sandbox_address = f"http://127.0.0.1:{free_port()}"
        self.settings = {
            "PORTAL_ENV": "test",
            "SECRET_KEY": "a-key-for-journeys-of-more-than-32-characters",
            "PORTAL_BASE_URL": self.address,
            "PORTAL_SUPPORT_EMAIL": "help@portal.example",
            "PORTAL_LOG_LEVEL": "INFO",
            "DATABASE_URL": database_url,
            "REDIS_URL": "",
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRETS": f"{PLATFORM_SECRET},{CONNECT_SECRET}",
            "STRIPE_API_BASE": self.sandbox_address,
            # the stand-in takes whatever comes, and nobody has time to wait
            "STRIPE_RATE_LIMIT": "10000",
            "STRIPE_TRANSFER_RATE_LIMIT": "10000",
            "PORTAL_OIDC_SANDBOX_ISSUER": f"{self.sandbox_address}/oidc",
            "PORTAL_OIDC_SANDBOX_CLIENT_ID": "portal",
            "PORTAL_OIDC_SANDBOX_CLIENT_SECRET": "sandbox-client-secret",
            "PORTAL_OIDC_SANDBOX_LABEL": "Example ID",
            **settings,
        }

    def start_sandbox(self) -> Process:
        """The stand-in, which takes a second over an approval."""
        port = self.sandbox_address.rpartition(":")[2]
        options = [
            "--port",
            port,
            "--portal-url",
            self.address,
            "--secret-key",
            STRIPE_KEY,
            "--approve-after",
            "1",
        ]
        options += ["--platform-webhook-secret", PLATFORM_SECRET, "--connect-webhook-secret", CONNECT_SECRET]
        sandbox = self._start("sandbox", ["portal.sandbox", *options])
        self._wait_for(sandbox, f"{self.sandbox_address}/sandbox/api/faults")
        return sandbox

    def start_portal(self, *, workers: int = 1, threads: int = 8) -> Process:
        """gunicorn, as in production."""
        shape = ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)]
        bind = ["--no-control-socket", "--bind", self.address.removeprefix("http://")]
        portal = self._start("portal", ["gunicorn", *shape, *bind, "wsgi:app"])
        self._wait_for(portal, f"{self.address}/readyz")
        return portal

    def start_worker(self, **settings: str) -> Process:
        """`flask worker`."""
        return self.start_command("worker", **settings)

    def start_command(self, *words: str, **settings: str) -> Process:
        """`flask …`, not waited for."""
        return self._start(words[0], ["flask", "--app", "wsgi", *words], **settings)

    def command(self, *words: str, **settings: str) -> str:
        """`flask …` to its end, which must be a good one: its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=PROJECT_ROOT,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def report(self, *words: str, **settings: str) -> dict[str, Any]:
        """What a command says with `--json`."""
        found: dict[str, Any] = json.loads(self.command(*words, "--json", **settings))
        return found

    def control(self, path: str, body: Any = None, *, method: str = "POST") -> dict[str, Any]:
        """Ask the stand-in's control API, which has to agree."""
        answer = requests.request(method, f"{self.sandbox_address}/sandbox/api/{path}", json=body, timeout=10)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def at_stripe(self, kind: str) -> list[dict[str, Any]]:
        """All the stand-in has of a kind: accounts, transfers, events."""
        found: list[dict[str, Any]] = self.control("state", method="GET")[kind]
        return found

    def accounts_of(self, code: str) -> list[dict[str, Any]]:
        """The accounts at the stand-in that were made for an affiliate."""
        return [found for found in self.at_stripe("accounts") if found["metadata"].get("affiliate") == code]

    def sent_to(self, code: str) -> list[int]:
        """What was transferred to an affiliate at the stand-in, in minor units, oldest first."""
        accounts = {account["id"] for account in self.accounts_of(code)}
        return [found["amount"] for found in self.at_stripe("transfers") if found["destination"] in accounts]

    def meet(self, code: str, fate: str, *, silently: bool = False) -> None:
        """Let Stripe decide something about an affiliate's account; silently: without an event."""
        [account] = self.accounts_of(code)
        self.control(f"accounts/{account['id']}/fate", {"fate": fate, "silently": silently})

    @contextmanager
    def webhooks_lost(self) -> Iterator[None]:
        """What happens at the stand-in meanwhile is never delivered."""
        self.control("webhooks", {"paused": True})
        try:
            yield
        finally:
            self.control("webhooks", {"paused": False})

    def api(self, token: str, path: str, body: Any = None, *, method: str = "GET") -> dict[str, Any]:
        """Ask the portal's API, which has to agree."""
        answer = requests.request(
            method,
            f"{self.address}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def environment(self, **settings: str) -> dict[str, str]:
        """Of a process of this installation."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        # Compiled once, wherever this shell keeps bytecode or not: a process starts in a third of the time.
        plain.pop("PYTHONDONTWRITEBYTECODE", None)
        plain["PYTHONPYCACHEPREFIX"] = str(CACHE / "bytecode")
        return {**plain, "FLASK_SKIP_DOTENV": "1", **self.settings, **settings}

    def end(self) -> None:
        """End what still runs, the newest first."""
        for process in reversed(self._started):
            process.end()

    def _start(self, name: str, module: Sequence[str], **settings: str) -> Process:
        process = Process(module, environment=self.environment(**settings), log=self._folder / f"{name}.log")
        self._started.append(process)
        return process

    def _wait_for(self, process: Process, page: str) -> None:
        def answers() -> bool:
            assert process.is_running, process.log.read_text()
            try:
                return requests.get(page, timeout=5).status_code == 200
            except (requests.ConnectionError, requests.Timeout):
                return False

        eventually(answers, what=f"{page} to answer")


@contextmanager
def running_portal(database_url: str, folder: Path, **settings: str) -> Iterator[RunningPortal]:
    """An installation with its stand-in; everything it started ends with the block."""
    portal = RunningPortal(database_url, folder, **settings)
    try:
        portal.start_sandbox()
        yield portal
    finally:
        portal.end()
