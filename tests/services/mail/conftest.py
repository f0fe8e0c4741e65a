"""A programme whose mail goes to a real server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from portal.config import Settings
from tests.post_office import PostOffice, open_post_office


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with open_post_office() as office:
        yield office


@pytest.fixture
def settings(settings: Settings, post_office: PostOffice) -> Settings:
    """The usual ones, with that server."""
    return replace(settings, mail_url=post_office.url)
