"""A sign of life beside long work, so that nobody takes it for left behind; it ends with the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import structlog

log = structlog.get_logger(__name__)

#: Well within the hour after which work is taken for left behind.
EVERY_SECONDS = 600.0


class Heartbeats:
    """Gives signs of life from a thread; `within` opens what the database needs there."""

    def __init__(
        self, within: Callable[[], AbstractContextManager[object]], *, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._within = within
        self._every_seconds = every_seconds

    @contextmanager
    def beating(self, beat: Callable[[], None]) -> Iterator[None]:
        """Call `beat` again and again while the work within goes on."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._go_on, args=(beat, is_over), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _go_on(self, beat: Callable[[], None], is_over: threading.Event) -> None:
        while not is_over.wait(self._every_seconds):
            try:
                with self._within():
                    beat()
            except Exception:  # the next one may do
                log.exception("heartbeat.raised")
