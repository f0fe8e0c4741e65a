"""The nightly pass over every account."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.domain.accounts import Requirements
from portal.gateways.stripe import StripeKeyRefusedError
from portal.models import Affiliate, VerificationRun
from portal.models.base import new_id
from tests.services.crowd import crowd, strangers
from tests.services.line import Answer, Killed, Line
from tests.services.programme import Programme


def verify(programme: Programme, **more: object) -> VerificationRun:
    return programme.services.verification.run(trigger="shell", **more)  # type: ignore[arg-type]


def tally(run: VerificationRun) -> tuple[int, int, int, int, int]:
    return run.checked, run.changed, run.unchanged, run.errors, run.webhooks_missed


def several(programme: Programme, count: int) -> list[UUID]:
    return [programme.verified() for _ in range(count)]


def test_every_account_is_asked_for_and_the_tally_says_what_came_of_it(programme: Programme) -> None:
    announced, silent, _same, away = several(programme, 4)
    programme.affiliate()  # without an account: nobody to ask about
    programme.clock.advance(hours=1)
    programme.stripe.fate(programme.account_of(announced), "restrict")
    programme.stripe.fate(programme.account_of(silent), "restrict", silently=True)
    programme.receive(programme.stripe.events("account.updated")[-1])
    path = f"/v1/accounts/{programme.account_of(away)}"
    programme.stripe.fault("timeout_before", path=path, method="GET", times=3)
    run = verify(programme)
    assert tally(run) == (3, 2, 1, 1, 1)
    assert run.finished_at is not None
    assert programme.get(away).stripe_account_status == "verified"
    assert {programme.get(who).stripe_account_status for who in (announced, silent)} == {"restricted"}


def test_a_verified_account_that_lost_its_payouts_without_a_word_is_found(programme: Programme) -> None:
    (affiliate_id,) = several(programme, 1)
    programme.clock.advance(hours=1)
    programme.stripe.fate(programme.account_of(affiliate_id), "stop_payouts", silently=True)
    assert tally(verify(programme)) == (1, 1, 0, 0, 1)
    assert programme.get(affiliate_id).stripe_account_status == "pending"
    assert tally(verify(programme)) == (1, 0, 1, 0, 0)


def test_only_stale_accounts_are_asked_for_when_told_so(programme: Programme) -> None:
    old = several(programme, 2)
    programme.clock.advance(hours=24)
    new = several(programme, 1)
    programme.stripe.forget_requests()
    assert verify(programme, stale_hours=24).checked == 2
    asked = {request["path"] for request in programme.stripe.requests("GET", "/v1/accounts/")}
    assert asked == {f"/v1/accounts/{programme.account_of(who)}" for who in old}
    assert verify(programme, stale_hours=24).checked == 0
    assert verify(programme, stale_hours=0).checked == 3
    assert programme.get(new[0]).stripe_account_status == "verified"


def test_a_run_that_was_killed_goes_on_where_it_stopped(programme: Programme, line: Line) -> None:
    several(programme, 4)
    run_id = new_id()
    seen: list[str] = []

    def die_at_the_third(method: str, path: str) -> None:
        seen.append(path)
        if len(seen) == 3:
            raise Killed

    line.on_request = die_at_the_third
    with pytest.raises(Killed):
        verify(programme, run_id=run_id)
    run = verify(programme, run_id=run_id)
    assert tally(run) == (4, 0, 4, 0, 0)
    # whoever was being asked for at the end is asked for again; nobody else is
    assert len(seen) == len(set(seen)) + 1


def test_a_refused_key_stops_the_run_and_changes_nothing(programme: Programme) -> None:
    affiliates = several(programme, 3)
    programme.stripe.fault("401", path="/v1/", method="*", times=50)
    programme.stripe.forget_requests()
    with pytest.raises(StripeKeyRefusedError):
        verify(programme)
    assert len(programme.stripe.requests("GET", "/v1/")) == 1
    assert {programme.get(who).stripe_account_status for who in affiliates} == {"verified"}


def test_stripe_away_for_the_whole_run_changes_nothing_and_counts_errors(programme: Programme) -> None:
    affiliates = several(programme, 2)
    programme.stripe.goes_away()
    assert tally(verify(programme)) == (0, 0, 0, 2, 0)
    assert {programme.get(who).stripe_account_status for who in affiliates} == {"verified"}


def test_an_account_of_nobody_who_is_known_costs_nothing(programme: Programme) -> None:
    assert tally(verify(programme)) == (0, 0, 0, 0, 0)
    assert len(programme.rows(sa.select(VerificationRun.__table__))) == 1


def asked(programme: Programme) -> tuple[int, int]:
    """How many pages of the list, and how many single accounts, Stripe was asked for."""
    paths = [request["path"] for request in programme.stripe.requests("GET", "/v1/accounts")]
    return paths.count("/v1/accounts"), len([path for path in paths if path != "/v1/accounts"])


def statuses(programme: Programme) -> dict[str, int]:
    query = sa.select(Affiliate.stripe_account_status, sa.func.count()).group_by(
        Affiliate.stripe_account_status
    )
    return {str(status): count for status, count in programme.rows(query)}


def test_many_accounts_are_asked_for_a_hundred_at_a_time(programme: Programme, stand_in: Flask) -> None:
    accounts = crowd(programme, stand_in, 102)
    programme.clock.advance(hours=1)
    programme.stripe.fate(accounts[50], "stop_payouts", silently=True)
    programme.stripe.forget_requests()
    assert tally(verify(programme)) == (102, 1, 101, 0, 1)
    assert asked(programme) == (2, 0)
    assert statuses(programme) == {"verified": 101, "pending": 1}
    checked_at = programme.rows(sa.select(Affiliate.stripe_checked_at).distinct())
    assert [row.stripe_checked_at for row in checked_at] == [programme.clock.real_now()]


def test_an_account_that_the_list_does_not_show_is_asked_for_by_itself(
    programme: Programme, stand_in: Flask
) -> None:
    accounts = crowd(programme, stand_in, 20)
    programme.stripe.fate(accounts[7], "deauthorise", silently=True)
    programme.stripe.forget_requests()
    assert tally(verify(programme)) == (20, 1, 19, 0, 1)
    assert asked(programme) == (1, 1)
    assert statuses(programme) == {"verified": 19, "restricted": 1}


def test_where_lists_are_not_answered_each_is_asked_for_by_itself(
    programme: Programme, stand_in: Flask
) -> None:
    crowd(programme, stand_in, 20)
    programme.stripe.fault("500_before", path="/v1/accounts", method="GET", times=3)
    programme.stripe.forget_requests()
    assert tally(verify(programme)) == (20, 0, 20, 0, 0)
    assert asked(programme) == (3, 20)


def test_a_list_of_other_peoples_accounts_is_left(programme: Programme, stand_in: Flask) -> None:
    accounts = crowd(programme, stand_in, 15)
    others = strangers(stand_in, accounts[0], 300, named="acct_other")
    assert not {*others} & {*accounts}
    programme.stripe.forget_requests()
    assert tally(verify(programme)) == (15, 0, 15, 0, 0)
    assert asked(programme) == (2, 15)


def test_only_the_stale_of_many_are_written_down(programme: Programme, stand_in: Flask) -> None:
    accounts = crowd(programme, stand_in, 30)
    programme.clock.advance(hours=24)
    fresh = [
        programme.sync(who) for who in map(programme.services.accounts.affiliate_of, accounts[:10]) if who
    ]
    programme.stripe.forget_requests()
    assert tally(verify(programme, stale_hours=24)) == (20, 0, 20, 0, 0)
    assert asked(programme) == (1, 0)
    assert len(fresh) == 10


def test_a_sweep_that_was_killed_goes_on_at_its_page(
    programme: Programme, stand_in: Flask, line: Line
) -> None:
    crowd(programme, stand_in, 115)
    run_id, pages = new_id(), 0

    def die_at_the_next_page(method: str, path: str) -> None:
        nonlocal pages
        pages += path == "/v1/accounts"
        if pages == 2:
            raise Killed

    line.on_request = die_at_the_next_page
    with pytest.raises(Killed):
        verify(programme, run_id=run_id)
    line.on_request = lambda _method, _path: None
    programme.stripe.forget_requests()
    run = verify(programme, run_id=run_id)
    assert (tally(run), run.finished_at is not None) == ((115, 0, 115, 0, 0), True)
    assert asked(programme) == (1, 0)


def test_a_key_that_is_rolled_in_the_middle_of_a_sweep_costs_nobody_their_standing(
    programme: Programme, stand_in: Flask
) -> None:
    crowd(programme, stand_in, 102)
    run_id = new_id()
    programme.stripe.fault("401", path="/v1/account", method="GET", skip=1, times=5)
    with pytest.raises(StripeKeyRefusedError):
        verify(programme, run_id=run_id)
    assert statuses(programme) == {"verified": 102}
    programme.stripe.comes_back()
    assert tally(verify(programme, run_id=run_id)) == (102, 0, 102, 0, 0)


def test_what_was_learned_while_a_page_was_on_its_way_counts(
    programme: Programme, stand_in: Flask, line: Line
) -> None:
    accounts = crowd(programme, stand_in, 20)
    affiliate_id = programme.services.accounts.affiliate_of(accounts[5])
    assert affiliate_id is not None

    def meanwhile(_method: str, path: str, answer: Answer) -> Answer:
        if path == "/v1/accounts":
            line.on_answer = lambda _method, _path, answer: answer
            programme.clock.advance(seconds=1)
            programme.stripe.fate(accounts[5], "restrict", silently=True)
            programme.sync(affiliate_id)
        return answer

    line.on_answer = meanwhile
    verify(programme)
    assert programme.get(affiliate_id).stripe_account_status == "restricted"


def test_who_is_pending_for_a_week_is_named_with_what_is_missing(programme: Programme) -> None:
    waiting = programme.affiliate()
    programme.onboard(waiting, fate=None)
    programme.sync(waiting)
    assert programme.services.affiliate_search.stuck(limit=5) == []
    programme.clock.advance(days=7)
    programme.affiliate()
    (found,) = programme.services.affiliate_search.stuck(limit=5)
    assert (found.id, found.stripe_account_detail) == (waiting, "setup_incomplete")
    assert Requirements.from_json(found.stripe_requirements or {}).missing
