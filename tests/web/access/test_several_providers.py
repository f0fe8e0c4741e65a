"""Two providers side by side, as Amazon Cognito and Google answer: the same people, and never mixed up."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.models import Identity
from portal.services.affiliates import AffiliateData
from portal.services.journal import Cause
from portal.wiring import services, session
from tests.fakes.real_providers import (
    GOOGLE_ISSUER,
    OF_COGNITO,
    OF_GOOGLE,
    POOL,
    POOL_DOMAIN,
    SHARED_SUBJECT,
    answering,
    cognito,
    google,
)
from tests.web.access.journey import Browser, Visitor, changed

pytestmark = pytest.mark.settings(**OF_COGNITO, **OF_GOOGLE)

TRUSTED = {"PORTAL_OIDC_COGNITO_TRUST_EMAIL": "true", "PORTAL_OIDC_GOOGLE_TRUST_EMAIL": "true"}
ADA = {"person": SHARED_SUBJECT}
CHLOE = {"person": "person-chloe"}


def identities(app: Flask) -> list[Identity]:
    with app.app_context():
        return list(session.scalars(sa.select(Identity).order_by(Identity.email, Identity.issuer)))


def affiliate_waiting_for(app: Flask, email: str) -> None:
    """One that the host business has created beforehand."""
    with app.app_context():
        services().affiliates.put(
            "ana", AffiliateData(email=email, currency="usd"), cause=Cause.system("a test")
        )


class TestSideBySide:
    def test_the_sign_in_page_has_a_link_for_each(self, visitor: Visitor) -> None:
        page = visitor.cognito.portal.get("/login?next=/payouts").text
        assert "Sign in with Example Partners" in page
        assert "Sign in with Google" in page
        for name in ("cognito", "google", "sandbox"):
            assert f'href="/login/{name}?next=/payouts"' in page

    def test_each_is_asked_at_its_own_address_as_its_own_client(self, visitor: Visitor) -> None:
        to_pool, to_google = (
            visitor.cognito.to_provider("/login/cognito"),
            visitor.google.to_provider("/login/google"),
        )
        assert to_pool.startswith(f"{POOL_DOMAIN}/authorize?")
        assert "client_id=cognito-app-client" in to_pool
        assert to_google.startswith(f"{GOOGLE_ISSUER}/authorize?")
        assert "client_id=123.apps.googleusercontent.com" in to_google

    def test_one_subject_at_two_issuers_is_two_people(self, app: Flask, visitor: Visitor) -> None:
        assert visitor.cognito.sign_in("/login/cognito", **ADA).status_code == 303
        visitor.cognito.post("/affiliate")
        assert visitor.google.sign_in("/login/google", **ADA).location == "/affiliate"
        of_google, of_pool = identities(app)
        assert (of_pool.issuer, of_google.issuer) == (POOL, GOOGLE_ISSUER)
        assert of_pool.subject == of_google.subject == SHARED_SUBJECT
        assert of_pool.user_id != of_google.user_id

    def test_both_sign_ins_may_be_under_way_in_one_browser(self, visitor: Visitor) -> None:
        to_pool, to_google = (
            visitor.cognito.to_provider("/login/cognito"),
            visitor.google.to_provider("/login/google"),
        )
        from_google = visitor.google.back(to_google, **ADA)
        from_pool = visitor.cognito.back(to_pool, **ADA)
        assert visitor.cognito.portal.get(from_pool).status_code == 303
        # a sign-in that succeeded leaves nothing of the others behind
        assert visitor.google.portal.get(from_google).status_code == 400

    def test_one_that_is_away_keeps_nobody_from_the_other(self, app: Flask, goog: Flask) -> None:
        def nobody(environ: object, start_response: object) -> list[bytes]:
            raise ConnectionError("refused")

        portal = app.test_client()
        with answering(nobody, goog):  # type: ignore[arg-type]
            away = portal.get("/login/cognito")
            assert away.status_code == 503
            assert "Example Partners does not answer right now" in away.text
            assert "Sign in with Google" in away.text
            assert Browser(portal, goog.test_client()).sign_in("/login/google", **ADA).status_code == 303


class TestNeverMixedUp:
    @pytest.mark.parametrize(("one", "other"), [("cognito", "google"), ("google", "cognito")])
    def test_an_answer_at_the_others_address_is_refused(self, visitor: Visitor, one: str, other: str) -> None:
        browser: Browser = getattr(visitor, one)
        way_back = browser.back(browser.to_provider(f"/login/{one}"), **ADA)
        misled = browser.portal.get(way_back.replace(f"/auth/{one}/", f"/auth/{other}/"))
        assert misled.status_code == 400
        assert "Your sign-in took too long. Try again." in misled.text
        assert browser.portal.get("/affiliate").status_code == 303

    def test_an_answer_with_the_state_of_a_sign_in_at_the_other_is_refused(self, visitor: Visitor) -> None:
        """The classical mix-up: somebody begins at one, and is made to answer with the other's code."""
        begun = visitor.cognito.to_provider("/login/cognito")
        from_google = visitor.google.back(visitor.google.to_provider("/login/google"), **ADA)
        from_pool = visitor.cognito.back(begun, **ADA)
        state = from_pool.partition("state=")[2].partition("&")[0]
        mixed = changed(from_google, state=state).replace("/auth/google/", "/auth/cognito/")
        assert "iss=https" in mixed
        assert visitor.cognito.portal.get(mixed).status_code == 400
        assert visitor.cognito.portal.get(changed(mixed, iss=None)).status_code == 400
        assert visitor.cognito.portal.get("/affiliate").status_code == 303

    def test_an_answer_that_names_nobody_is_refused_where_the_provider_promises_to(
        self, visitor: Visitor
    ) -> None:
        way_back = visitor.google.back(visitor.google.to_provider("/login/google"), **ADA)
        assert visitor.google.portal.get(changed(way_back, iss=None)).status_code == 400

    @pytest.mark.parametrize("names_itself", [True, False])
    def test_google_signs_people_in_whether_it_names_itself_or_not(
        self, app: Flask, pool: Flask, names_itself: bool
    ) -> None:
        goog = google(names_itself=names_itself)
        with answering(pool, goog):
            browser = Browser(app.test_client(), goog.test_client())
            assert browser.sign_in("/login/google", **ADA).status_code == 303

    @pytest.mark.settings(PORTAL_OPERATORS=f"cognito:{SHARED_SUBJECT}")
    def test_an_operator_of_one_is_nobody_special_at_the_other(self, visitor: Visitor) -> None:
        visitor.google.sign_in("/login/google", **ADA)
        assert visitor.google.portal.get("/operator/").status_code == 404
        visitor.cognito.sign_in("/login/cognito", **ADA)
        assert visitor.cognito.portal.get("/operator/").status_code == 200


class TestWhatTheyTell:
    def test_somebody_without_a_name_in_the_pool_is_called_by_their_e_mail(self, visitor: Visitor) -> None:
        visitor.cognito.sign_in("/login/cognito", **ADA)
        assert "<bdi>ada@example.com</bdi>" in visitor.cognito.portal.get("/affiliate").text

    def test_the_identity_is_the_subject_and_not_the_username(self, app: Flask, visitor: Visitor) -> None:
        visitor.cognito.sign_in("/login/cognito", **ADA)
        (identity,) = identities(app)
        assert (identity.issuer, identity.subject) == (POOL, SHARED_SUBJECT)

    @pytest.mark.settings(PORTAL_OPERATORS="cognito:ada-the-partner", **TRUSTED)
    def test_an_operator_is_not_named_by_the_username_of_the_pool(self, visitor: Visitor) -> None:
        visitor.cognito.sign_in("/login/cognito", **ADA)
        assert visitor.cognito.portal.get("/operator/").status_code == 404

    @pytest.mark.settings(**TRUSTED)
    def test_a_verified_address_claims_the_waiting_affiliate_once_wherever_it_comes_from(
        self, app: Flask, visitor: Visitor
    ) -> None:
        affiliate_waiting_for(app, "Ada@Example.com")
        visitor.cognito.sign_in("/login/cognito", **ADA)
        assert 'data-affiliate-code="ana"' in visitor.cognito.portal.get("/dashboard").text
        visitor.google.sign_in("/login/google", **ADA)
        assert visitor.google.portal.get("/dashboard").location == "/affiliate"

    @pytest.mark.settings(PORTAL_OIDC_GOOGLE_TRUST_EMAIL="true")
    def test_an_address_is_only_worth_something_where_it_is_trusted(
        self, app: Flask, visitor: Visitor
    ) -> None:
        affiliate_waiting_for(app, "ada@example.com")
        visitor.cognito.sign_in("/login/cognito", **ADA)
        assert visitor.cognito.portal.get("/dashboard").location == "/affiliate"
        visitor.google.sign_in("/login/google", **ADA)
        assert 'data-affiliate-code="ana"' in visitor.google.portal.get("/dashboard").text


class TestWhetherAnAddressIsVerified:
    """A boolean of whoever names the address; the text "true" from a userinfo endpoint alone."""

    @pytest.mark.parametrize(
        ("in_id_token", "at_userinfo", "is_verified"),
        [
            pytest.param({"email": True, "says": True}, {}, True, id="the token says so"),
            pytest.param({"email": True, "says": "true"}, {}, False, id="the token says so as a text"),
            pytest.param({"email": True, "says": 1}, {}, False, id="the token says one"),
            pytest.param(
                {"email": True}, {"email": True, "says": "true"}, False, id="userinfo of the token's"
            ),
            pytest.param({"says": True}, {"email": True}, False, id="the token of userinfo's"),
            pytest.param({}, {"email": True, "says": "true"}, True, id="userinfo says so as a text"),
            pytest.param({}, {"email": True, "says": True}, True, id="userinfo says so"),
            pytest.param({}, {"email": True, "says": "True"}, False, id="userinfo in capitals"),
            pytest.param({}, {"email": True, "says": "false"}, False, id="userinfo denies it as a text"),
            pytest.param({}, {"says": "true"}, False, id="nobody names an address"),
        ],
    )
    def test_only_who_names_it_can_vouch_for_it(
        self,
        app: Flask,
        goog: Flask,
        in_id_token: dict[str, Any],
        at_userinfo: dict[str, Any],
        is_verified: bool,
    ) -> None:
        def told(said: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
            kept = {
                name: value
                for name, value in claims.items()
                if name not in {"name", "email_verified", *(() if "email" in said else ("email",))}
            }
            return kept | ({"email_verified": said["says"]} if "says" in said else {})

        pool = cognito(
            has_spare_key=False,
            in_id_token=lambda claims: told(in_id_token, claims),
            at_userinfo=lambda claims: told(at_userinfo, claims),
        )
        with answering(pool, goog):
            assert (
                Browser(app.test_client(), pool.test_client()).sign_in("/login/cognito", **ADA).status_code
                == 303
            )
        (identity,) = identities(app)
        assert identity.is_email_verified is is_verified

    @pytest.mark.parametrize("name", ["cognito", "google"])
    def test_as_they_really_answer(self, app: Flask, visitor: Visitor, name: str) -> None:
        browser: Browser = getattr(visitor, name)
        browser.sign_in(f"/login/{name}", **ADA)
        browser.sign_in(f"/login/{name}", **CHLOE)
        assert [(each.email, each.is_email_verified) for each in identities(app)] == [
            ("ada@example.com", True),
            ("chloe@example.com", False),
        ]
