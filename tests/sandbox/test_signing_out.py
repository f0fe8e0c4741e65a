"""Signing out at the identity provider, by the standard and by the manners of real ones."""

from __future__ import annotations

import pytest

from portal.sandbox.manners import Manners
from tests.fakes.real_providers import COGNITO, GOOGLE, POOL, POOL_DOMAIN
from tests.sandbox.conftest import PORTAL, MakeStand, Stand
from tests.sandbox.sign_in import SignIn

SIGN_OUT = {"client_id": "portal", "post_logout_redirect_uri": f"{PORTAL}/login"}


def test_signing_out_forgets_the_person_and_goes_back_to_the_portal(stand: Stand) -> None:
    sign_in = SignIn(stand)
    sign_in.press(person="person-ada")
    cookie = stand.browser.get_cookie("sandbox_idp", path="/oidc")
    assert cookie is not None
    assert cookie.http_only
    silent = SignIn(stand, {"prompt": "none"})
    assert "code=" in str(stand.browser.get(silent.url()).location)
    answer = stand.browser.get("/oidc/end_session", query_string=SIGN_OUT)
    assert (answer.status_code, answer.location) == (303, f"{PORTAL}/login")
    assert stand.browser.get_cookie("sandbox_idp", path="/oidc") is None
    assert "login_required" in str(stand.browser.get(silent.url()).location)


@pytest.mark.parametrize(
    "changed",
    [
        {"post_logout_redirect_uri": "https://elsewhere.example/"},
        {"post_logout_redirect_uri": f"{PORTAL}/login/more"},
        {"client_id": "somebody-else"},
        {"client_id": ""},
    ],
)
def test_nobody_is_sent_on_from_signing_out_for_a_client_or_to_an_address_that_is_not_registered(
    stand: Stand, changed: dict[str, str]
) -> None:
    answer = stand.browser.get("/oidc/end_session", query_string={**SIGN_OUT, **changed})
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


def test_the_state_of_signing_out_is_given_back(stand: Stand) -> None:
    answer = stand.browser.get("/oidc/end_session", query_string={**SIGN_OUT, "state": "a-state"})
    assert answer.location == f"{PORTAL}/login?state=a-state"


def test_a_provider_that_asks_first_signs_out_by_its_button(make_stand: MakeStand) -> None:
    stand = make_stand(manners=Manners(asks_before_signing_out=True))
    SignIn(stand).press(person="person-ada")
    asks = stand.browser.get("/oidc/end_session", query_string=SIGN_OUT)
    assert (asks.status_code, "Sign out here too?" in asks.text) == (200, True)
    assert stand.browser.get_cookie("sandbox_idp", path="/oidc") is not None
    done = stand.browser.post("/oidc/end_session", query_string=SIGN_OUT)
    assert (done.status_code, done.location) == (303, f"{PORTAL}/login")
    assert stand.browser.get_cookie("sandbox_idp", path="/oidc") is None


def test_a_provider_like_cognito_keeps_to_its_own_words(make_stand: MakeStand) -> None:
    """https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html"""
    stand = make_stand(manners=COGNITO)
    path = "/eu-central-1_Example"
    document = stand.browser.get(f"{path}/.well-known/openid-configuration").get_json()
    assert document["issuer"] == POOL
    assert document["end_session_endpoint"] == f"{POOL_DOMAIN}/end_session"
    assert "authorization_response_iss_parameter_supported" not in document
    assert len(stand.browser.get(f"{path}/jwks").get_json()["keys"]) == 2
    refused = stand.browser.get("/end_session", query_string=SIGN_OUT)
    assert (refused.status_code, "Location" in refused.headers) == (400, False)
    out = {"client_id": "portal", "logout_uri": f"{PORTAL}/login"}
    assert stand.browser.get("/end_session", query_string=out).location == f"{PORTAL}/login"


def test_a_provider_like_google_has_no_way_out(make_stand: MakeStand) -> None:
    stand = make_stand(manners=GOOGLE)
    document = stand.browser.get("/.well-known/openid-configuration").get_json()
    assert document["issuer"] == "https://accounts.google.com"
    assert "end_session_endpoint" not in document
    assert stand.browser.get("/end_session").status_code == 404
