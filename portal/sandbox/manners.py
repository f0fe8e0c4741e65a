"""What real identity providers do differently, each by its own reading of the standards; the defaults are strict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Claims = dict[str, Any]


def as_they_are(claims: Claims) -> Claims:
    """Nothing added, nothing left out."""
    return claims


@dataclass(frozen=True)
class Manners:
    """How the identity provider answers."""

    issuer: str | None = None
    """Its name, if that is not the sandbox's address and `/oidc`."""
    site: str | None = None
    """Where its pages and endpoints are, if not below the issuer."""
    names_itself: bool = True
    """Whether it says who answers, by RFC 9207."""
    way_back: Literal["post_logout_redirect_uri", "logout_uri"] | None = "post_logout_redirect_uri"
    """What its page for signing out calls the way back; None if it has no such page."""
    asks_before_signing_out: bool = False
    """Whether signing out takes a button of its own, as the standard advises where no ID token comes along."""
    remembers: bool = False
    """Whether it lets in whom it knows already without asking, as most do, unless it is told to ask."""
    has_spare_key: bool = False
    """Whether its key set shows a second key, for a change that is still to come."""
    in_id_token: Callable[[Claims], Claims] = as_they_are
    at_userinfo: Callable[[Claims], Claims] = as_they_are
