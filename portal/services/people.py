"""What sign-in hands on: who a provider says somebody is, and who the portal knows them as."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from portal.domain.roles import RECENT, OperatorRole
from portal.models import Affiliate

#: As long as the columns that keep them; a provider may send more.
NAME_CHARACTERS, EMAIL_CHARACTERS = 200, 320


@dataclass(frozen=True)
class VerifiedIdentity:
    """A person as a provider vouches for them, after its ID token was checked. Issuer and subject are the identity;
    name and e-mail are only what the provider says today."""

    provider: str
    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    is_email_verified: bool = False
    signed_in_at: datetime | None = None
    """When they last proved to the provider who they are (UTC), if it says so; it may be long before they come here."""


@dataclass(frozen=True)
class SignedIn:
    """A session that has just begun; the token exists here and in the browser's cookie, nowhere else."""

    token: str = field(repr=False)
    user_id: UUID
    is_new: bool
    """Whether this identity was never seen before."""


@dataclass(frozen=True)
class CurrentUser:
    """The person behind a live session."""

    user_id: UUID
    name: str
    email: str
    session_id: str
    """The session's row: the SHA-256 of its token, which opens nothing."""
    signed_in_at: datetime
    """When they last signed in at the provider, as far as the portal knows (UTC, by the real clock)."""
    provider: str = ""
    """Where they signed in; empty if the settings have that provider no more, or another under its name."""
    end_session_endpoint: str | None = None
    """Where a browser is sent to sign out there too; only if that provider had one."""
    role: OperatorRole | None = None
    affiliate: Affiliate | None = field(default=None, repr=False, compare=False)
    """Their affiliate record, if they have one, as it was when the session was looked up."""

    @property
    def is_operator(self) -> bool:
        return self.role is not None

    def is_recent(self, now: datetime) -> bool:
        """Whether they signed in so lately that they may do sensitive things; `now` is the real clock's."""
        return now - self.signed_in_at <= RECENT


def printable(text: object, *, most: int) -> str:
    """A provider's text without control characters, cut to `most` characters; nothing if it is no text."""
    if not isinstance(text, str):
        return ""
    return "".join(character for character in text.strip() if character.isprintable())[:most]
