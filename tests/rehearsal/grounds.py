"""Where a rehearsal takes place: fresh databases of both kinds, copied from one that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from tests.databases import TEMPLATE, PostgresCluster, postgres_cluster
from tests.journeys.running import RunningPortal
from tests.rehearsal.stage import Stage, staged

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Grounds:
    """Stages by the dozen; a PostgreSQL server is started with the first that needs one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exits = ExitStack()

    @contextmanager
    def stage(self, database: str) -> Iterator[Stage]:
        """A stage on a database of its own; nothing is left of both afterwards."""
        folder = self._folder / uuid4().hex
        folder.mkdir()
        try:
            with self._fresh(database, folder) as url, staged(url, folder) as stage:
                yield stage
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """End the server, if one was started."""
        self._exits.close()

    @contextmanager
    def _fresh(self, database: str, folder: Path) -> Iterator[str]:
        if database == POSTGRESQL:
            with self._cluster.fresh_database() as url:
                yield url
        else:
            shutil.copyfile(self._file, folder / "portal.db")
            yield f"sqlite:///{folder / 'portal.db'}"

    @cached_property
    def _cluster(self) -> PostgresCluster:
        cluster = self._exits.enter_context(postgres_cluster())
        self._migrate(cluster.create_database(TEMPLATE))
        return cluster

    @cached_property
    def _file(self) -> Path:
        file = self._folder / "template.db"
        self._migrate(f"sqlite:///{file}")
        return file

    def _migrate(self, database_url: str) -> None:
        RunningPortal(database_url, self._folder).command("db", "upgrade")
