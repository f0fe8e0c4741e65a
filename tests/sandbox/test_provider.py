"""The identity provider: OpenID Connect with PKCE, as a strict provider does it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.sandbox.config import ConfigurationError, Person
from portal.sandbox.manners import Manners
from portal.sandbox.people import read_people
from tests.sandbox.conftest import PORTAL, MakeStand, Stand
from tests.sandbox.sign_in import CALLBACK, ISSUER, VERIFIER, SignIn


def test_discovery_names_what_the_provider_does(stand: Stand) -> None:
    document = stand.browser.get("/oidc/.well-known/openid-configuration").get_json()
    assert document["issuer"] == ISSUER
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    for name in ("authorization", "token", "userinfo", "end_session"):
        assert document[f"{name}_endpoint"].startswith(f"{ISSUER}/")


def test_the_key_set_shows_the_public_half_alone(stand: Stand) -> None:
    (key,) = stand.browser.get("/oidc/jwks").get_json()["keys"]
    assert key["kty"] == "RSA"
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


def test_a_person_is_picked_and_signed_in(stand: Stand) -> None:
    sign_in = SignIn(stand)
    assert "Ada Affiliate" in stand.browser.get(sign_in.url()).text
    back = sign_in.press(person="person-ada")
    assert (back["state"], back["iss"]) == ("a-state", ISSUER)
    tokens = sign_in.exchange(back["code"]).get_json()
    claims = sign_in.claims(tokens["id_token"])
    assert claims["iss"] == ISSUER
    assert claims["aud"] in ("portal", ["portal"])
    assert claims["nonce"] == "a-nonce"
    assert claims["sub"] == "person-ada"
    assert (claims["email"], claims["email_verified"], claims["name"]) == (
        "ada@example.com",
        True,
        "Ada Affiliate",
    )
    assert claims["iat"] <= time.time() + 1 < claims["exp"]
    answer = stand.browser.get(
        "/oidc/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert answer.get_json()["sub"] == "person-ada"


def test_the_secret_may_come_in_the_form_but_not_be_wrong_or_missing(stand: Stand) -> None:
    sign_in = SignIn(stand)
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "portal",
    }
    for secret, status in (("wrong", 401), (None, 401), ("sandbox-client-secret", 200)):
        code = sign_in.press(person="person-ada")["code"]
        given = {**form, "code": code} | ({"client_secret": secret} if secret else {})
        answer = stand.browser.post("/oidc/token", data=given)
        assert answer.status_code in ((status,) if status == 200 else (400, 401))
        assert ("id_token" in answer.get_json()) == (status == 200)


def test_a_code_works_once(stand: Stand) -> None:
    sign_in = SignIn(stand)
    code = sign_in.press(person="person-ada")["code"]
    assert sign_in.exchange(code).status_code == 200
    again = sign_in.exchange(code)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", [None, "another-verifier-of-forty-three-characters-or-more", "short"])
def test_the_wrong_verifier_gets_nothing_and_uses_the_code_up(stand: Stand, verifier: str | None) -> None:
    sign_in = SignIn(stand)
    code = sign_in.press(person="person-ada")["code"]
    assert sign_in.exchange(code, code_verifier=verifier).status_code == 400
    assert sign_in.exchange(code).get_json()["error"] == "invalid_grant"


def test_the_redirect_address_of_the_exchange_has_to_be_the_same(stand: Stand) -> None:
    sign_in = SignIn(stand)
    code = sign_in.press(person="person-ada")["code"]
    assert sign_in.exchange(code, redirect_uri=f"{PORTAL}/auth/demo/callback").status_code == 400


def test_a_code_grows_old(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in = SignIn(stand)
    code = sign_in.press(person="person-ada")["code"]
    issued_at = time.time()
    monkeypatch.setattr(time, "time", lambda: issued_at + 301)
    assert sign_in.exchange(code).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_a_request_against_the_rules_goes_back_with_its_error(
    stand: Stand, params: dict[str, str | None], error: str
) -> None:
    answer = stand.browser.get(SignIn(stand, params).url())
    assert answer.status_code == 302
    back = parse_qs(urlsplit(str(answer.location)).query)
    assert back["error"] == [error]
    assert back["state"] == ["a-state"]
    assert back["iss"] == [ISSUER]


@pytest.mark.parametrize(
    "params",
    [
        {"redirect_uri": f"{CALLBACK}/more"},
        {"redirect_uri": f"{CALLBACK}?more=1"},
        {"redirect_uri": "https://elsewhere.example/callback"},
        {"redirect_uri": 'javascript:alert("1")'},
        {"redirect_uri": None},
        {"client_id": "somebody-else"},
        {"client_id": None},
    ],
)
def test_an_address_that_is_not_registered_is_never_redirected_to(
    stand: Stand, params: dict[str, str | None]
) -> None:
    for answer in (
        stand.browser.get(SignIn(stand, params).url()),
        stand.browser.post(SignIn(stand, params).url(), data={"person": "person-ada"}),
    ):
        assert answer.status_code == 400
        assert answer.location is None


def test_cancel_is_access_denied(stand: Stand) -> None:
    back = SignIn(stand).press(cancel="true")
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "a-state", ISSUER)
    assert "code" not in back


def auth_time(sign_in: SignIn, answer: str) -> int:
    code = parse_qs(urlsplit(answer).query)["code"][0]
    return int(sign_in.claims(sign_in.exchange(code).get_json()["id_token"])["auth_time"])


def test_who_is_known_is_let_in_with_the_time_of_then_unless_that_is_too_long_ago_or_asking_is_wanted(
    make_stand: MakeStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = make_stand(manners=Manners(remembers=True))
    picked_at = int(time.time())
    SignIn(stand).press(person="person-ada")
    monkeypatch.setattr(time, "time", lambda: picked_at + 100)
    sign_in = SignIn(stand)
    assert auth_time(sign_in, str(stand.browser.get(sign_in.url()).location)) <= picked_at + 1
    for params in ({"max_age": "99"}, {"max_age": "0"}, {"prompt": "login"}):
        assert "Who are you?" in stand.browser.get(SignIn(stand, dict(params)).url()).text
    assert stand.browser.get(SignIn(stand, {"max_age": "200"}).url()).status_code == 302
    silent = stand.browser.get(SignIn(stand, {"max_age": "99", "prompt": "none"}).url())
    assert "error=login_required" in str(silent.location)


def test_someone_new_is_remembered(stand: Stand) -> None:
    sign_in = SignIn(stand)
    back = sign_in.press(name="Nora New", email="nora@example.com")
    claims = sign_in.claims(sign_in.exchange(back["code"]).get_json()["id_token"])
    assert (claims["name"], claims["email"], claims["email_verified"]) == (
        "Nora New",
        "nora@example.com",
        False,
    )
    again = sign_in.press(person=claims["sub"])
    assert sign_in.claims(sign_in.exchange(again["code"]).get_json()["id_token"])["sub"] == claims["sub"]
    assert "Nora New" in stand.browser.get(sign_in.url()).text


@pytest.mark.parametrize(
    "form",
    [{"name": "", "email": "a@example.com"}, {"name": "A", "email": "nowhere"}, {"person": "nobody"}, {}],
)
def test_nobody_in_particular_is_asked_again(stand: Stand, form: dict[str, str]) -> None:
    answer = stand.browser.post(SignIn(stand).url(), data=form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_a_made_up_access_token_or_cookie_is_nobody(stand: Stand) -> None:
    answer = stand.browser.get("/oidc/userinfo", headers={"Authorization": "Bearer made-up"})
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]
    stand.browser.set_cookie("sandbox_idp", "made-up", path="/oidc")
    assert stand.browser.get(SignIn(stand).url()).status_code == 200


def test_the_page_has_no_script_and_a_name_that_escapes(make_stand: MakeStand) -> None:
    stand = make_stand(people=(Person("p", "<script>alert(1)</script>", "p@example.com"),))
    page = stand.browser.get(SignIn(stand).url()).text
    assert "<script" not in page
    assert len(re.findall("<h1", page)) == 1


@pytest.mark.parametrize(
    "text",
    ["no json", "{}", '[{"sub": "a"}]', '[{"sub": "a", "name": "A", "email": "a@b.c", "email_verified": 1}]'],
)
def test_a_list_of_people_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "people.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="people"):
        read_people(file)
