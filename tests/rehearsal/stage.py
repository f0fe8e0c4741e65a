"""One installation to rehearse on: its database, its stand-in, and commands that run as processes of their own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from portal import create_app
from portal.config import PROJECT_ROOT, settings_from
from portal.models.base import BUSY_TIMEOUT_MILLISECONDS
from portal.wiring import db
from tests.clocks import RunningClock
from tests.journeys.running import STRIPE_KEY, RunningPortal, eventually, running_portal
from tests.rehearsal.moments import Plan
from tests.services.programme import Programme
from tests.services.stand_in import WEBHOOK_SECRET, StandIn

#: Longer than the launcher lets anything take.
PATIENCE_SECONDS = 150.0

#: `/proc/net/tcp`'s word for a connection whose other end is gone and that nobody has read to its end.
_CLOSE_WAIT = "08"

OPERATOR = "sandbox:boss"

#: As a programme would be set up that pays every week, without an operator.
SETTINGS = {
    "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
    "PORTAL_OPERATORS": OPERATOR,
    "PORTAL_PAYOUT_SCHEDULE": "weekly:mon",
    "PORTAL_PAYOUT_RUN": "0 * * * *",
    "PORTAL_LOG_LEVEL": "ERROR",
}


class StandInProcess(StandIn):
    """The stand-in as a process, told over the network."""

    def __init__(self, portal: RunningPortal) -> None:
        self._portal = portal

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._portal.control(path, body, method=method)

    def gone(self) -> set[str]:
        return set(self.everything()["gone"])

    def _list(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.everything()[kind]
        return found

    def _log(self) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = self._ask("GET", "requests")["requests"]
        return seen

    def send_again(self, transfer_id: str, *, key: str) -> None:
        """Somebody asks for a transfer a second time, under another key."""
        done = next(transfer for transfer in self.transfers() if transfer["id"] == transfer_id)
        names = ("amount", "currency", "destination", "transfer_group")
        metadata = {f"metadata[{name}]": value for name, value in done["metadata"].items()}
        answer = requests.post(
            f"{self._portal.sandbox_address}/v1/transfers",
            data={name: done[name] for name in names} | metadata,
            headers={"Authorization": f"Bearer {STRIPE_KEY}", "Idempotency-Key": key},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text

    def has_heard_everybody_out(self) -> bool:
        """Whether every request of a process that is gone was read to its end: none of them can land any more."""
        port = f":{int(self._portal.sandbox_address.rpartition(':')[2]):04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return not any(row[1].endswith(port) and row[3] == _CLOSE_WAIT for row in rows)


@dataclass(frozen=True)
class Ended:
    """How a process ended, and the moments that it came to."""

    code: int
    moments: list[str]
    said: str

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Running:
    """A command that runs."""

    def __init__(self, stage: Stage, pid: int, *, trace: Path, log: Path) -> None:
        self.pid = pid
        self._stage = stage
        self._trace = trace
        self._log = log

    @property
    def moments(self) -> list[str]:
        """Those that it has come to."""
        return self._trace.read_text().splitlines()

    def send(self, number: signal.Signals) -> None:
        """To the process and all that it started, if it has not ended by itself."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def come_to(self, moment: str) -> None:
        """Wait until it stands at a moment where it was told to stop."""
        eventually(lambda: self.moments[-1:] == [moment] and self._is_stopped(), what=f"it stops {moment}")

    def wait(self) -> Ended:
        """Until it has ended."""
        code = self._stage.tell_launcher({"wait": self.pid})
        return Ended(code, self.moments, self._log.read_text(errors="replace"))

    def _is_stopped(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class Stage:
    """A programme, whose commands are processes on the same database that can be killed."""

    def __init__(self, portal: RunningPortal, programme: Programme, folder: Path) -> None:
        self.portal = portal
        self.programme = programme
        self._folder = folder
        self.started = 0
        """How many processes."""
        with (folder / "launcher.log").open("wb") as log:
            self._launcher = subprocess.Popen(
                [sys.executable, "-m", "tests.rehearsal.launcher"],
                cwd=PROJECT_ROOT,
                env=portal.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    @property
    def stripe(self) -> StandInProcess:
        assert isinstance(self.programme.stripe, StandInProcess)
        return self.programme.stripe

    def start(
        self,
        *words: str,
        plan: Plan | None = None,
        busy_timeout_milliseconds: int = BUSY_TIMEOUT_MILLISECONDS,
    ) -> Running:
        """`flask …` as a process, at the time that the programme has."""
        self.started += 1
        trace, log = self._folder / f"{self.started}.moments", self._folder / f"{self.started}.log"
        trace.touch()
        log.touch()
        order = {
            "words": words,
            "plan": (plan or Plan()).as_json(),
            "offset_seconds": self.programme.clock.offset_seconds,
            "busy_timeout_milliseconds": busy_timeout_milliseconds,
            "trace": str(trace),
            "log": str(log),
        }
        return Running(self, self.tell_launcher(order), trace=trace, log=log)

    def run(self, *words: str, plan: Plan | None = None) -> Ended:
        """`flask …` to its end, which may be a violent one."""
        return self.start(*words, plan=plan).wait()

    def warm_up(self) -> None:
        """One payout is sent and compared, so that the processes to come find their statements compiled."""
        self.programme.approved()
        for words in (["process-payouts"], ["reconcile"]):
            assert self.tell_launcher({"warm_up": words}) == 0

    def pass_time(self, **parts: float) -> None:
        """Time passes; no request is on its way for longer than an hour, and Stripe forgets keys after 24."""
        eventually(self.stripe.has_heard_everybody_out, what="the stand-in has read everything")
        before = self.programme.clock.offset_seconds
        self.programme.clock.advance(**parts)
        hours = (self.programme.clock.offset_seconds - before) / 3_600
        if hours > 1:
            self.stripe.land()
        if hours >= 24:
            self.stripe.prune_keys()

    def tell_launcher(self, order: dict[str, Any]) -> int:
        """Give an order; the number it answers with."""
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(json.dumps(order).encode() + b"\n")
        self._launcher.stdin.flush()
        ready, _, _ = select.select([self._launcher.stdout], [], [], PATIENCE_SECONDS)
        assert ready, f"no answer to {order}"
        answer = self._launcher.stdout.readline()
        assert answer, f"the launcher is gone: {order}"
        return int(answer)

    def close(self) -> None:
        """End the launcher and all that it started."""
        assert self._launcher.stdin is not None
        self._launcher.stdin.close()
        self._launcher.wait(PATIENCE_SECONDS)
        if self._launcher.stdout is not None:
            self._launcher.stdout.close()


@contextmanager
def standing_stage(database_url: str, folder: Path) -> Iterator[Stage]:
    """A stage on a migrated database, warmed up; everything it started ends with the block. Who plays on it opens the
    context of its app."""
    with running_portal(database_url, folder, **SETTINGS) as portal:
        portal.control("webhooks", {"paused": True})
        clock = RunningClock()
        app = create_app(settings_from(portal.settings), clock=clock)
        stage = Stage(portal, Programme(app, StandInProcess(portal), clock), folder)
        try:
            with app.app_context():
                stage.warm_up()
            yield stage
        finally:
            stage.close()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


@contextmanager
def staged(database_url: str, folder: Path) -> Iterator[Stage]:
    """A stage to play on at once."""
    with standing_stage(database_url, folder) as stage, stage.programme.app.app_context():
        yield stage
