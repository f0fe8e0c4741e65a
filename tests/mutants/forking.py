"""Work done in a process of its own, forked from what is warm already."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

#: What has not ended by then hangs: after so many seconds of its own, or of everybody's.
OWN_SECONDS, ALL_SECONDS = 20, 180

#: The exit code of work that raised.
BROKEN = 70


def forked(work: Callable[[], str], *, seconds: float = 0) -> str | None:
    """What the work says, in one line; None where it hung or broke off. It may take so many seconds longer."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _work(work, writer, seconds)
    os.close(writer)
    ends, said = time.monotonic() + seconds + ALL_SECONDS, b""
    while not said.endswith(b"\n") and select.select([reader], [], [], max(0, ends - time.monotonic()))[0]:
        heard = os.read(reader, 65_536)
        said += heard
        if not heard:
            break
    os.close(reader)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == BROKEN:
        raise RuntimeError("the work is broken; its traceback is above")
    return said.decode().strip() if said.endswith(b"\n") else None


def _work(work: Callable[[], str], writer: int, seconds: float) -> NoReturn:
    try:
        os.setpgid(0, 0)
        limit = int(time.process_time() + seconds + OWN_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        os.write(writer, f"{work()}\n".encode())
    except Exception:  # noqa: BLE001 - told apart from what a mutant does to a test
        traceback.print_exc()
        os._exit(BROKEN)
    finally:
        os._exit(0)
