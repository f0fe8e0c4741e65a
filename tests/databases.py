"""Fresh databases: a copied SQLite file, or a PostgreSQL database cloned from a migrated template.

One throwaway PostgreSQL cluster serves a whole test run. It listens on the loopback address alone, writes nothing
durably, and goes away with its folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.equipment import postgresql_programs

#: Marks a test of what both databases do alike, where it runs once.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: The name of the database that new ones are cloned from.
TEMPLATE = "portal_template"

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_ROOM_BYTES = 2**30

#: Speed over durability: a test's data is worth nothing after it.
_SPEED = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=64MB",
    "max_connections=100",
)


@contextmanager
def statements_of(engine: sa.Engine) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile, but those that begin a transaction."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


class PostgresCluster:
    """A running PostgreSQL server with one superuser, `portal`, who needs no password from this machine."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self.folder = folder

    def url(self, database: str) -> str:
        """The address of one of its databases, as `DATABASE_URL` wants it."""
        return f"postgresql+psycopg://portal@127.0.0.1:{self._port}/{database}"

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Make a database, as a copy of `template`, to which nobody may be connected; returns its address."""
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database together with whatever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def fresh_database(self, *, template: str = TEMPLATE) -> Iterator[str]:
        """The address of a new copy of the template (a name or an address), dropped afterwards."""
        name = self.new_name()
        try:
            yield self.create_database(name, template=template.rpartition("/")[2])
        finally:
            self.drop_database(name)

    def new_name(self) -> str:
        """A name that no database has."""
        return f"test_{uuid4().hex}"

    def connected_to(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection to one of its databases; each statement is a transaction of its own."""
        address = f"postgresql://portal@127.0.0.1:{self._port}/{name}"
        return psycopg.connect(address, autocommit=True, connect_timeout=10)

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with self.connected_to("postgres") as connection:
            connection.execute(statement)


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A new folder in memory where there is room: SQLite waits there for no disk. A killed process loses nothing."""
    in_memory = Path("/dev/shm")
    is_roomy = in_memory.is_dir() and shutil.disk_usage(in_memory).free > _ROOM_BYTES
    with tempfile.TemporaryDirectory(
        prefix="portal-sqlite-", dir=in_memory if is_roomy else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A new cluster, ended and removed afterwards; skips where PostgreSQL's programs are missing."""
    programs = postgresql_programs()
    # Not below pytest's own folder: that is closed to the account the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="portal-postgresql-"))
    try:
        account = _unprivileged_account(folder)
        _initialise(programs, folder, account)
        port = free_port()
        server = _start(programs, folder, account, port=port)
        try:
            cluster = PostgresCluster(port, folder)
            _wait_until_it_answers(cluster, server)
            yield cluster
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _unprivileged_account(folder: Path) -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then the account it shall run as, to which the folder is given."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known["nobody"]
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account


def _initialise(programs: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    made = subprocess.run(
        [
            programs / "initdb",
            *("--pgdata", folder / "data", "--username", "portal", "--auth", "trust"),
            *("--encoding", "UTF8", "--no-locale", "--no-sync"),
        ],
        cwd=folder,
        env=_plain_environment(),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr.strip()}")


def _start(
    programs: Path, folder: Path, account: pwd.struct_passwd | None, *, port: int
) -> subprocess.Popen[bytes]:
    settings = [part for setting in _SPEED for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [
                programs / "postgres",
                *("-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder),
                *settings,
            ],
            cwd=folder,
            env=_plain_environment(),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C ends the tests first; they then end the server.
            start_new_session=True,
        )


def _plain_environment() -> dict[str, str]:
    """Nothing of the caller's PG… variables, and messages in English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _wait_until_it_answers(cluster: PostgresCluster, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if cluster.answers():
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {(cluster.folder / 'log').read_text(errors='replace')}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """A fast shutdown first; an immediate one if that takes too long."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(_STOP_SECONDS)
