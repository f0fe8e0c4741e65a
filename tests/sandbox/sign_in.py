"""Signing in at the identity provider, as a portal has somebody do it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.conftest import PORTAL, Stand

CALLBACK = f"{PORTAL}/auth/sandbox/callback"
ISSUER = "http://127.0.0.1:5001/oidc"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0"


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class SignIn:
    """One person signing in to the portal, whose part the test plays."""

    stand: Stand
    params: dict[str, str | None] = field(default_factory=dict)

    def url(self) -> str:
        params = {
            "response_type": "code",
            "client_id": "portal",
            "redirect_uri": CALLBACK,
            "scope": "openid email profile",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **self.params,
        }
        return "/oidc/authorize?" + urlencode(
            {name: value for name, value in params.items() if value is not None}
        )

    def press(self, **form: str) -> dict[str, str]:
        """Press a button; the parameters that come back to the portal."""
        answer = self.stand.browser.post(self.url(), data=form)
        assert answer.status_code == 302, answer.text
        assert str(answer.location).startswith(CALLBACK)
        return {name: values[0] for name, values in parse_qs(urlsplit(str(answer.location)).query).items()}

    def exchange(self, code: str, **changed: str | None) -> Any:
        """Give the code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changed,
        }
        return self.stand.browser.post(
            "/oidc/token",
            data={name: value for name, value in form.items() if value is not None},
            auth=("portal", "sandbox-client-secret"),
        )

    def claims(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(self.stand.browser.get("/oidc/jwks").get_json())
        return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
