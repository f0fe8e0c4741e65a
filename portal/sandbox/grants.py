"""The identity provider's rules: the authorization code flow with PKCE, on Authlib's server grants.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, RFC 7636, RFC 9207
"""

from __future__ import annotations

import hmac
import time
from dataclasses import asdict, dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask

from portal.sandbox.config import SandboxConfig
from portal.sandbox.people import People
from portal.sandbox.signing_key import SigningKey
from portal.sandbox.store import Store

SCOPES = ("openid", "email", "profile")
CODE_LIFETIME_SECONDS = 300
TOKEN_LIFETIME_SECONDS = 3600
ALGORITHM = "RS256"


@dataclass(frozen=True)
class PortalClient(ClientMixin):  # type: ignore[misc]  # Authlib ships no types
    """The one client: the portal, which keeps a secret."""

    config: SandboxConfig

    def get_client_id(self) -> str:
        """Its id."""
        return self.config.client_id

    def get_default_redirect_uri(self) -> None:
        """None: every request names its redirect_uri."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for and known."""
        return " ".join(name for name in SCOPES if name in (scope or "").split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Registered, letter by letter."""
        return redirect_uri in self.config.registered_redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """The right secret."""
        return hmac.compare_digest(client_secret.encode(), self.config.client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """With its secret, in the header or in the form; never without."""
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Codes alone."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes alone."""
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Picked:
    """A person of the page to pick one, and when that was (epoch seconds, UTC)."""

    sub: str
    at: int


@dataclass(frozen=True)
class IssuedCode(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib ships no types
    """One authorization code and what it was given for; its times are epoch seconds, UTC."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    sub: str
    signed_in_at: int
    code_challenge: str
    code_challenge_method: str
    issued_at: int

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it opens."""
        return self.scope

    def get_nonce(self) -> str | None:
        """What the ID token has to echo."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the person was picked, maybe for an earlier code."""
        return self.signed_in_at

    def get_acr(self) -> None:
        """No class of authentication."""

    def get_amr(self) -> None:
        """No named method of authentication."""


class RequiredCodeChallenge(CodeChallenge):  # type: ignore[misc]  # Authlib ships no types
    """PKCE with S256 for every client: Authlib's own `required` leaves out those that have a secret."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 -- Authlib's own attribute

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse an authorization request without an S256 challenge."""
        if not grant.request.payload.data.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Unsupported 'code_challenge_method'")
        super().validate_code_challenge(grant, redirect_uri)


class PortalCodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib ships no types
    """Codes that work once, for a short while."""

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep a code with what was asked for."""
        asked = request.payload.data
        issued = IssuedCode(
            code=code,
            client_id=request.client.get_client_id(),
            redirect_uri=request.payload.redirect_uri,
            scope=request.scope,
            nonce=asked.get("nonce"),
            sub=request.user.sub,
            signed_in_at=request.user.at,
            code_challenge=asked["code_challenge"],
            code_challenge_method=asked["code_challenge_method"],
            issued_at=int(time.time()),
        )
        self.server.store.put("authorization_code", code, asdict(issued))

    def query_authorization_code(self, code: str, client: PortalClient) -> IssuedCode | None:
        """Take a code: whoever shows it first uses it up, with the right verifier or not."""
        store: Store = self.server.store
        with store.transaction():
            document = store.get("authorization_code", code)
            store.remove("authorization_code", code)
        if document is None or document["client_id"] != client.get_client_id():
            return None
        if document["issued_at"] + CODE_LIFETIME_SECONDS < time.time():
            return None
        return IssuedCode(**document)

    def delete_authorization_code(self, authorization_code: IssuedCode) -> None:
        """It went when it was shown."""

    def authenticate_user(self, authorization_code: IssuedCode) -> Any:
        """The person it was issued for."""
        return self.server.people.find(authorization_code.sub)


class PortalIdToken(OpenIDCode):  # type: ignore[misc]  # Authlib ships no types
    """What the ID token says."""

    def __init__(self, config: SandboxConfig, key: SigningKey) -> None:
        super().__init__(require_nonce=True)
        self._config = config
        self._key = key

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Codes work once, so a nonce can't come back."""
        return False

    def resolve_client_private_key(self, client: PortalClient) -> Any:
        """The key that signs."""
        return self._key.private

    def get_client_algorithm(self, client: PortalClient) -> str:
        """How it signs."""
        return ALGORITHM

    def get_client_claims(self, client: PortalClient) -> dict[str, Any]:
        """Who issues it, for how long."""
        return {"iss": self._config.issuer, "exp": int(time.time()) + TOKEN_LIFETIME_SECONDS}

    def get_encode_header(self, client: PortalClient) -> dict[str, Any]:
        """Which key signs."""
        return {"alg": ALGORITHM, "kid": self._key.kid}

    def generate_user_info(self, user: Any, scope: str) -> UserInfo:
        """The person's claims within the scope."""
        return UserInfo(self._config.manners.in_id_token(claims_of(user, scope)))


class PortalIssuer(IssuerParameter):  # type: ignore[misc]  # Authlib ships no types
    """Names the issuer in every authorization response, errors included."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        """The issuer."""
        return self._issuer


def claims_of(person: Any, scope: str) -> UserInfo:
    """What a scope tells of a person."""
    claims = UserInfo(sub=person.sub)
    if "profile" in scope.split():
        claims["name"] = person.name
    if "email" in scope.split():
        claims.update(email=person.email, email_verified=person.email_verified)
    return claims


def authorization_server(
    app: Flask, config: SandboxConfig, *, store: Store, people: People, key: SigningKey
) -> Any:
    """Authlib's server with the rules above."""
    client = PortalClient(config)

    def query_client(client_id: str) -> PortalClient | None:
        return client if client_id == config.client_id else None

    def save_token(token: dict[str, Any], request: Any) -> None:
        store.put(
            "access_token",
            token["access_token"],
            {
                "sub": request.user.sub,
                "scope": token["scope"],
                "expires_at": int(time.time()) + TOKEN_LIFETIME_SECONDS,
            },
        )

    app.config.setdefault("OAUTH2_TOKEN_EXPIRES_IN", {"authorization_code": TOKEN_LIFETIME_SECONDS})
    server = AuthorizationServer(app, query_client, save_token)
    server.store = store
    server.people = people
    server.scopes_supported = list(SCOPES)
    server.register_grant(PortalCodeGrant, [RequiredCodeChallenge(required=True), PortalIdToken(config, key)])
    if config.manners.names_itself:
        server.register_extension(PortalIssuer(config.issuer))
    return server
