"""Who may come in: people, their identities at providers, sessions, operators, and the tokens of machines."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, JsonText, new_id


class User(Base):
    """A person."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    email: Mapped[str] = mapped_column(sa.String(320), default="")
    created_at: Mapped[datetime]


class Identity(Base):
    """A person as one provider knows them: issuer and subject, never the e-mail."""

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    provider: Mapped[str] = mapped_column(sa.String(64))
    issuer: Mapped[str] = mapped_column(sa.String(500))
    subject: Mapped[str] = mapped_column(sa.String(255))
    email: Mapped[str] = mapped_column(sa.String(320), default="")
    is_email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_signed_in_at: Mapped[datetime]


class SignInSession(Base):
    """A signed-in browser: the cookie holds a random token, the row only its SHA-256."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    identity_id: Mapped[UUID] = mapped_column(sa.ForeignKey("identities.id"))
    end_session_endpoint: Mapped[str | None] = mapped_column(sa.String(500))
    """Where the provider lets a browser sign out, as its discovery document said when the session began."""
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime] = mapped_column(server_default="1970-01-01 00:00:00+00:00")
    """When the person last signed in at the provider; long ago where nobody said."""
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class KeptForm(Base):
    """What somebody had typed when they were sent to sign in again; theirs alone, and for a short while."""

    __tablename__ = "kept_forms"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    fields: Mapped[dict[str, list[str]]] = mapped_column(JsonText())
    kept_at: Mapped[datetime] = mapped_column(index=True)


class Operator(Base):
    """A person of the business; named as `provider:subject` or `provider:e-mail` and bound to a user at first use."""

    __tablename__ = "operators"
    __table_args__ = (sa.UniqueConstraint("provider", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(320))
    """The subject or e-mail that it was named by."""
    role: Mapped[str] = mapped_column(sa.String(32), default="admin")
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ApiToken(Base):
    """What a machine shows; only the SHA-256 and a few leading characters are kept."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(sa.String(200))
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    prefix: Mapped[str] = mapped_column(sa.String(16))
    scopes: Mapped[list[str]] = mapped_column(JsonText())
    """Empty means all."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    """From then on it opens nothing (real clock); None: never."""
    revoked_at: Mapped[datetime | None]
