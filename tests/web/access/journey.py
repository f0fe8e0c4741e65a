"""Signing in as a browser does: the portal, the provider's page, and back; without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.services.people import VerifiedIdentity
from portal.web.session_cookie import COOKIE

ADA = "person-ada"
ISSUER = "http://127.0.0.1:5001/oidc"

PROVIDER = {
    "PORTAL_OIDC_SANDBOX_ISSUER": ISSUER,
    "PORTAL_OIDC_SANDBOX_CLIENT_ID": "portal",
    "PORTAL_OIDC_SANDBOX_CLIENT_SECRET": "sandbox-client-secret",
    "PORTAL_OIDC_SANDBOX_LABEL": "Example ID",
}


def path_of(address: str | None) -> str:
    """An address without its site."""
    parts = urlsplit(address or "")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def parameter(address: str | None, name: str) -> str:
    """One parameter of an address."""
    return parse_qs(urlsplit(address or "").query)[name][0]


def changed(address: str, **parameters: str | None) -> str:
    """The same address with other parameters; None takes one away."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    query.update({name: value for name, value in parameters.items() if value is not None})
    for name in [name for name, value in parameters.items() if value is None]:
        query.pop(name, None)
    return f"{urlsplit(address).path}?{urlencode(query)}"


@dataclass
class Browser:
    """A person's browser, with the cookies of both sites."""

    portal: FlaskClient
    provider: FlaskClient

    def to_provider(self, path: str = "/login/sandbox") -> str:
        """Press the link on the sign-in page: the provider's address."""
        response = self.portal.get(path)
        assert response.status_code == 303, response.text
        return response.location or ""

    def back(self, address: str, **answer: str) -> str:
        """Answer on the provider's page: the path of the portal's callback."""
        response = self.provider.post(address, data=answer or {"person": ADA})
        assert response.status_code == 302, response.text
        return path_of(response.location)

    def sign_in(self, path: str = "/login/sandbox", **answer: str) -> TestResponse:
        """The whole way; the answer is the callback's."""
        return self.portal.get(self.back(self.to_provider(path), **answer))

    def csrf_token(self, page: str = "/login") -> str:
        """The token of a form on a page; every page carries one."""
        found = re.search(r'"X-CSRFToken": "([^"]+)"', self.portal.get(page).text)
        assert found
        return found[1]

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form with its token."""
        return self.portal.post(path, data={"csrf_token": self.csrf_token(), **form})


@dataclass
class Visitor:
    """One browser of a portal with two providers, with the cookies of all three sites."""

    cognito: Browser
    google: Browser


def signed_in_as(app: Flask, subject: str, *, email: str = "", site: str = "localhost") -> FlaskClient:
    """A browser that has signed in, without the way to the provider."""
    client = app.test_client()
    with app.test_request_context():
        from portal.web.session_cookie import set_token
        from portal.wiring import services

        claims = VerifiedIdentity(
            provider="sandbox",
            issuer=ISSUER,
            subject=subject,
            name=subject,
            email=email,
            is_email_verified=True,
        )
        response = set_token(app.response_class(), services().access.sign_in(claims).token)
    cookie = re.match(rf"{COOKIE}=([^;]+)", response.headers["Set-Cookie"])
    assert cookie
    client.set_cookie(COOKIE, cookie[1], domain=site)
    return client
