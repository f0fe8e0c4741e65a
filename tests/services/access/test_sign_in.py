"""People come in by their identity, and their sessions end when they should."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from portal.models import Affiliate, Identity, SignInSession, User
from portal.models.base import Database
from portal.services.access import IDLE_HOURS, SESSION_DAYS, Access
from portal.services.people import SignedIn, VerifiedIdentity
from portal.services.tokens import sha256
from tests.clocks import MovableClock
from tests.services.access.people import ANA, count, rows


class TestSignIn:
    def test_a_person_is_issuer_and_subject_whatever_the_e_mail_says(self, access: Access) -> None:
        first = access.sign_in(ANA)
        again = access.sign_in(replace(ANA, email="ana@elsewhere.example", name="Ana María"))
        assert (first.is_new, again.is_new) == (True, False)
        assert again.user_id == first.user_id
        user = access.resolve(again.token)
        assert user is not None
        assert (user.name, user.email) == ("Ana María", "ana@elsewhere.example")

    @pytest.mark.parametrize(
        "other",
        [replace(ANA, subject="ana-2"), replace(ANA, issuer="https://other.example", provider="other")],
        ids=["another subject", "another issuer"],
    )
    def test_the_same_e_mail_from_somebody_else_is_somebody_else(
        self, trusting: Access, other: VerifiedIdentity
    ) -> None:
        assert trusting.sign_in(ANA).user_id != trusting.sign_in(other).user_id

    def test_the_database_never_holds_what_opens_a_session(self, access: Access, database: Database) -> None:
        token = access.sign_in(ANA).token
        assert len(token) == 43
        assert token not in str(rows(database, sa.select(*SignInSession.__table__.columns)))

    def test_a_new_sign_in_makes_a_new_session_and_ends_the_one_it_replaces(self, access: Access) -> None:
        old = access.sign_in(ANA)
        new = access.sign_in(ANA, replaces=old.token)
        assert access.resolve(old.token) is None
        assert access.resolve(new.token) is not None

    def test_a_hostile_name_is_cut_and_cleaned(self, access: Access) -> None:
        token = access.sign_in(replace(ANA, name="A\x00n\na" + "x" * 500)).token
        user = access.resolve(token)
        assert user is not None
        assert user.name == "Ana" + "x" * 197

    def test_a_first_sign_in_from_two_browsers_at_once_makes_one_person(
        self, access: Access, database: Database
    ) -> None:
        all_there = Barrier(4)

        def arrive(_number: int) -> SignedIn:
            access.resolve("nobody's")  # connected before the others are waited for
            all_there.wait(timeout=20)
            return access.sign_in(ANA)

        with ThreadPoolExecutor(4) as browsers:
            signed_in = list(browsers.map(arrive, range(4)))
        assert len({each.user_id for each in signed_in}) == 1
        assert (count(database, User), count(database, Identity)) == (1, 1)


class TestSessions:
    def test_signing_out_ends_the_session_for_every_copy_of_its_token(self, access: Access) -> None:
        token = access.sign_in(ANA).token
        access.sign_out(token)
        assert access.resolve(token) is None

    def test_signing_out_everywhere_ends_all_sessions_of_one_person(self, access: Access) -> None:
        here, there = access.sign_in(ANA), access.sign_in(ANA)
        else_ = access.sign_in(replace(ANA, subject="bo"))
        assert access.sign_out_everywhere(here.user_id) == 2
        assert [access.resolve(each.token) for each in (here, there)] == [None, None]
        assert access.resolve(else_.token) is not None

    def test_signing_out_everywhere_else_leaves_the_one_that_is_named(self, access: Access) -> None:
        here, there = access.sign_in(ANA), access.sign_in(ANA)
        user = access.resolve(here.token)
        assert user is not None
        assert access.sign_out_everywhere(here.user_id, but=user.session_id) == 1
        assert access.resolve(here.token) is not None
        assert access.resolve(there.token) is None

    def test_open_sessions_are_the_persons_own_that_still_live_the_last_used_first(
        self, access: Access, clock: MovableClock
    ) -> None:
        access.sign_in(ANA)  # and left idle
        clock.advance(hours=IDLE_HOURS)
        ended = access.sign_in(ANA)
        access.sign_out(ended.token)
        older = access.sign_in(ANA)
        clock.advance(hours=1)
        newer = access.sign_in(ANA)
        access.sign_in(replace(ANA, subject="bo"))
        ids = [each.token_sha256 for each in access.sessions(older.user_id)]
        assert ids == [sha256(newer.token), sha256(older.token)]
        clock.advance(minutes=2)
        access.resolve(older.token)
        sessions = access.sessions(older.user_id)
        assert [each.token_sha256 for each in sessions] == ids[::-1]
        assert sessions[0].last_seen_at - sessions[0].created_at == timedelta(hours=1, minutes=2)

    def test_a_session_left_idle_for_a_day_is_over(self, access: Access, clock: MovableClock) -> None:
        token = access.sign_in(ANA).token
        clock.advance(hours=IDLE_HOURS, seconds=1)
        assert access.resolve(token) is None

    def test_a_page_that_asks_by_itself_keeps_no_session_alive(
        self, access: Access, clock: MovableClock
    ) -> None:
        token = access.sign_in(ANA).token
        for _ in range(2):
            clock.advance(hours=IDLE_HOURS / 2)
            assert access.resolve(token, is_click=False) is not None
        clock.advance(seconds=1)
        assert access.resolve(token, is_click=False) is None

    def test_a_session_in_daily_use_is_over_after_two_weeks(
        self, access: Access, clock: MovableClock
    ) -> None:
        token = access.sign_in(ANA).token
        for _ in range(SESSION_DAYS):
            assert access.resolve(token) is not None
            clock.advance(hours=23, minutes=59)
        assert access.resolve(token) is not None
        clock.advance(minutes=14)
        assert access.resolve(token) is None

    def test_last_seen_is_written_at_most_once_a_minute(
        self, access: Access, database: Database, clock: MovableClock
    ) -> None:
        token = access.sign_in(ANA).token
        before = str(rows(database, sa.select(*SignInSession.__table__.columns)))
        clock.advance(seconds=59)
        access.resolve(token)
        assert str(rows(database, sa.select(*SignInSession.__table__.columns))) == before
        clock.advance(seconds=2)
        access.resolve(token)
        assert str(rows(database, sa.select(*SignInSession.__table__.columns))) != before

    @pytest.mark.parametrize("token", ["", "x", "ü" * 40, "x" * 10_000])
    def test_a_made_up_token_is_nobody(self, access: Access, token: str) -> None:
        access.sign_in(ANA)
        assert access.resolve(token) is None


class TestClaims:
    @pytest.fixture
    def waiting(self, database: Database, clock: MovableClock) -> str:
        """An affiliate whom the host business created for Ana's address."""
        return self.create(database, clock, "ana")

    def create(
        self, database: Database, clock: MovableClock, code: str, email: str = "Ana@example.com"
    ) -> str:
        with database() as session:
            session.add(
                Affiliate(code=code, email=email, country="US", currency="usd", created_at=clock.now())
            )
            session.commit()
        return code

    def owner(self, database: Database, code: str) -> object:
        return rows(database, sa.select(Affiliate.user_id).where(Affiliate.code == code))[0][0]

    def test_a_trusted_verified_e_mail_claims_the_one_affiliate_that_waits_for_it(
        self, trusting: Access, database: Database, waiting: str
    ) -> None:
        assert self.owner(database, waiting) is None
        signed_in = trusting.sign_in(ANA)
        assert self.owner(database, waiting) == signed_in.user_id

    def test_an_e_mail_that_is_not_trusted_claims_nothing(
        self, access: Access, database: Database, waiting: str
    ) -> None:
        access.sign_in(ANA)
        assert self.owner(database, waiting) is None

    def test_an_e_mail_that_is_not_verified_claims_nothing(
        self, trusting: Access, database: Database, waiting: str
    ) -> None:
        trusting.sign_in(replace(ANA, is_email_verified=False))
        assert self.owner(database, waiting) is None

    def test_two_that_wait_for_the_same_address_are_claimed_by_nobody(
        self, trusting: Access, database: Database, clock: MovableClock, waiting: str
    ) -> None:
        self.create(database, clock, "ana-too")
        trusting.sign_in(ANA)
        assert [self.owner(database, code) for code in ("ana", "ana-too")] == [None, None]

    def test_a_claimed_affiliate_is_not_claimed_by_the_next_with_that_address(
        self, trusting: Access, database: Database, waiting: str
    ) -> None:
        first = trusting.sign_in(ANA)
        trusting.sign_in(replace(ANA, subject="ana-2"))
        assert self.owner(database, waiting) == first.user_id


def test_a_session_knows_when_its_person_signed_in_at_the_provider(
    access: Access, clock: MovableClock
) -> None:
    now = clock.real_now()
    for said, known in (
        (None, now),
        (now - timedelta(hours=3), now - timedelta(hours=3)),
        (now + timedelta(hours=3), now),
    ):
        user = access.resolve(access.sign_in(replace(ANA, signed_in_at=said)).token)
        assert user is not None
        assert user.signed_in_at == known
        assert user.is_recent(now) == (known == now)
