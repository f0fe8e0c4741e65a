"""The moments at which a process may die: before and after every commit, and before and after every call to Stripe.

Nothing of the portal knows of them: they are seen by SQLAlchemy's dialect and by the SDK's transport.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import stripe

from portal.gateways.stripe_transport import READ_TIMEOUT_SECONDS
from portal.models import base
from portal.services import stripe_pace

Answer = tuple[bytes, int, Mapping[str, str]]

#: What a disk still takes when it is as good as full: less than one page of a database.
LAST_BYTES = 4_096


@dataclass(frozen=True)
class Plan:
    """What is to happen to a process, and when: at its n-th moment, or at the first of a name."""

    act: str = "nothing"
    number: int = 0
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def kill_at(number: int) -> Plan:
    """The process is killed at its n-th moment."""
    return Plan("kill", number)


def stop_at(name: str) -> Plan:
    """The process stops when it comes to a moment, until it is told to go on."""
    return Plan("stop", name=name)


def disk_full_at(name: str) -> Plan:
    """From a moment on, no file of the process grows any more."""
    return Plan("fill the disk", name=name)


class Moments:
    """Counts the moments of this process, names each in a file, and does what was planned."""

    def __init__(self, plan: Plan, trace: int) -> None:
        self._plan = plan
        self._trace = trace
        self._number = 0

    def come_to(self, name: str) -> None:
        """One more moment."""
        self._number += 1
        os.write(self._trace, f"{name}\n".encode())
        if self._plan.act != "nothing" and (self._number == self._plan.number or name == self._plan.name):
            plan, self._plan = self._plan, Plan()
            _ACTS[plan.act]()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _fill_the_disk() -> None:
    # a write beyond the limit fails instead of ending the process: https://man7.org/linux/man-pages/man2/setrlimit.2.html
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LAST_BYTES, resource.RLIM_INFINITY))


_ACTS: dict[str, Callable[[], None]] = {"kill": _kill, "stop": _stop, "fill the disk": _fill_the_disk}


class WatchedTransport(stripe.RequestsClient):
    """The SDK's own way to Stripe; the moments around every request are told."""

    moments: Moments | None = None

    def __init__(self) -> None:
        super().__init__(timeout=READ_TIMEOUT_SECONDS)

    def request(  # type: ignore[override] # as its own parent does: bytes come back, and no `_usage` goes in
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> Answer:
        call = f"{method.upper()} {_shape(urlsplit(url).path)}"
        self._come_to(f"before {call}")
        try:
            return super().request(method, url, headers, post_data)
        finally:
            self._come_to(f"after {call}")

    def hang_up(self) -> None:
        """Close the line; the next request opens another."""
        session = getattr(self._thread_local, "session", None)
        if session is not None:
            session.close()
        self._thread_local.session = None

    def _come_to(self, name: str) -> None:
        if self.moments is not None:
            self.moments.come_to(name)


def watch_commits(engine: sa.Engine, moments: Moments) -> None:
    """Tell the moments around every commit that writes."""
    really = engine.dialect.do_commit

    def commit(connection: Any) -> None:
        name = _unit_of_work()
        if name is None:
            return really(connection)
        moments.come_to(f"before the commit of {name}")
        really(connection)
        return moments.come_to(f"after the commit of {name}")

    engine.dialect.do_commit = commit  # type: ignore[method-assign, assignment]


def _unit_of_work() -> str | None:
    """The name of the unit of work that commits; None for one that only read, and for a turn at Stripe, which nothing
    hangs on. What has none is a migration."""
    frame = sys._getframe()
    while (above := frame.f_back) is not None:
        frame = above
        if frame.f_code.co_filename == stripe_pace.__file__:
            return None
        if frame.f_code is base._run.__code__:
            work = frame.f_back.f_locals["work"] if frame.f_back else None
            return str(work.__qualname__) if frame.f_locals["is_writer"] and work else None
    return "a migration"


def _shape(path: str) -> str:
    """An address without its ids."""
    return "/".join("…" if "_" in part and any(map(str.isdigit, part)) else part for part in path.split("/"))
