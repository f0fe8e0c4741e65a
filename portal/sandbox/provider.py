"""The identity provider under `/oidc`: discovery, keys, a page to pick a person, tokens, claims, signing out."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from portal.sandbox.config import Person, SandboxConfig
from portal.sandbox.grants import ALGORITHM, SCOPES, Picked, authorization_server, claims_of
from portal.sandbox.identifiers import new_secret
from portal.sandbox.people import People, PersonRefused
from portal.sandbox.signing_key import SigningKey
from portal.sandbox.state import Sandbox
from portal.sandbox.store import Store

COOKIE = "sandbox_idp"
_COOKIE_LIFETIME_SECONDS = 12 * 3600


def identity_provider(app: Flask, config: SandboxConfig) -> Blueprint:
    """The blueprint of one identity provider with its people and its key."""
    sandbox: Sandbox = app.extensions["sandbox"]
    provider = _Provider(app, config, sandbox.store)
    issuer, site = urlsplit(config.issuer).path, urlsplit(config.provider_site).path
    routes = Blueprint("identity_provider", __name__)
    routes.add_url_rule(f"{issuer}/.well-known/openid-configuration", view_func=provider.discovery)
    routes.add_url_rule(f"{issuer}/jwks", view_func=provider.jwks)
    routes.add_url_rule(f"{site}/authorize", view_func=provider.pick, methods=["GET"])
    routes.add_url_rule(f"{site}/authorize", view_func=provider.picked, methods=["POST"])
    routes.add_url_rule(f"{site}/token", view_func=provider.token, methods=["POST"])
    routes.add_url_rule(f"{site}/userinfo", view_func=provider.userinfo, methods=["GET", "POST"])
    if config.manners.way_back is not None:
        routes.add_url_rule(f"{site}/end_session", view_func=provider.end_session, methods=["GET", "POST"])
    return routes


class _Provider:
    """The views, with what they need."""

    def __init__(self, app: Flask, config: SandboxConfig, store: Store) -> None:
        self._config = config
        self._store = store
        self._people = People(store, config.people)
        self._manners = config.manners
        self._cookie_path = urlsplit(config.provider_site).path or "/"
        self._key = SigningKey(store, has_spare=config.manners.has_spare_key)
        self._server: Any = authorization_server(app, config, store=store, people=self._people, key=self._key)
        self._signer = URLSafeSerializer(_cookie_secret(store), salt="sandbox-idp-session")

    def discovery(self) -> dict[str, Any]:
        """https://openid.net/specs/openid-connect-discovery-1_0.html"""
        issuer, site = self._config.issuer, self._config.provider_site
        document: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{site}/authorize",
            "token_endpoint": f"{site}/token",
            "userinfo_endpoint": f"{site}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name"
            ],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login"],
        }  # fmt: skip
        if self._manners.way_back is not None:
            document["end_session_endpoint"] = f"{site}/end_session"
        if self._manners.names_itself:
            document["authorization_response_iss_parameter_supported"] = True
        return document

    def jwks(self) -> dict[str, Any]:
        """The public key."""
        return self._key.jwks()

    def pick(self) -> AnyResponse | str:
        """The page to pick a person, once the request is in order."""
        prompts, known = request.args.get("prompt", "").split(), self._known()
        try:
            grant = self._server.get_consent_grant(end_user=known)
        except (OAuth2Error, ValueError) as error:
            return self._refused(error)
        if prompts == ["none"] or (self._manners.remembers and known and "login" not in prompts):
            return self._answer(grant, known)
        return self._page(self._present())

    def picked(self) -> AnyResponse | tuple[str, int]:
        """Send the person back with a code, or with `access_denied`."""
        try:
            grant = self._server.get_consent_grant(end_user=self._known())
        except (OAuth2Error, ValueError) as error:
            return self._refused(error)
        if "cancel" in request.form:
            return self._answer(grant, None)
        try:
            person = self._chosen()
        except PersonRefused as problem:
            return self._page(self._present(), problem=str(problem)), 400
        picked = Picked(person.sub, int(time.time()))
        answer = self._answer(grant, picked)
        answer.set_cookie(
            COOKIE,
            self._signer.dumps([picked.sub, picked.at]),
            max_age=_COOKIE_LIFETIME_SECONDS,
            path=self._cookie_path,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def token(self) -> AnyResponse:
        """A code for an ID token and an access token."""
        answer: AnyResponse = self._server.create_token_response()
        return answer

    def userinfo(self) -> Response:
        """The claims of whoever the access token was issued for."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        known = self._store.get("access_token", value.strip()) if scheme.lower() == "bearer" else None
        person = self._people.find(known["sub"]) if known and known["expires_at"] > time.time() else None
        if known is None or person is None:
            refused = make_response({"error": "invalid_token"}, 401)
            refused.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refused
        return make_response(self._manners.at_userinfo(dict(claims_of(person, known["scope"]))))

    def end_session(self) -> AnyResponse:
        """Sign out here too, and go back to the portal where it asks for that.

        https://openid.net/specs/openid-connect-rpinitiated-1_0.html
        """
        target = request.values.get(self._manners.way_back or "")
        if target is None and self._manners.way_back == "logout_uri":
            raise BadRequest("Required String parameter 'redirect_uri' is not present")
        if target and request.values.get("client_id") != self._config.client_id:
            raise BadRequest("client_id is not known.")
        if target and target != self._config.signed_out_uri:
            raise BadRequest(f"{self._manners.way_back} is not registered.")
        if self._manners.asks_before_signing_out and request.method == "GET" and self._present():
            return make_response(render_template("sandbox/sign_out.html", portal_url=self._config.portal_url))
        if target:
            state = request.values.get("state")
            answer: AnyResponse = redirect(
                add_params_to_uri(target, [("state", state)] if state else []), 303
            )
        else:
            answer = make_response(
                render_template("sandbox/signed_out.html", portal_url=self._config.portal_url)
            )
        answer.delete_cookie(COOKIE, path=self._cookie_path)
        return answer

    def _answer(self, grant: Any, picked: Picked | None) -> AnyResponse:
        answer: AnyResponse = self._server.create_authorization_response(grant_user=picked, grant=grant)
        return answer

    def _refused(self, error: Any) -> AnyResponse:
        """An error goes back to the portal where its address is known to be right, else it is shown.

        Authlib raises ValueError where its error would have to quote characters that no error may carry.
        """
        if isinstance(error, ValueError) or not error.redirect_uri:
            described = "" if isinstance(error, ValueError) else error.description or error.error
            page = render_template(
                "sandbox/message.html",
                title="This sign-in request is not in order",
                message=described or "It holds characters that don't belong there.",
                portal_url=self._config.portal_url,
            )
            return make_response(page, 400)
        answer: AnyResponse = self._server.handle_error_response(None, error)
        if self._manners.names_itself:
            answer.location = add_params_to_uri(answer.location, [("iss", self._config.issuer)])
        return answer

    def _page(self, present: Person | None, *, problem: str | None = None) -> str:
        return render_template(
            "sandbox/pick.html",
            people=self._people.everybody(),
            present=present,
            is_again="login" in request.args.get("prompt", "").split(),
            problem=problem,
            portal_url=self._config.portal_url,
        )

    def _chosen(self) -> Person:
        form = request.form
        if "person" in form:
            person = self._people.find(form["person"])
            if person is None:
                raise PersonRefused("There is nobody by that name here.")
            return person
        return self._people.add(
            form.get("name", ""), form.get("email", ""), email_verified=form.get("email_verified") == "true"
        )

    def _present(self) -> Person | None:
        """Whom this browser has been picked as."""
        picked = self._picked()
        return self._people.find(picked.sub) if picked else None

    def _known(self) -> Picked | None:
        """The same, if that was not longer ago than the portal wants (`max_age`, seconds)."""
        picked, most = self._picked(), request.args.get("max_age", type=int)
        is_old = picked is not None and most is not None and time.time() - picked.at >= most
        return None if is_old or self._present() is None else picked

    def _picked(self) -> Picked | None:
        try:
            sub, at = self._signer.loads(request.cookies.get(COOKIE, ""))
        except (BadSignature, ValueError, TypeError):
            return None
        return Picked(str(sub), int(at))


def _cookie_secret(store: Store) -> str:
    with store.transaction():
        kept = store.get("cookie_secret", "session")
        if kept is None:
            kept = {"secret": new_secret(48)}
            store.put("cookie_secret", "session", kept)
    return str(kept["secret"])
