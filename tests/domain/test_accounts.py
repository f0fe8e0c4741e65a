"""What an account means: the table, the deadlines, and what can be said of all accounts at once."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts import (
    AccountDetail,
    AccountFacts,
    AccountStanding,
    AccountStatus,
    Actor,
    derive_standing,
    facts_from_stripe,
)
from tests.domain.account_table import OTHER_REASONS, PAST_DUE, REJECTIONS, TABLE, Meaning
from tests.domain.stripe_accounts import DECEMBER_AT, IN_DECEMBER, Json, account

IN_JANUARY = IN_DECEMBER + 31 * 86_400

CASES = [
    pytest.param(said, meaning, id=f"{row}: {name}")
    for (row, meaning), cases in TABLE.items()
    for name, said in cases.items()
]


@pytest.mark.parametrize(("said", "meaning"), CASES)
def test_an_account_means(said: Json, meaning: Meaning) -> None:
    standing = derive_standing(facts_from_stripe(said))
    assert (standing.status, standing.detail, standing.acts) == meaning
    assert standing.onboarding_complete == (standing.status is AccountStatus.verified)
    assert standing.needs_alert == (standing.detail is AccountDetail.unknown_reason)


def test_every_row_status_detail_and_actor_has_its_case() -> None:
    assert {row for row, _ in TABLE} == set(range(1, 18))
    assert {status for _, (status, _, _) in TABLE} == set(AccountStatus)
    assert {detail for _, (_, detail, _) in TABLE} - {None} == set(AccountDetail)
    assert {acts for _, (_, _, acts) in TABLE} == set(Actor)


def test_without_an_account_there_is_no_status_and_it_is_the_affiliates_move() -> None:
    assert derive_standing(None) == AccountStanding(
        status=None,
        detail=None,
        acts=Actor.affiliate,
        onboarding_complete=False,
        deadline_at=None,
        needs_alert=False,
    )


def test_an_account_we_may_no_longer_see_is_disconnected() -> None:
    standing = derive_standing(AccountFacts.gone("acct_1"))
    assert (standing.status, standing.detail) == (AccountStatus.restricted, AccountDetail.disconnected)


def test_only_a_verified_account_is_payable() -> None:
    assert [status for status in AccountStatus if status.is_payable] == [AccountStatus.verified]


@pytest.mark.parametrize(
    ("now", "later", "deadline_at"),
    [
        (IN_DECEMBER, None, DECEMBER_AT),
        (None, IN_DECEMBER, DECEMBER_AT),
        (IN_DECEMBER, IN_JANUARY, DECEMBER_AT),
        (IN_JANUARY, IN_DECEMBER, DECEMBER_AT),
    ],
)
def test_a_verified_account_that_needs_attention_carries_the_earlier_deadline(
    now: int | None, later: int | None, deadline_at: datetime
) -> None:
    said = account(
        {"future_requirements": {"current_deadline": later}}, requirements={"current_deadline": now}
    )
    standing = derive_standing(facts_from_stripe(said))
    assert standing.detail is AccountDetail.attention
    assert standing.deadline_at == deadline_at


def test_a_restricted_account_says_since_when_it_was_due() -> None:
    said = account(requirements={"current_deadline": IN_DECEMBER}, disabled=PAST_DUE, past_due=1)
    assert derive_standing(facts_from_stripe(said)).deadline_at == DECEMBER_AT


def test_where_the_affiliate_can_do_nothing_no_deadline_is_shown() -> None:
    said = account(requirements={"current_deadline": IN_DECEMBER}, disabled="under_review")
    assert derive_standing(facts_from_stripe(said)).deadline_at is None


@given(
    payouts=st.booleans(),
    charges=st.booleans(),
    submitted=st.booleans(),
    reason=st.none() | st.sampled_from([*REJECTIONS, *OTHER_REASONS]),
    capabilities=st.dictionaries(
        st.sampled_from(["transfers", "card_payments", "legacy_payments"]),
        st.sampled_from(["active", "pending", "inactive", "unrequested"]),
    ),
    due=st.integers(min_value=0, max_value=1),
)
def test_verified_is_exactly_what_the_promise_says(
    *,
    payouts: bool,
    charges: bool,
    submitted: bool,
    reason: str | None,
    capabilities: dict[str, str],
    due: int,
) -> None:
    flags: Json = {"payouts_enabled": payouts, "charges_enabled": charges, "details_submitted": submitted}
    said = account(flags | {"capabilities": capabilities}, disabled=reason, due=due)
    asked_for_cards = capabilities.get("card_payments", "unrequested") != "unrequested"
    may_receive = not capabilities or capabilities.get("transfers") == "active"
    needs_charges = not capabilities or asked_for_cards
    promised = reason is None and payouts and may_receive and (charges or not needs_charges)
    assert derive_standing(facts_from_stripe(said)).onboarding_complete == promised
