"""The conversation with an OpenID Connect provider, from the link on the sign-in page to a verified identity.

Authlib speaks the protocol (authorization code, PKCE S256, state, nonce, the ID token's signature and claims). What it
leaves to its users is done here: the discovery document's issuer and the `iss` of the response are compared, a
sign-in that takes too long ends, and an answer without an ID token is no sign-in.
https://openid.net/specs/openid-connect-core-1_0.html, https://www.rfc-editor.org/rfc/rfc9207
"""

from __future__ import annotations

from typing import Any

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration
from authlib.integrations.flask_client.apps import FlaskOAuth2App
from flask import request, session
from joserfc.errors import JoseError

from portal.config import OidcProvider
from portal.domain.errors import PortalError
from portal.services.people import EMAIL_CHARACTERS, NAME_CHARACTERS, VerifiedIdentity, printable
from portal.wiring import services

#: How long a person may take at the provider: time to look for a second factor, not for a stolen link to be used.
SIGN_IN_SECONDS = 600

#: How many sign-ins one browser may have under way; each takes room in its cookie, which may hold 4 KB in all.
_SIGN_INS_UNDER_WAY = 3

#: How long to wait for the provider's answer to one request.
_TIMEOUT_SECONDS = 10

#: How long a discovery document and its keys are used; an unknown key is asked for at once.
_METADATA_SECONDS = 3_600

#: Signatures that only the provider can make. `none` and those by a shared secret are not among them.
_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SUBJECT_CHARACTERS = 255

_log = structlog.get_logger(__name__)


class ProviderIsAway(PortalError):
    """The provider does not answer, or not as a provider does."""

    status = 503
    code = "provider_unavailable"


class SignInWasCancelled(PortalError):
    """The person, or the provider, said no."""

    status = 400
    code = "sign_in_cancelled"


class SignInTookTooLong(PortalError):
    """The answer belongs to no sign-in that is under way in this browser."""

    status = 400
    code = "sign_in_expired"


class SignInFailed(PortalError):
    """The provider's answer does not prove who the person is."""

    status = 400
    code = "sign_in_failed"


class _SignInState(FlaskIntegration):  # type: ignore[misc]  # authlib ships no types
    """What a sign-in under way must remember, in Flask's signed session cookie: the newest few, for ten minutes."""

    def get_state_data(self, session: Any, state: str | None) -> Any:
        kept = session.get(f"_state_{self.name}_{state}")
        if not isinstance(kept, dict) or kept.get("exp", 0) < _now():
            return None
        return kept.get("data")

    def set_state_data(self, session: Any, state: str, data: Any) -> None:
        ends = {key: kept["exp"] for key, kept in session.items() if key.startswith("_state_")}
        newest_end = max(ends.values(), default=0)
        for key in sorted(ends, key=ends.__getitem__)[: max(0, len(ends) - _SIGN_INS_UNDER_WAY + 1)]:
            session.pop(key)
        # two that begin at the same moment still follow each other
        end = max(_now() + SIGN_IN_SECONDS, newest_end + 0.001)
        session[f"_state_{self.name}_{state}"] = {"data": data, "exp": end}


class _Client(FlaskOAuth2App):  # type: ignore[misc]  # authlib ships no types
    """Authlib's client; it believes a discovery document only if that is the issuer's own."""

    issuer: str
    server_metadata: dict[str, Any]

    def load_server_metadata(self) -> Any:
        age = _now() - self.server_metadata.get("_loaded_at", 0)
        if age > _METADATA_SECONDS:
            address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            with self._get_session() as http:
                response = http.request("GET", address, withhold_token=True)
                response.raise_for_status()
                self.server_metadata = {**_checked(response.json(), self.issuer), "_loaded_at": _now()}
        return self.server_metadata


def _now() -> float:
    """Seconds of the real clock; a rehearsal shifts no sign-in."""
    return services().clock.real_now().timestamp()


def _checked(document: Any, issuer: str) -> dict[str, Any]:
    """Of a discovery document what is used; raises ValueError."""
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError("the discovery document names another issuer than the setting")
    allowed = ("https://", "http://") if issuer.startswith("http://") else ("https://",)
    metadata: dict[str, Any] = {"issuer": issuer}
    for name in (*_ENDPOINTS, "userinfo_endpoint"):
        address = document.get(name)
        if isinstance(address, str) and address.startswith(allowed):
            metadata[name] = address
        elif name in _ENDPOINTS:
            raise ValueError(f"the discovery document has no usable {name}")
    named = document.get("id_token_signing_alg_values_supported") or ()
    metadata["id_token_signing_alg_values_supported"] = [name for name in _ALGORITHMS if name in named] or [
        "RS256"
    ]
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    takes_post_only = "client_secret_post" in methods and "client_secret_basic" not in methods
    metadata["token_endpoint_auth_method"] = (
        "client_secret_post" if takes_post_only else "client_secret_basic"
    )
    metadata["names_itself"] = document.get("authorization_response_iss_parameter_supported") is True
    return metadata


class SignInProvider:
    """One provider, as the sign-in pages use it."""

    def __init__(self, provider: OidcProvider, *, redirect_uri: str) -> None:
        self.name = provider.name
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._client = _Client(
            _SignInState(provider.name),
            provider.name,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            client_kwargs={
                "scope": provider.scopes,
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUT_SECONDS,
            },
        )
        self._client.issuer = provider.issuer

    def begin(self, *, come_back_to: str | None) -> str:
        """The provider's address to send the person to; what the answer must match is remembered in the session.
        Raises ProviderIsAway."""
        try:
            begun = self._client.create_authorization_url(self._redirect_uri)
        except (requests.RequestException, ValueError, AuthlibBaseError) as fault:
            raise self._away(fault) from fault
        address = str(begun.pop("url"))
        self._client.save_authorize_data(redirect_uri=self._redirect_uri, come_back_to=come_back_to, **begun)
        return address

    def finish(self) -> tuple[VerifiedIdentity, str | None]:
        """Who the person is by the provider's answer in this request, and where they were going. Raises
        SignInTookTooLong, SignInWasCancelled, SignInFailed, ProviderIsAway."""
        state = request.args.get("state", "")
        remembered = self._client.framework.get_state_data(session, state)
        if not remembered or "nonce" not in remembered:
            raise SignInTookTooLong("Your sign-in took too long. Try again.")
        try:
            self._check_who_answers()
            if "error" in request.args:
                self._client.framework.clear_state_data(session, state)
                raise self._refusal(request.args["error"])
            claims = self._claims()
        except requests.RequestException as fault:
            raise self._away(fault) from fault
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as fault:
            _log.warning(
                "sign_in.failed", provider=self.name, fault=type(fault).__name__, what=str(fault)[:200]
            )
            raise SignInFailed("We could not verify that sign-in. Nothing was changed. Try again.") from fault
        return self._identity(claims), remembered.get("come_back_to")

    def _check_who_answers(self) -> None:
        named = request.args.getlist("iss")
        must = self._client.load_server_metadata()["names_itself"]
        if (must or named) and named != [self._provider.issuer]:
            raise ValueError("the answer comes from another issuer")

    def _refusal(self, error: str) -> PortalError:
        if error == "access_denied":
            return SignInWasCancelled("You cancelled the sign-in. Nothing was changed.")
        _log.warning("sign_in.refused", provider=self.name, error=printable(error, most=100))
        return SignInFailed(f"{self._provider.label} could not sign you in. Nothing was changed. Try again.")

    def _claims(self) -> dict[str, Any]:
        """The ID token's claims, with name and e-mail from the userinfo endpoint where the token leaves them out."""
        token = self._client.authorize_access_token(
            claims_options={
                "iss": {"essential": True, "values": [self._provider.issuer]},
                "aud": {"essential": True, "values": [self._provider.client_id]},
                "sub": {"essential": True},
                "exp": {"essential": True},
            }
        )
        claims = dict(token.get("userinfo") or {})
        subject = claims.get("sub")
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= _SUBJECT_CHARACTERS
            or not subject.isprintable()
        ):
            raise ValueError("the answer has no ID token with a usable subject")
        has_all = "email" in claims and "name" in claims
        if has_all or "userinfo_endpoint" not in self._client.load_server_metadata():
            return claims
        told = self._client.userinfo(token=token)
        if told.get("sub") != subject:
            raise ValueError("the userinfo endpoint speaks of somebody else")
        return {**told, **claims}

    def _identity(self, claims: dict[str, Any]) -> VerifiedIdentity:
        email = printable(claims.get("email"), most=EMAIL_CHARACTERS)
        parts = [printable(claims.get(part), most=NAME_CHARACTERS) for part in ("given_name", "family_name")]
        name = printable(claims.get("name"), most=NAME_CHARACTERS) or " ".join(filter(None, parts))
        return VerifiedIdentity(
            provider=self.name,
            issuer=self._provider.issuer,
            subject=claims["sub"],
            name=name[:NAME_CHARACTERS],
            email=email,
            # Amazon Cognito's userinfo endpoint says it as a text
            is_email_verified=bool(email) and claims.get("email_verified") in (True, "true"),
        )

    def _away(self, fault: Exception) -> ProviderIsAway:
        _log.warning(
            "provider.unreachable", provider=self.name, fault=type(fault).__name__, what=str(fault)[:200]
        )
        label = self._provider.label
        return ProviderIsAway(
            f"{label} does not answer right now, so nobody can sign in with it. Try again in a minute."
        )
