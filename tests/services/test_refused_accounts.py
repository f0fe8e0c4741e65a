"""Where Stripe refuses to make accounts, the affiliate reads an honest sentence and operators what to do."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from portal.domain.account_refusals import AccountRefusal, AccountWasRefused, CountryIsNotServed, instruction
from portal.domain.errors import StripeIsAway
from portal.services.refused_accounts import SHOWN_DAYS, RefusedAccounts
from tests.services.line import Line
from tests.services.programme import TEST, Programme

V2 = pytest.mark.settings(STRIPE_ACCOUNTS_API="v2")

#: What the stand-in is told, and what its refusal means; by both ways unless it is about one.
RULES: list[tuple[dict[str, Any], AccountRefusal]] = [
    ({"connect": False}, AccountRefusal.connect_is_off),
    ({"profile": False}, AccountRefusal.profile_is_incomplete),
    ({"transfers_alone": False}, AccountRefusal.transfers_alone),
    ({"closed_countries": ["US"]}, AccountRefusal.country),
]
REFUSALS = [
    *(pytest.param(rules, meaning, id=f"{meaning} v1") for rules, meaning in RULES),
    *(pytest.param(rules, meaning, id=f"{meaning} v2", marks=V2) for rules, meaning in RULES),
    pytest.param({"accounts_v1": False}, AccountRefusal.v1_is_off, id="v1_is_off"),
    pytest.param({"accounts_v2": False}, AccountRefusal.v2_is_off, id="v2_is_off", marks=V2),
    pytest.param(
        {},
        AccountRefusal.agreement,
        id="agreement",
        marks=pytest.mark.settings(STRIPE_COUNTRIES="US:recipient"),
    ),
]


def start(programme: Programme, affiliate_id: UUID) -> None:
    programme.services.onboarding.start(affiliate_id, cause=TEST)


def shown(programme: Programme) -> list[RefusedAccounts]:
    return list(programme.services.overview.get().refused_accounts)


@pytest.mark.parametrize(("rules", "meaning"), REFUSALS)
def test_a_refusal_changes_nothing_and_tells_operators_what_to_do(
    programme: Programme, rules: dict[str, Any], meaning: AccountRefusal
) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.lets_make(**rules)
    with (
        capture_logs() as lines,
        pytest.raises(
            CountryIsNotServed if meaning is AccountRefusal.country else AccountWasRefused
        ) as refusal,
    ):
        start(programme, affiliate_id)
    assert refusal.value.status == 409
    assert programme.get(affiliate_id).stripe_account_status is None
    assert [making.state for making in programme.makings(affiliate_id)] == ["failed"]
    (line,) = [line for line in lines if line["event"] == "account.not_made"]
    assert (line["log_level"], line["instruction"]) == ("error", instruction(meaning))
    (told,) = shown(programme)
    assert (told.refusal, told.countries) == (meaning, ["US"])
    assert [who.id for who in told.affiliates] == [affiliate_id]
    assert told.said
    assert not programme.services.overview.get().is_quiet


def test_what_the_instruction_says_helps(programme: Programme) -> None:
    programme.stripe.lets_make(accounts_v1=False, transfers_alone=False)
    affiliate_id = programme.affiliate()
    for settings in ({}, {"stripe_accounts_api": "v2"}):
        programme.starts_anew(**settings)
        with pytest.raises(AccountWasRefused):
            start(programme, affiliate_id)
    programme.starts_anew(stripe_capabilities=("card_payments", "transfers"))
    start(programme, affiliate_id)
    (account,) = programme.stripe.accounts()
    assert sorted(account["capabilities"]) == ["card_payments", "transfers"]
    assert shown(programme) == []
    assert programme.services.overview.get().is_quiet
    assert len({making.idempotency_key for making in programme.makings(affiliate_id)}) == 3


def test_what_meets_everybody_is_over_once_an_account_was_made_and_the_rest_stays(
    programme: Programme,
) -> None:
    refused: dict[AccountRefusal, UUID] = {}
    for rules, meaning in RULES:
        programme.stripe.lets_make(**rules)
        refused[meaning] = programme.affiliate()
        with pytest.raises((AccountWasRefused, CountryIsNotServed)):
            start(programme, refused[meaning])
    assert {told.refusal for told in shown(programme)} == refused.keys()
    programme.stripe.lets_make()
    programme.clock.advance(seconds=1)
    start(programme, programme.affiliate())
    assert {told.refusal for told in shown(programme)} == {
        AccountRefusal.country,
        AccountRefusal.transfers_alone,
    }
    programme.clock.advance(days=SHOWN_DAYS)
    assert shown(programme) == []


def test_an_outcome_that_was_unknown_and_then_looked_up_is_no_refusal(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("timeout_before", path="/v1/accounts")
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.clock.advance(hours=25)
    programme.stripe.fault("timeout_before", path="/v1/accounts")
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    assert [making.state for making in programme.makings(affiliate_id)] == ["failed", "open"]
    assert shown(programme) == []


@pytest.mark.settings(STRIPE_COUNTRIES="US:full,TH:recipient")
def test_each_country_is_asked_for_under_the_agreement_that_the_settings_name(programme: Programme) -> None:
    for country in ("US", "TH"):
        programme.onboard(programme.affiliate(country=country))
    asked = [request["params"] for request in programme.stripe.requests("POST", "/v1/accounts")]
    agreements = [params.get("tos_acceptance", {}) for params in asked if params.get("type") == "express"]
    assert agreements == [{}, {"service_agreement": "recipient"}]


def test_of_a_long_refusal_as_much_is_kept_as_there_is_room_for(programme: Programme, line: Line) -> None:
    affiliate_id = programme.affiliate()
    refusal = {"error": {"type": "invalid_request_error", "message": "x" * 501}}
    line.answers("POST", "/v1/accounts", (json.dumps(refusal), 400))
    with pytest.raises(AccountWasRefused):
        start(programme, affiliate_id)
    assert [making.error_message for making in programme.makings(affiliate_id)] == ["x" * 500]
