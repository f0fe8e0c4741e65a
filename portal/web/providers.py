"""The conversation with an OpenID Connect provider, from the link on the sign-in page to a verified identity.

Authlib speaks the protocol (authorization code, PKCE S256, state, nonce, the ID token's signature and claims). What it
leaves to its users is done here: the discovery document's issuer and the `iss` of the response are compared, a
sign-in that takes too long ends, and an answer without an ID token is no sign-in.
https://openid.net/specs/openid-connect-core-1_0.html, https://www.rfc-editor.org/rfc/rfc9207,
https://openid.net/specs/openid-connect-rpinitiated-1_0.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_client import FlaskIntegration
from authlib.integrations.flask_client.apps import FlaskOAuth2App
from flask import request, session
from joserfc.errors import JoseError

from portal.config import OidcProvider
from portal.domain.errors import PortalError
from portal.domain.sentences import Sentence
from portal.services.people import VerifiedIdentity, printable
from portal.web.discovery import checked
from portal.web.identity_claims import identity_of
from portal.wiring import services

#: How long a person may take at the provider: time to look for a second factor, not for a stolen link to be used.
SIGN_IN_SECONDS = 600

#: How many sign-ins one browser may have under way; each takes room in its cookie, which may hold 4 KB in all.
_SIGN_INS_UNDER_WAY = 3

#: How long to wait for the provider's answer to one request.
_TIMEOUT_SECONDS = 10

#: How long a discovery document and its keys are used; an unknown key is asked for at once.
_METADATA_SECONDS = 3_600

_SUBJECT_CHARACTERS = 255

#: Ten years: nobody is asked for their password sooner because of it, but whoever is asked for a greatest age must say
#: when the person signed in, and some say it only then.
_ANY_AGE_SECONDS = 315_360_000

#: Hosts of Amazon Cognito's issuers, of both forms; its sign-out calls the way back by a name of its own.
_COGNITO = re.compile(r"(issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")

#: Google refuses the standard's word for it and has no other; to ask which account it is, is the nearest that it does.
#: https://developers.google.com/identity/openid-connect/openid-connect#authenticationuriparameters
_ASK_AGAIN, _GOOGLE, _ASK_AGAIN_AT_GOOGLE = "login", "https://accounts.google.com", "select_account"

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


@dataclass(frozen=True)
class Answered:
    """Who came back, and what the portal had remembered of the way."""

    identity: VerifiedIdentity
    come_back_to: str | None
    again_for: str | None
    """Whose sign-in it was to be, if somebody was asked to sign in again: a user id."""


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
                self.server_metadata = {**checked(response.json(), self.issuer), "_loaded_at": _now()}
        return self.server_metadata


def _now() -> float:
    """Seconds of the real clock; a rehearsal shifts no sign-in."""
    return services().clock.real_now().timestamp()


class SignInProvider:
    """One provider, as the sign-in pages use it."""

    def __init__(self, provider: OidcProvider, *, portal: str) -> None:
        """`portal` is the portal's own address, as the settings say it."""
        self.name = provider.name
        self.label = provider.label
        self._provider = provider
        self._redirect_uri = f"{portal}/auth/{provider.name}/callback"
        self._signed_out_uri = f"{portal}/login"
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

    def begin(self, *, come_back_to: str | None, again_for: str | None = None) -> str:
        """The provider's address to send the person to; what the answer must match is remembered in the session.
        `again_for` is the user id of somebody who is signed in and is to prove once more who they are: they are asked
        also where the provider knows them already. Raises ProviderIsAway."""
        prompt = _ASK_AGAIN_AT_GOOGLE if self._provider.issuer == _GOOGLE else _ASK_AGAIN
        asked = {"prompt": prompt, "max_age": 0} if again_for else {"max_age": _ANY_AGE_SECONDS}
        try:
            begun = self._client.create_authorization_url(self._redirect_uri, **asked)
        except (requests.RequestException, ValueError, AuthlibBaseError) as fault:
            raise self._away(fault) from fault
        address = str(begun.pop("url"))
        self._client.save_authorize_data(
            redirect_uri=self._redirect_uri, come_back_to=come_back_to, again_for=again_for, **begun
        )
        return address

    def finish(self) -> Answered:
        """Who the person is by the provider's answer in this request, and where they were going. Raises
        SignInTookTooLong, SignInWasCancelled, SignInFailed, ProviderIsAway."""
        state = request.args.get("state", "")
        remembered = self._client.framework.get_state_data(session, state)
        if not remembered or "nonce" not in remembered:
            raise SignInTookTooLong(Sentence("Your sign-in took too long. Try again."))
        try:
            self._check_who_answers()
            if "error" in request.args:
                self._client.framework.clear_state_data(session, state)
                raise self._refusal(request.args["error"])
            identity = identity_of(self._provider, *self._claims())
        except requests.RequestException as fault:
            raise self._away(fault) from fault
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as fault:
            _log.warning(
                "sign_in.failed", provider=self.name, fault=type(fault).__name__, what=str(fault)[:200]
            )
            raise SignInFailed(
                Sentence("We could not verify that sign-in. Nothing was changed. Try again.")
            ) from fault
        return Answered(identity, remembered.get("come_back_to"), remembered.get("again_for"))

    @property
    def end_session_endpoint(self) -> str | None:
        """Where the provider says that people sign out, as far as it is known already; asks nobody."""
        return self._client.server_metadata.get("end_session_endpoint")

    def sign_out_address(self, end_session_endpoint: str) -> str:
        """Where a browser goes on to, to sign out at the provider too. Without `id_token_hint`: the standard takes
        `client_id` instead, and a kept ID token would be one more thing to lose."""
        is_cognito = _COGNITO.fullmatch(urlsplit(self._provider.issuer).hostname or "")
        back = "logout_uri" if is_cognito else "post_logout_redirect_uri"
        parameters = [("client_id", self._provider.client_id), (back, self._signed_out_uri)]
        return str(add_params_to_uri(end_session_endpoint, parameters))

    def _check_who_answers(self) -> None:
        named = request.args.getlist("iss")
        must = self._client.load_server_metadata()["names_itself"]
        if (must or named) and named != [self._provider.issuer]:
            raise ValueError("the answer comes from another issuer")

    def _refusal(self, error: str) -> PortalError:
        if error == "access_denied":
            return SignInWasCancelled(Sentence("You cancelled the sign-in. Nothing was changed."))
        _log.warning("sign_in.refused", provider=self.name, error=printable(error, most=100))
        return SignInFailed(
            Sentence("{provider} could not sign you in. Nothing was changed. Try again.", provider=self.label)
        )

    def _claims(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The ID token's claims, and those of the userinfo endpoint where the token leaves out name or e-mail."""
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
            return claims, {}
        told = dict(self._client.userinfo(token=token))
        if told.get("sub") != subject:
            raise ValueError("the userinfo endpoint speaks of somebody else")
        return claims, told

    def _away(self, fault: Exception) -> ProviderIsAway:
        _log.warning(
            "provider.unreachable", provider=self.name, fault=type(fault).__name__, what=str(fault)[:200]
        )
        return ProviderIsAway(
            Sentence(
                "{provider} does not answer right now, so nobody can sign in with it. Try again in a minute.",
                provider=self.label,
            )
        )
