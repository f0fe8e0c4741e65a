"""A shell beside a portal. What only the shell does is tried `on_sqlite`: the services' tests run on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from tests.services.programme import Programme


@pytest.fixture
def shell(portal_app: Flask) -> FlaskCliRunner:
    """What is typed behind `flask`."""
    return portal_app.test_cli_runner()


@pytest.fixture
def programme(portal_app: Flask, stand_in: Flask) -> Iterator[Programme]:
    """What happens in the portal meanwhile."""
    with portal_app.app_context():
        yield Programme(portal_app, stand_in, portal_app.extensions["portal"].clock)
