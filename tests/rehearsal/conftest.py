"""Stages for the tests: one on each kind of database, for all tests that end their payouts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import PostgresCluster
from tests.rehearsal.stage import Stage, staged, standing_stage


@pytest.fixture(scope="session")
def sqlite_stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    shutil.copyfile(sqlite_template, folder / "portal.db")
    with standing_stage(f"sqlite:///{folder / 'portal.db'}", folder) as stage:
        yield stage


@pytest.fixture(scope="session")
def postgresql_stage(
    postgresql: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with (
        postgresql.fresh_database() as url,
        standing_stage(url, tmp_path_factory.mktemp("stage")) as stage,
    ):
        yield stage


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The test plays once on each."""
    stage: Stage = request.getfixturevalue(f"{request.param}_stage")
    with stage.programme.app.app_context():
        yield stage


@pytest.fixture
def stage_on_sqlite(sqlite_stage: Stage) -> Iterator[Stage]:
    with sqlite_stage.programme.app.app_context():
        yield sqlite_stage


@pytest.fixture
def stage_of_its_own(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """On each kind, for what leaves nothing as it was."""
    with staged(database_url, tmp_path) as stage:
        yield stage
