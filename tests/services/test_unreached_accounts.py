"""Accounts that the nightly pass does not reach: not asked for in vain, and asked for again once Stripe answers."""

from __future__ import annotations

import sqlalchemy as sa

from portal.gateways.stripe import MOST_UNHEARD
from portal.models import Affiliate, VerificationRun
from portal.models.base import new_id
from tests.services.line import Line
from tests.services.programme import Programme
from tests.services.test_verification import several, tally, verify


def make_up(programme: Programme) -> VerificationRun:
    run = programme.services.verification.make_up(run_id=new_id())
    assert run is not None
    return run


def test_while_stripe_is_away_it_is_not_asked_for_each_in_vain_and_later_for_all_again(
    programme: Programme,
) -> None:
    affiliates = several(programme, 6)
    programme.clock.advance(hours=25)
    programme.stripe.goes_away()
    programme.stripe.forget_requests()
    run = verify(programme)
    assert tally(run) == (0, 0, 0, 6, 0)
    assert run.finished_at is not None
    asked = {request["path"] for request in programme.stripe.requests("GET", "/v1/accounts/")}
    assert len(asked) == MOST_UNHEARD
    programme.stripe.comes_back()
    programme.clock.advance(hours=1)
    programme.stripe.fate(programme.account_of(affiliates[0]), "restrict", silently=True)
    assert tally(make_up(programme)) == (6, 1, 5, 0, 1)
    assert programme.services.verification.make_up(run_id=new_id()) is None


def test_accounts_that_stripe_does_not_show_are_no_reason_to_stop(programme: Programme) -> None:
    *refused, last = several(programme, 5)
    for affiliate_id in refused:
        path = f"/v1/accounts/{programme.account_of(affiliate_id)}"
        programme.stripe.fault("400_saved", path=path, method="GET")
    assert tally(verify(programme))[3] == 4
    assert programme.get(last).stripe_checked_at is not None


def test_who_connects_an_account_in_the_middle_of_a_run_is_no_error(programme: Programme, line: Line) -> None:
    early = programme.affiliate()
    several(programme, 2)
    line.meanwhile(lambda: programme.onboard(early), request=2, only="/v1/accounts/")
    assert tally(verify(programme)) == (2, 0, 2, 0, 0)
    assert programme.services.verification.make_up(run_id=new_id()) is None


def test_two_that_were_not_reached_are_asked_for_an_hour_later_too(programme: Programme) -> None:
    several(programme, 2)
    programme.clock.advance(hours=25)
    programme.stripe.goes_away()
    assert tally(verify(programme)) == (0, 0, 0, 2, 0)
    programme.stripe.comes_back()
    programme.clock.advance(hours=1)
    assert tally(make_up(programme)) == (2, 0, 2, 0, 0)


def test_accounts_that_stripe_never_shows_are_not_asked_for_every_hour(programme: Programme) -> None:
    programme.clock.advance(hours=25)
    for affiliate_id in several(programme, 4):
        path = f"/v1/accounts/{programme.account_of(affiliate_id)}"
        programme.stripe.fault("400_saved", path=path, method="GET")
    assert tally(verify(programme))[3] == 4
    assert programme.services.verification.make_up(run_id=new_id()) is None


def test_whoever_was_reached_is_not_asked_for_again_when_the_rest_is(programme: Programme) -> None:
    several(programme, 6)
    programme.clock.advance(hours=25)
    (first, *_) = programme.rows(sa.select(Affiliate.stripe_account_id).order_by(Affiliate.id))
    times = 3 * MOST_UNHEARD
    programme.stripe.fault("timeout_before", path="/v1/accounts/", method="GET", times=times, skip=1)
    assert tally(verify(programme)) == (1, 0, 1, 5, 0)
    programme.stripe.forget_requests()
    assert tally(make_up(programme)) == (5, 0, 5, 0, 0)
    asked = {request["path"] for request in programme.stripe.requests("GET", "/v1/accounts/")}
    assert f"/v1/accounts/{first[0]}" not in asked
