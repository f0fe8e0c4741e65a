"""What Stripe's refusals of an account mean, by sentences that it has said, and what an operator does about each."""

from __future__ import annotations

import pytest

from portal.domain.account_refusals import (
    AccountRefusal,
    AccountWasRefused,
    CountryIsNotServed,
    account_refusal,
    instruction,
    refused,
)

#: Code, sentence, meaning.
SAID = [
    (
        None,
        (
            "Stripe no longer recommends Accounts v1 for new Connect integrations. Create connected accounts with POST "
            "/v2/core/accounts instead: https://docs.stripe.com/connect/accounts-v2/account-creation."
        ),
        AccountRefusal.v1_is_off,
    ),
    (
        None,
        "Enable Accounts v1 support: https://dashboard.stripe.com/settings/features/feat_accounts_v1_support",
        AccountRefusal.v1_is_off,
    ),
    ("accounts_v2_access_blocked", "It is not enabled for your merchant.", AccountRefusal.v2_is_off),
    (None, "Accounts v2 is not enabled for your platform.", AccountRefusal.v2_is_off),
    (
        "non_connect_platform_accounts_v2_access_blocked",
        "Accounts v2 is not enabled.",
        AccountRefusal.connect_is_off,
    ),
    (
        None,
        (
            "Your platform needs approval for accounts to have requested the `transfers` capability without the "
            "`card_payments` capability."
        ),
        AccountRefusal.transfers_alone,
    ),
    (
        None,
        "You cannot request the `transfers` capability without the `card_payments` capability for accounts in US.",
        AccountRefusal.transfers_alone,
    ),
    (
        "capability_not_available_without_other_capability_in_country",
        "stripe_transfers needs more.",
        AccountRefusal.transfers_alone,
    ),
    (
        None,
        (
            "You can only create new accounts if you've signed up for Connect, which you can learn how to do at "
            "https://stripe.com/docs/connect."
        ),
        AccountRefusal.connect_is_off,
    ),
    ("platform_registration_required", "Register first.", AccountRefusal.connect_is_off),
    (
        None,
        (
            "Please review the responsibilities of managing losses for connected accounts at "
            "https://dashboard.stripe.com/settings/connect/platform-profile."
        ),
        AccountRefusal.profile_is_incomplete,
    ),
    (
        None,
        "You must complete your platform profile to use Connect and create live connected accounts.",
        AccountRefusal.profile_is_incomplete,
    ),
    (
        "account_creation_liability_unacknowledged",
        "Acknowledge it.",
        AccountRefusal.profile_is_incomplete,
    ),
    ("country_unsupported", "NP is not currently supported by Stripe.", AccountRefusal.country),
    (None, "Connected accounts in CH cannot be created by platforms in AE.", AccountRefusal.country),
    (
        None,
        "The recipient ToS agreement is not supported for platforms in US creating accounts in US.",
        AccountRefusal.agreement,
    ),
    (
        None,
        "Error: The full service agreement is not supported for accounts in KW",
        AccountRefusal.agreement,
    ),
    ("email_invalid", "Invalid email address: ada", AccountRefusal.other),
    (None, "", AccountRefusal.other),
]


@pytest.mark.parametrize(("code", "sentence", "meaning"), SAID)
def test_a_refusal_is_known_by_what_stays_the_same_in_it(
    code: str | None, sentence: str, meaning: AccountRefusal
) -> None:
    assert account_refusal(code, sentence) is meaning


def test_every_meaning_is_said_by_stripe_and_has_an_instruction_of_its_own() -> None:
    assert {meaning for _, _, meaning in SAID} == set(AccountRefusal)
    assert len({instruction(meaning) for meaning in AccountRefusal}) == len(AccountRefusal)
    assert "STRIPE_ACCOUNTS_API=v2" in instruction(AccountRefusal.v1_is_off)
    assert "STRIPE_CAPABILITIES=card_payments,transfers" in instruction(AccountRefusal.transfers_alone)
    assert "STRIPE_COUNTRIES" in instruction(AccountRefusal.country)


@pytest.mark.parametrize("meaning", AccountRefusal)
def test_the_affiliate_reads_that_it_is_not_their_fault_or_to_choose_another_way(
    meaning: AccountRefusal,
) -> None:
    said = refused(meaning, country="NP")
    if meaning is AccountRefusal.country:
        assert isinstance(said, CountryIsNotServed)
        assert said.sentence == "Stripe cannot pay partners in NP yet. Choose another way to be paid."
    else:
        assert isinstance(said, AccountWasRefused)
        assert "not your fault, and nothing was changed" in said.sentence
