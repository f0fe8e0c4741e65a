"""One bank account behind several affiliates is noticed, shown and accepted, and blocks nobody."""

from __future__ import annotations

from uuid import UUID

import pytest
import structlog

from portal.domain.errors import InvalidInput, NotFound
from portal.services.affiliate_search import AffiliateFilter, Flag
from portal.services.journal import Cause
from tests.services.programme import TEST, Programme

HOUSEHOLD = Cause.system("request-1")
ACCEPTED = Cause(HOUSEHOLD.actor, None, "request-2", "A couple with one account.")


def paid_to(programme: Programme, bank: str, *affiliates: UUID) -> None:
    """From now on these have this bank account at Stripe, and the portal has looked."""
    for affiliate_id in affiliates:
        programme.stripe.fate(programme.account_of(affiliate_id), "change_bank", fingerprint=bank)
        programme.sync(affiliate_id)


def flagged(programme: Programme) -> set[UUID]:
    """Whom operators see, in the list; the overview counts the same."""
    found = programme.services.affiliate_search.rows(AffiliateFilter(flag=Flag.shared_bank))
    assert programme.services.overview.get().shared_banks == len(found)
    return {affiliate.id for affiliate in found}


def test_the_same_bank_account_is_noted_at_both_once_and_nobody_is_blocked(programme: Programme) -> None:
    ana, ben, cem = (programme.verified(earned=10_000) for _ in range(3))
    assert flagged(programme) == set()
    with structlog.testing.capture_logs() as logs:
        paid_to(programme, "fp_shared", ana, ben)
        for _ in range(2):
            programme.sync(ben)
    (line,) = (line for line in logs if line["event"] == "bank.shared")
    codes = {affiliate_id: programme.get(affiliate_id).code for affiliate_id in (ana, ben)}
    assert (line["affiliate"], line["others"], line["log_level"]) == (codes[ben], [codes[ana]], "warning")
    assert flagged(programme) == {ana, ben}
    for one, other in ((ana, ben), (ben, ana)):
        assert programme.changes(one, "affiliate.bank_shared") == [(None, codes[other], "a test")]
        assert [each.id for each in programme.services.shared_banks.others(one)] == [other]
    assert programme.services.shared_banks.others(cem) == []
    payout_id = programme.request(ben)
    programme.clock.advance(hours=24)
    programme.run()
    assert programme.payout(payout_id).status == "paid"


def test_a_first_bank_account_that_is_anothers_is_noted_too(programme: Programme) -> None:
    ana, ben = programme.verified(), programme.affiliate()
    paid_to(programme, "fp_shared", ana)
    account_id = programme.onboard(ben, fate="start_over")
    programme.stripe.fate(account_id, "change_bank", fingerprint="fp_shared")
    programme.sync(ben)
    assert programme.get(ben).bank_changed_at is None  # the first is no change
    assert flagged(programme) == {ana, ben}


def test_what_an_operator_has_accepted_is_quiet_until_somebody_joins(programme: Programme) -> None:
    ana, ben, cem = (programme.verified() for _ in range(3))
    paid_to(programme, "fp_shared", ana, ben)
    accept = programme.services.shared_banks.accept
    with pytest.raises(InvalidInput):
        accept(programme.get(ana).code, cause=TEST)
    assert flagged(programme) == {ana, ben}
    accept(programme.get(ana).code, cause=ACCEPTED)
    assert flagged(programme) == set()
    for affiliate_id in (ana, ben):
        assert programme.changes(affiliate_id, "affiliate.shared_bank_accepted") == [
            (None, programme.get(ana).code, "request-2")
        ]
    paid_to(programme, "fp_shared", cem)
    assert flagged(programme) == {cem}
    assert len(programme.services.shared_banks.others(cem)) == 2
    accept(programme.get(cem).code, cause=ACCEPTED)
    assert flagged(programme) == set()


def test_whoever_goes_to_another_bank_takes_the_flag_along_and_none_is_left(programme: Programme) -> None:
    ana, ben = programme.verified(), programme.verified()
    paid_to(programme, "fp_shared", ana, ben)
    programme.services.shared_banks.accept(programme.get(ana).code, cause=ACCEPTED)
    paid_to(programme, "fp_other", ana, ben)
    assert flagged(programme) == {ana, ben}  # what was accepted was the other account
    paid_to(programme, "fp_third", ben)
    assert flagged(programme) == set()
    with pytest.raises(NotFound):
        programme.services.shared_banks.accept(programme.get(ana).code, cause=ACCEPTED)


def test_affiliates_without_a_bank_account_share_none(programme: Programme) -> None:
    for _ in range(2):
        programme.onboard(programme.affiliate(), fate="start_over")
    assert flagged(programme) == set()
