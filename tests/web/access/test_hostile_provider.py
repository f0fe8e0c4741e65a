"""An answer that does not prove who the person is signs nobody in, whatever is wrong with it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.sandbox.signing_key import SigningKey
from tests.fakes.wsgi_requests import answered_by
from tests.web.access.journey import ISSUER, Browser, changed

Claims = dict[str, Any]
Change = Callable[[dict[str, Any]], None]


def unchanged(_answer: Claims) -> None:
    """The truth, signed again."""


class Liar:
    """The stand-in's provider, whose answers a test changes on their way out."""

    def __init__(self) -> None:
        self.app = create_sandbox(SandboxConfig())
        self.key = SigningKey(self.app.extensions["sandbox"].store).private
        self._changes: dict[str, Change] = {}
        self.app.after_request(self._lie)

    def says(self, path: str, change: Change) -> None:
        """Change the JSON that the provider answers at one of its paths."""
        self._changes[f"/oidc{path}"] = change

    def claims(self, change: Change, *, key: Any = None, algorithm: str = "RS256") -> None:
        """Change the claims of its ID tokens, and sign them again."""

        def lie(answer: dict[str, Any]) -> None:
            claims = json.loads(base64.urlsafe_b64decode(answer["id_token"].split(".")[1] + "=="))
            change(claims)
            signer = key or self.key
            header = {"alg": algorithm, "kid": self.key.kid}
            answer["id_token"] = jwt.encode(header, claims, signer, algorithms=[algorithm])

        self.says("/token", lie)

    def _lie(self, response: Response) -> Response:
        change = self._changes.get(request.path)
        if change is not None and response.is_json:
            answer = response.get_json()
            change(answer)
            response.set_data(json.dumps(answer))
        return response


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
def browser(app: Flask, liar: Liar) -> Iterator[Browser]:
    with answered_by(liar.app, at="http://127.0.0.1:5001/"):
        yield Browser(app.test_client(), liar.app.test_client())


def assert_nobody_is_signed_in(browser: Browser, *, status: int) -> None:
    response = browser.sign_in()
    assert response.status_code == status
    assert "Nothing was changed." in response.text
    assert browser.portal.get("/affiliate").status_code == 303


def test_the_liar_signs_people_in_while_it_does_not_lie(browser: Browser, liar: Liar) -> None:
    liar.claims(unchanged)
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"nonce": "another"}, id="the nonce of another sign-in"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"aud": "another-client"}, id="made for another client"),
        pytest.param({"aud": ["another-client"], "azp": "portal"}, id="made for another client in our name"),
        pytest.param({"iss": "https://evil.example"}, id="of another issuer"),
        pytest.param({"exp": int(time.time()) - 3_600}, id="expired"),
        pytest.param({"exp": None}, id="valid for ever"),
        pytest.param({"sub": None}, id="about nobody"),
        pytest.param({"sub": ""}, id="about an empty subject"),
        pytest.param({"sub": 17}, id="about a number"),
        pytest.param({"sub": "a" * 256}, id="about too long a subject"),
        pytest.param({"auth_time": ""}, id="of a sign-in at no time"),
        pytest.param({"auth_time": True}, id="of a sign-in at a truth"),
        pytest.param({"auth_time": 1e300}, id="of a sign-in after the end of time"),
    ],
)
def test_an_id_token_with_wrong_claims_is_refused(browser: Browser, liar: Liar, change: Claims) -> None:
    def lie(claims: Claims) -> None:
        claims.update({name: value for name, value in change.items() if value is not None})
        for name in [name for name, value in change.items() if value is None]:
            del claims[name]

    liar.claims(lie)
    assert_nobody_is_signed_in(browser, status=400)


def test_an_id_token_of_another_key_is_refused(browser: Browser, liar: Liar) -> None:
    liar.claims(unchanged, key=RSAKey.generate_key(2048))
    assert_nobody_is_signed_in(browser, status=400)


def test_an_id_token_signed_with_the_shared_secret_is_refused(browser: Browser, liar: Liar) -> None:
    secret = OctKey.import_key("sandbox-client-secret-made-longer")
    liar.claims(unchanged, key=secret, algorithm="HS256")
    liar.says("/.well-known/openid-configuration", lambda document: document.update(
        id_token_signing_alg_values_supported=["HS256", "none"]
    ))  # fmt: skip
    assert_nobody_is_signed_in(browser, status=400)


def test_an_id_token_that_nobody_signed_is_refused(browser: Browser, liar: Liar) -> None:
    def lie(answer: dict[str, Any]) -> None:
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        answer["id_token"] = f"{header}.{answer['id_token'].split('.')[1]}."

    liar.says("/token", lie)
    assert_nobody_is_signed_in(browser, status=400)


def test_an_answer_without_an_id_token_is_no_sign_in(browser: Browser, liar: Liar) -> None:
    liar.says("/token", lambda answer: answer.pop("id_token"))
    assert_nobody_is_signed_in(browser, status=400)


def test_an_id_token_that_is_none_is_refused(browser: Browser, liar: Liar) -> None:
    liar.says("/token", lambda answer: answer.update(id_token="a.b.c"))
    assert_nobody_is_signed_in(browser, status=400)


@pytest.mark.parametrize("named", [None, "https://evil.example"], ids=["leaves it out", "names another"])
def test_an_answer_must_name_its_issuer_where_the_provider_promises_to(
    browser: Browser, named: str | None
) -> None:
    way_back = browser.back(browser.to_provider())
    assert browser.portal.get(changed(way_back, iss=named)).status_code == 400
    assert browser.portal.get("/affiliate").status_code == 303


def test_an_issuer_named_without_a_promise_is_compared_too(browser: Browser, liar: Liar) -> None:
    def lie(document: dict[str, Any]) -> None:
        del document["authorization_response_iss_parameter_supported"]

    liar.says("/.well-known/openid-configuration", lie)
    way_back = browser.back(browser.to_provider())
    assert browser.portal.get(changed(way_back, iss="https://evil.example")).status_code == 400
    way_back = browser.back(browser.to_provider())
    assert browser.portal.get(changed(way_back, iss=None)).status_code == 303


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"issuer": f"{ISSUER}/"}, id="another issuer, by a slash"),
        pytest.param({"issuer": "https://evil.example"}, id="another issuer"),
        pytest.param({"token_endpoint": None}, id="no token endpoint"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, id="keys from a file"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="a script as sign-in page"),
    ],
)
def test_a_discovery_document_that_is_not_the_issuers_own_leads_nowhere(
    browser: Browser, liar: Liar, document: Claims
) -> None:
    liar.says("/.well-known/openid-configuration", lambda real: real.update(document))
    response = browser.portal.get("/login/sandbox")
    assert response.status_code == 503
    assert "does not answer right now" in response.text


def test_userinfo_about_somebody_else_signs_nobody_in(browser: Browser, liar: Liar) -> None:
    liar.claims(lambda claims: claims.pop("email"))
    liar.says("/userinfo", lambda claims: claims.update(sub="somebody-else"))
    assert_nobody_is_signed_in(browser, status=400)


def test_what_the_id_token_leaves_out_is_taken_from_userinfo(browser: Browser, liar: Liar) -> None:
    def lie(claims: Claims) -> None:
        del claims["email"], claims["name"]

    liar.claims(lie)
    assert browser.sign_in().status_code == 303
    assert "ada@example.com" in browser.portal.get("/affiliate").text
