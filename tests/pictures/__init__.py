"""The pictures in the project's papers: what they show, taken of the demo by `python -m tests.pictures`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.browser import NARROW, WIDE


@dataclass(frozen=True)
class Picture:
    """One page of the demo, as one of its people sees it."""

    name: str
    person: str
    path: str
    follow: str | None = None
    """The words of a link on that page behind which the picture is taken."""
    size: tuple[int, int] = WIDE
    theme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("dashboard", "vera", "/dashboard", size=(1280, 1270)),
    Picture("dashboard-phone", "vera", "/dashboard", size=(NARROW[0], 834), theme="dark"),
    Picture("payout", "vera", "/payouts", follow="P-", size=(1280, 800)),
    Picture("operator", "olga", "/operator/", size=(1280, 838)),
)
