"""From what a provider says of a person to the person as the portal takes them in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.config import OidcProvider
from portal.services.people import EMAIL_CHARACTERS, NAME_CHARACTERS, VerifiedIdentity, printable


def identity_of(provider: OidcProvider, claims: dict[str, Any], told: dict[str, Any]) -> VerifiedIdentity:
    """The person of the ID token's `claims`, with what the userinfo endpoint has `told` where the token is silent.
    Raises ValueError for a time of signing in that is none."""
    said = {**told, **claims}
    parts = [printable(said.get(part), most=NAME_CHARACTERS) for part in ("given_name", "family_name")]
    name = printable(said.get("name"), most=NAME_CHARACTERS) or " ".join(filter(None, parts))
    email, is_verified = _email(claims, told)
    return VerifiedIdentity(
        provider=provider.name,
        issuer=provider.issuer,
        subject=claims["sub"],
        name=name[:NAME_CHARACTERS],
        email=email,
        is_email_verified=is_verified,
        signed_in_at=_moment(claims.get("auth_time")),
    )


def _moment(seconds: object) -> datetime | None:
    """A moment as an ID token has it. What is none is not taken for silence: that would count as having signed in just
    now."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("auth_time is no number")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as fault:
        raise ValueError("auth_time is no moment") from fault


def _email(claims: dict[str, Any], told: dict[str, Any]) -> tuple[str, bool]:
    """The address, and whether whoever named it vouches for it: one source's word never counts for another's."""
    source = claims if "email" in claims else told
    email = printable(source.get("email"), most=EMAIL_CHARACTERS)
    word = source.get("email_verified")
    # a boolean by the standard; Amazon Cognito's userinfo endpoint, and no ID token, has it as a text
    is_verified = word is True or (source is told and word == "true")
    return email, bool(email) and is_verified
