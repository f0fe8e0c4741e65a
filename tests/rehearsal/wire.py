"""A wire between the portal and PostgreSQL that is cut at the worst moment: a commit has got through and is done, and
the word that it is done never comes back."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

_CHUNK = 65_536
_COMMIT = b"COMMIT\0"


class Wire:
    """Carries bytes both ways until it is cut; whoever connects again finds it whole."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._until_cut = 0
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def is_to_be_cut(self) -> bool:
        """Whether the commit that cuts it is still to come."""
        return self._until_cut > 0

    def cut_at_commit(self, number: int) -> None:
        """The n-th commit from now on is the last thing that gets through; 0 is none."""
        self._until_cut = number

    def close(self) -> None:
        """No more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), name="wire", daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(self._server) as far:
            while True:
                for end, other in ((near, far), (far, near)):
                    if end not in select.select([near, far], [], [])[0]:
                        continue
                    carried = end.recv(_CHUNK)
                    if not carried:
                        return
                    other.sendall(carried)
                    if end is near and self._cuts(carried):
                        far.recv(_CHUNK)  # it is done, and nobody is told
                        return

    def _cuts(self, carried: bytes) -> bool:
        if _COMMIT not in carried or self._until_cut == 0:
            return False
        self._until_cut -= 1
        return self._until_cut == 0


@contextmanager
def wired(database_url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to a database, and the address at its near end."""
    url = sa.make_url(database_url)
    wire = Wire((str(url.host), int(url.port or 5432)))
    try:
        yield wire, url.set(port=wire.port).render_as_string(hide_password=False)
    finally:
        wire.close()
