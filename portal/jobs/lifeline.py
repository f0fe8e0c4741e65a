"""What ends the worker's processes when the one that started them is gone, however it went.

They ignore what they are told to stop by, since that one waits for them; killed before it could, it would leave them at
work for ever, with yesterday's settings.
"""

from __future__ import annotations

import os
import threading


class Lifeline:
    """A pipe whose other end the first process alone holds open; every process that it forks from now on follows it."""

    def __init__(self) -> None:
        self._first = os.getpid()
        self._watched, self._held = os.pipe()
        os.register_at_fork(after_in_child=self._follow)

    def _follow(self) -> None:
        if os.getppid() not in {self._first, 1}:  # forked by one that follows already
            return
        os.close(self._held)
        threading.Thread(target=self._end_with_the_first, name="lifeline", daemon=True).start()

    def _end_with_the_first(self) -> None:
        os.read(self._watched, 1)  # nobody ever writes: it returns when the other end is gone
        os._exit(1)
