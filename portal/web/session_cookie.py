"""The cookie that keeps somebody signed in: a session's token with the portal's signature, and nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Response, request
from itsdangerous import BadSignature, Signer

from portal.config import Settings
from portal.services.access import SESSION_DAYS
from portal.wiring import services

COOKIE = "portal_session"

#: Keeps this signature apart from every other that is made with the same key.
_SALT = "portal.session"


def _signer(settings: Settings) -> Signer:
    # the last key signs, all of them are accepted
    keys = [*settings.secret_key_fallbacks, settings.secret_key]
    return Signer(keys, salt=_SALT, digest_method=hashlib.sha256, key_derivation="hmac")


def shown_token() -> str | None:
    """The token in the request's cookie, if the portal signed it."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        return _signer(services().settings).unsign(cookie).decode()
    except (BadSignature, UnicodeError):
        return None


def set_token(response: Response, token: str) -> Response:
    """Give the browser the token of a session that has just begun."""
    settings = services().settings
    response.set_cookie(
        COOKIE,
        _signer(settings).sign(token).decode(),
        max_age=timedelta(days=SESSION_DAYS),
        httponly=True,
        samesite="Lax",
        secure=settings.base_url.startswith("https://"),
    )
    return response


def forget_token(response: Response) -> Response:
    """Take the cookie from the browser; the session itself ends on the server."""
    response.delete_cookie(
        COOKIE, httponly=True, samesite="Lax", secure=services().settings.base_url.startswith("https://")
    )
    return response
