"""Who may come in: sign-in and the sessions of people, and with them operators and the tokens of machines.

A session is a row. The browser holds a random token, the row its SHA-256, so neither a copied database nor a copied
cookie opens anything once the row has ended.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.config import Settings
from portal.models import ActorKind, Affiliate, Identity, Operator, SignInSession, User
from portal.models.base import Database, new_id, reading, writing
from portal.services.journal import Cause
from portal.services.operators import Operators
from portal.services.people import (
    EMAIL_CHARACTERS,
    NAME_CHARACTERS,
    CurrentUser,
    SignedIn,
    VerifiedIdentity,
    printable,
)
from portal.services.tokens import ApiTokens, sha256

#: Two weeks: people who look in once a week for their payouts stay signed in, a lost laptop does not stay a key.
SESSION_DAYS = 14

#: A day without a click: long enough for the next morning, short enough for a shared computer.
IDLE_HOURS = 24

#: How often a session's row is written while somebody reads page after page.
SEEN_SECONDS = 60

#: No token of ours is longer; what is longer is not worth hashing.
_TOKEN_CHARACTERS = 64

_log = structlog.get_logger(__name__)


class Access(Operators, ApiTokens):
    """Sign-in, sessions, operators and tokens. All times are the real clock's: a rehearsal shifts none of them."""

    def __init__(self, database: Database, *, clock: Clock, settings: Settings) -> None:
        Operators.__init__(self, database, clock=clock, settings=settings)

    @writing
    def sign_in(
        self,
        claims: VerifiedIdentity,
        *,
        replaces: str | None = None,
        end_session_endpoint: str | None = None,
    ) -> SignedIn:
        """Begin a session for whoever the provider vouched for; the identity is issuer and subject. A person who is
        new gets their rows, a known one their present name and e-mail; an operator named so is bound to them. The
        session of the token `replaces` ends: a new sign-in never goes on in an old session. `end_session_endpoint`
        is kept for signing out at the provider too, which then needs to be asked nothing."""
        now = self._clock.real_now()
        unbound = self._unbound_operators(claims)
        identity = self._database.scalar(
            sa.select(Identity).where(Identity.issuer == claims.issuer, Identity.subject == claims.subject)
        )
        is_new = identity is None
        if identity is None:
            identity = self._insert_identity(claims, unbound, now)
        user = self._refresh(identity, claims, now)
        for operator in unbound:
            operator.user_id = user.id
            _log.info("operator.bound", operator=str(operator.id), user=str(user.id))
        self._claim_affiliate(user, claims)
        if replaces is not None:
            self._end(SignInSession.token_sha256 == sha256(replaces))
        token = self._begin_session(identity, claims, now, end_session_endpoint)
        _log.info("session.started", user=str(user.id), provider=claims.provider, is_new=is_new)
        return SignedIn(token=token, user_id=user.id, is_new=is_new)

    def resolve(self, token: str, *, is_click: bool = True) -> CurrentUser | None:
        """The person behind a session's token; None if the session is unknown, ended, too old or was left idle. What
        is no `is_click`, as a page that looks again by itself, does not count as use."""
        if not token or len(token) > _TOKEN_CHARACTERS:
            return None
        session_id, now = sha256(token), self._clock.real_now()
        found = self._session(session_id)
        if found is None or not _is_live(found[0], now):
            return None
        session, user = found
        if is_click and now - session.last_seen_at > timedelta(seconds=SEEN_SECONDS):
            self._see(session_id, now)
        return user

    @writing
    def sign_out(self, token: str) -> None:
        """End the session on the server; a copy of its cookie is dead from now on."""
        self._end(SignInSession.token_sha256 == sha256(token))

    @writing
    def sign_out_everywhere(self, user_id: UUID, *, but: str = "") -> int:
        """End every session of the person, except the one whose id is `but`; how many there were."""
        return self._end((SignInSession.user_id == user_id) & (SignInSession.token_sha256 != but))

    @reading
    def sessions(self, user_id: UUID) -> list[SignInSession]:
        """The person's sessions that are open now, the last used first."""
        now = self._clock.real_now()
        rows = self._database.scalars(
            sa.select(SignInSession)
            .where(SignInSession.user_id == user_id, SignInSession.expires_at > now)
            .order_by(SignInSession.last_seen_at.desc(), SignInSession.created_at.desc())
        )
        return [session for session in rows if _is_live(session, now)]

    def _begin_session(
        self, identity: Identity, claims: VerifiedIdentity, now: datetime, end_session_endpoint: str | None
    ) -> str:
        token = secrets.token_urlsafe(32)
        self._database.add(
            SignInSession(
                token_sha256=sha256(token),
                user_id=identity.user_id,
                identity_id=identity.id,
                end_session_endpoint=end_session_endpoint,
                created_at=now,
                # a provider that does not say when has just done it; what it says of the future is not believed
                signed_in_at=min(claims.signed_in_at or now, now),
                last_seen_at=now,
                expires_at=now + timedelta(days=SESSION_DAYS),
            )
        )
        return token

    def _insert_identity(self, claims: VerifiedIdentity, unbound: list[Operator], now: datetime) -> Identity:
        user_id = unbound[0].user_id if unbound else None
        if user_id is None:
            user_id = new_id()
            self._database.add(User(id=user_id, created_at=now))
            self._database.flush()
        identity = Identity(
            id=new_id(),
            user_id=user_id,
            provider=claims.provider,
            issuer=claims.issuer,
            subject=claims.subject,
            created_at=now,
            last_signed_in_at=now,
        )
        self._database.add(identity)
        self._database.flush()
        return identity

    def _refresh(self, identity: Identity, claims: VerifiedIdentity, now: datetime) -> User:
        user = self._database.get_one(User, identity.user_id)
        identity.provider = claims.provider
        identity.email = user.email = printable(claims.email, most=EMAIL_CHARACTERS)
        identity.is_email_verified = claims.is_email_verified
        identity.last_signed_in_at = now
        user.name = printable(claims.name, most=NAME_CHARACTERS)
        return user

    def _claim_affiliate(self, user: User, claims: VerifiedIdentity) -> None:
        """Give the person the affiliate whom the host business created for their address, if a provider whose e-mail
        is trusted has verified it, exactly one waits for it, and they have none."""
        if not (user.email and claims.is_email_verified and self._is_email_trusted(claims.provider)):
            return
        if self._database.scalar(sa.select(Affiliate.id).where(Affiliate.user_id == user.id)) is not None:
            return
        waiting = self._database.scalars(
            sa.select(Affiliate)
            .where(Affiliate.user_id.is_(None), sa.func.lower(Affiliate.email) == user.email.lower())
            .with_for_update()
        ).all()
        if len(waiting) == 1:
            affiliate = waiting[0]
            affiliate.user_id = user.id
            affiliate.version += 1
            self._journal.changed(
                "affiliate",
                affiliate.id,
                action="affiliate.claimed",
                before=None,
                after=user.id,
                cause=Cause(ActorKind.affiliate, str(user.id), "sign_in"),
                at=self._clock.now(),
            )
            _log.info("affiliate.claimed", affiliate=str(affiliate.id), user=str(user.id))

    @reading
    def _session(self, session_id: str) -> tuple[SignInSession, CurrentUser] | None:
        query = (
            sa.select(SignInSession, User, Identity, Affiliate, Operator)
            .join(User, User.id == SignInSession.user_id)
            .join(Identity, Identity.id == SignInSession.identity_id)
            .outerjoin(Affiliate, Affiliate.user_id == User.id)
            .outerjoin(Operator, Operator.user_id == User.id)
            .where(SignInSession.token_sha256 == session_id)
        )
        rows = self._database.execute(query).all()
        if not rows:
            return None
        session, user, identity, affiliate, _ = rows[0]
        role = self._strongest(list(filter(None, (row[4] for row in rows))))
        known = self._settings.providers.get(identity.provider)
        return session, CurrentUser(
            user.id,
            user.name,
            user.email,
            session_id,
            session.signed_in_at,
            provider=known.name if known is not None and known.issuer == identity.issuer else "",
            end_session_endpoint=session.end_session_endpoint,
            role=role,
            affiliate=affiliate,
        )

    @writing
    def _see(self, session_id: str, now: datetime) -> None:
        seen = sa.update(SignInSession).where(SignInSession.token_sha256 == session_id)
        self._database.execute(seen.values(last_seen_at=now))

    def _end(self, which: sa.ColumnElement[bool]) -> int:
        ended = sa.update(SignInSession).where(which, SignInSession.revoked_at.is_(None))
        sessions = self._database.scalars(
            ended.values(revoked_at=self._clock.real_now()).returning(SignInSession.user_id)
        ).all()
        for user_id in sessions:
            _log.info("session.ended", user=str(user_id))
        return len(sessions)


def _is_live(session: SignInSession, now: datetime) -> bool:
    is_idle = now - session.last_seen_at > timedelta(hours=IDLE_HOURS)
    return session.revoked_at is None and now < session.expires_at and not is_idle
