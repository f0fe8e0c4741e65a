"""What machines show to come in: tokens that are kept as a hash and shown once."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.domain.texts import is_clean
from portal.models import ApiToken
from portal.models.base import Database, new_id, reading, writing
from portal.services.journal import Cause, Journal
from portal.services.people import printable

#: Says what it is wherever it leaks: secret scanners look for such a beginning.
PREFIX = "ppt_"
_TOKEN = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")

#: What is kept in clear, to tell one token from another in a list: the prefix and four characters.
_SHOWN_CHARACTERS = 8
_NAME_CHARACTERS = 200

#: Nobody remembers a token for longer than ten years.
MOST_DAYS = 3_650

#: A busy machine would otherwise write a row with every request.
SEEN_SECONDS = 60

_log = structlog.get_logger(__name__)


class Scope(StrEnum):
    """What a token may be limited to."""

    affiliates_read = "affiliates:read"
    affiliates_write = "affiliates:write"
    earnings_write = "earnings:write"
    payouts_read = "payouts:read"
    verification_run = "verification:run"


class TokenNameIsTaken(PortalError):
    """A token of that name is in use."""

    code = "token_name_taken"


def is_in_use(token: ApiToken, now: datetime) -> bool:
    """Whether the token opens anything; `now` is the real clock's."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def sha256(token: str) -> str:
    """What is stored of a token. It is 256 random bits, so a plain hash can't be guessed backwards."""
    return hashlib.sha256(token.encode()).hexdigest()


def may(token: ApiToken, scope: Scope) -> bool:
    """Whether the token reaches so far; one without named scopes has all."""
    return not token.scopes or scope in token.scopes


class ApiTokens:
    """The tokens of the host business's systems."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._journal = Journal(database)

    @writing
    def create_token(
        self, name: str, scopes: Sequence[str] = (), *, expires_days: int | None = None, cause: Cause
    ) -> str:
        """A new token, to be shown once: `ppt_` and 43 characters. It ends after so many days, or never. Raises
        InvalidInput, TokenNameIsTaken."""
        problems = []
        if not name.strip() or len(name) > _NAME_CHARACTERS or not name.isprintable():
            problems.append(("name", f"Give the token a name of 1 to {_NAME_CHARACTERS} characters."))
        if unknown := sorted(set(scopes) - set(Scope)):
            problems.append(
                ("scope", f"There is no scope {', '.join(unknown)}. Known are: {', '.join(Scope)}.")
            )
        if expires_days is not None and not 1 <= expires_days <= MOST_DAYS:
            problems.append(("expires_days", f"Let it end after 1 to {MOST_DAYS:,} days."))
        if problems:
            raise InvalidInput(problems)
        now = self._clock.real_now()
        if self._live(name):
            raise TokenNameIsTaken(
                f"There is a token named {name} already. Revoke it first, or choose another name.",
                field="name",
            )
        token = PREFIX + secrets.token_urlsafe(32)
        row = ApiToken(
            id=new_id(),
            name=name,
            token_sha256=sha256(token),
            prefix=token[:_SHOWN_CHARACTERS],
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=now + timedelta(days=expires_days) if expires_days else None,
        )
        self._database.add(row)
        reach = " ".join(row.scopes) or "all"
        until = f" until {row.expires_at:%Y-%m-%d}" if row.expires_at else ""
        self._token_changed(row, "api_token.created", after=reach + until, cause=cause)
        return token

    @reading
    def tokens(self) -> list[ApiToken]:
        """Every token there ever was, oldest first; a revoked one says when."""
        return list(self._database.scalars(sa.select(ApiToken).order_by(ApiToken.created_at, ApiToken.id)))

    @writing
    def revoke_token(self, name: str, *, cause: Cause) -> None:
        """End the token of that name at once; raises NotFound."""
        live = self._live(name) if is_clean(name) else []  # no database looks for what none can store
        if not live:
            raise NotFound(f"There is no token named {printable(name, most=_NAME_CHARACTERS)} in use.")
        for row in live:
            row.revoked_at = self._clock.real_now()
            self._token_changed(row, "api_token.revoked", after="revoked", cause=cause)

    def token(self, bearer: str) -> ApiToken | None:
        """The token that a machine showed, if it is one of ours and in use. What is looked up is a hash, so how long
        the answer takes says nothing about how much of a token was right."""
        if not _TOKEN.fullmatch(bearer):
            return None
        shown = sha256(bearer)
        row = self._token_of(shown)
        now = self._clock.real_now()
        if row is None or not is_in_use(row, now) or not hmac.compare_digest(row.token_sha256, shown):
            return None
        if row.last_used_at is None or now - row.last_used_at > timedelta(seconds=SEEN_SECONDS):
            self._mark_used(shown)
        return row

    @reading
    def _token_of(self, token_sha256: str) -> ApiToken | None:
        return self._database.scalar(sa.select(ApiToken).where(ApiToken.token_sha256 == token_sha256))

    @writing
    def _mark_used(self, token_sha256: str) -> None:
        used = sa.update(ApiToken).where(ApiToken.token_sha256 == token_sha256)
        self._database.execute(used.values(last_used_at=self._clock.real_now()))

    def _token_changed(self, row: ApiToken, action: str, *, after: str, cause: Cause) -> None:
        at = self._clock.now()
        self._journal.changed(
            "api_token", row.id, action=action, before=None, after=after, cause=cause, at=at
        )
        _log.info(action, token=str(row.id))

    def _live(self, name: str) -> list[ApiToken]:
        now = self._clock.real_now()
        rows = self._database.scalars(sa.select(ApiToken).where(ApiToken.name == name))
        return [row for row in rows if is_in_use(row, now)]
