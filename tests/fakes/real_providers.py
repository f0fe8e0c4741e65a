"""Amazon Cognito and Google, as their documentation says that they answer; what is assumed is said.

https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
https://developers.google.com/identity/openid-connect/reference
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import Person, SandboxConfig
from portal.sandbox.manners import Claims, Manners
from tests.fakes.wsgi_requests import answered_by

PORTAL = "http://127.0.0.1:5000"

POOL = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example"
POOL_DOMAIN = "https://partners.auth.eu-central-1.amazoncognito.com"
GOOGLE_ISSUER = "https://accounts.google.com"

#: One subject string at both: a coincidence that must mean nothing.
SHARED_SUBJECT = "9a1b2c3d-0000-4444-8888-abcdefabcdef"

PEOPLE = (
    Person(SHARED_SUBJECT, "Ada Affiliate", "ada@example.com"),
    Person("person-chloe", "Chloe Unverified", "chloe@example.com", email_verified=False),
)

OF_COGNITO = {
    "PORTAL_OIDC_COGNITO_ISSUER": POOL,
    "PORTAL_OIDC_COGNITO_CLIENT_ID": "cognito-app-client",
    "PORTAL_OIDC_COGNITO_CLIENT_SECRET": "secret-of-the-app-client",
    "PORTAL_OIDC_COGNITO_LABEL": "Example Partners",
}
OF_GOOGLE = {
    "PORTAL_OIDC_GOOGLE_ISSUER": GOOGLE_ISSUER,
    "PORTAL_OIDC_GOOGLE_CLIENT_ID": "123.apps.googleusercontent.com",
    "PORTAL_OIDC_GOOGLE_CLIENT_SECRET": "secret-of-the-web-client",
}


def _cognito_id_token(claims: Claims) -> Claims:
    """`email_verified` is a boolean here; a name only where the pool has one."""
    kept = {name: value for name, value in claims.items() if name != "name"}
    return {
        **kept,
        "cognito:username": "ada-the-partner",
        "cognito:groups": ["partners"],
        "token_use": "id",
        "origin_jti": "0b5c7f0e-1111-4444-8888-000000000001",
        "event_id": "0b5c7f0e-1111-4444-8888-000000000002",
        "jti": "0b5c7f0e-1111-4444-8888-000000000003",
    }


def _cognito_userinfo(claims: Claims) -> Claims:
    """`email_verified` is a text here, and the username has no prefix."""
    kept = {name: value for name, value in claims.items() if name != "name"}
    return {
        **kept,
        "email_verified": str(claims["email_verified"]).lower(),
        "username": "ada-the-partner",
    }


def _google_id_token(claims: Claims) -> Claims:
    given, _, family = claims["name"].partition(" ")
    return {
        **claims,
        "given_name": given,
        "family_name": family,
        "picture": "https://lh3.googleusercontent.com/a/example",
        "hd": "example.com",
        "azp": OF_GOOGLE["PORTAL_OIDC_GOOGLE_CLIENT_ID"],
    }


#: Its sign-out page and the rest are on the pool's domain, not at the issuer. That it doesn't name itself in its
#: answers is assumed: its documentation has no `iss` parameter.
COGNITO = Manners(
    issuer=POOL,
    site=POOL_DOMAIN,
    names_itself=False,
    way_back="logout_uri",
    has_spare_key=True,
    in_id_token=_cognito_id_token,
    at_userinfo=_cognito_userinfo,
)

#: Its documentation has the promise of RFC 9207 as a field of the discovery document; that it is kept is assumed.
GOOGLE = Manners(issuer=GOOGLE_ISSUER, way_back=None, has_spare_key=True, in_id_token=_google_id_token)


def _made(name: str, settings: dict[str, str], manners: Manners) -> Flask:
    prefix = f"PORTAL_OIDC_{name.upper()}_"
    config = SandboxConfig(
        portal_url=PORTAL,
        client_id=settings[f"{prefix}CLIENT_ID"],
        client_secret=settings[f"{prefix}CLIENT_SECRET"],
        redirect_uris=(f"{PORTAL}/auth/{name}/callback",),
        people=PEOPLE,
        manners=manners,
    )
    return create_sandbox(config)


def cognito(**changes: Any) -> Flask:
    """A user pool with an app client for the portal."""
    return _made("cognito", OF_COGNITO, _with(COGNITO, changes))


def google(**changes: Any) -> Flask:
    """Google with a web client for the portal."""
    return _made("google", OF_GOOGLE, _with(GOOGLE, changes))


def _with(manners: Manners, changes: dict[str, Any]) -> Manners:
    return Manners(**{**vars(manners), **changes})


@contextmanager
def answering(pool: Flask, google: Flask) -> Iterator[None]:
    """Both at their addresses."""
    with ExitStack() as stack:
        for app, address in ((pool, f"{POOL}/"), (pool, f"{POOL_DOMAIN}/"), (google, f"{GOOGLE_ISSUER}/")):
            stack.enter_context(answered_by(app, at=address))
        yield
