"""Why Stripe refuses to make an account, and what an operator does about it.

Stripe's sentences change and most carry no code, so that a refusal is known by a part that has stayed the same; one
that nobody has seen yet is told in Stripe's own words.
"""

from __future__ import annotations

import re
from enum import StrEnum

from portal.domain.errors import PortalError
from portal.domain.sentences import CountryCode, Sentence


class AccountRefusal(StrEnum):
    """What Stripe has against it."""

    v1_is_off = "v1_is_off"
    v2_is_off = "v2_is_off"
    transfers_alone = "transfers_alone"
    connect_is_off = "connect_is_off"
    profile_is_incomplete = "profile_is_incomplete"
    country = "country"
    agreement = "agreement"
    other = "other"

    @property
    def is_platform_wide(self) -> bool:
        """Whether it meets every new account, so that one that was made since shows that it is over."""
        return self in {
            AccountRefusal.v1_is_off,
            AccountRefusal.v2_is_off,
            AccountRefusal.connect_is_off,
            AccountRefusal.profile_is_incomplete,
        }


#: In this order, against code and message together. https://docs.stripe.com/connect/accounts-v2/account-creation,
#: https://docs.stripe.com/connect/service-agreement-types, https://docs.stripe.com/connect/account-capabilities
_SIGNS: tuple[tuple[AccountRefusal, str], ...] = (
    (AccountRefusal.connect_is_off, r"signed up for connect|\bplatform_registration_required|\bnon_connect_platform"),
    (
        AccountRefusal.profile_is_incomplete,
        (
            r"platform.profile|responsibilities of|\bconnect_profile_not_submitted|\bconnect_identity_not_verified"
            r"|_unacknowledged\b|\baccount_create_activation_required"
        ),
    ),
    (AccountRefusal.v1_is_off, r"accounts.v1"),
    (AccountRefusal.v2_is_off, r"accounts.v2"),
    (AccountRefusal.agreement, r"service.agreement|tos agreement"),
    (
        AccountRefusal.transfers_alone,
        r"transfers\W+capability without|transfers.*without.*card_payments|\bcapability_not_available_without_other",
    ),
    (
        AccountRefusal.country,
        (
            r"\bcountry_unsupported|cannot be created by platforms in|is not currently supported by stripe"
            r"|\bcross_border_connected_account|\bcapability_not_available_in_(platform_)?country"
        ),
    ),
)  # fmt: skip

_INSTRUCTIONS: dict[AccountRefusal, str] = {
    AccountRefusal.v1_is_off: (
        "Stripe makes no accounts by Accounts v1 for this platform. Set STRIPE_ACCOUNTS_API=v2 and start the portal "
        "anew, or switch on “Accounts v1 support” in the Stripe dashboard."
    ),
    AccountRefusal.v2_is_off: (
        "Stripe makes no accounts by Accounts v2 for this platform. Set STRIPE_ACCOUNTS_API=v1 and start the portal "
        "anew, or ask Stripe to switch Accounts v2 on."
    ),
    AccountRefusal.transfers_alone: (
        "Stripe does not let this platform ask for transfers without card payments. Set "
        "STRIPE_CAPABILITIES=card_payments,transfers and start the portal anew, or ask Stripe's support to approve "
        "accounts with transfers alone."
    ),
    AccountRefusal.connect_is_off: (
        "Connect is not switched on for this Stripe account. Open Connect in the Stripe dashboard, in the mode of your "
        "key, and choose “Get started”."
    ),
    AccountRefusal.profile_is_incomplete: (
        "The platform profile at Stripe is not complete. In the Stripe dashboard, under Settings, Connect, Platform "
        "profile, answer what is open and accept the responsibility for losses of Express accounts."
    ),
    AccountRefusal.country: (
        "Stripe makes no accounts in this country for your platform. Take it out of STRIPE_COUNTRIES and start the "
        "portal anew, so that nobody there is sent to Stripe; pay these affiliates another way."
    ),
    AccountRefusal.agreement: (
        "The service agreement that STRIPE_COUNTRIES names for this country is not the one that Stripe wants. Change "
        "full to recipient there, or recipient to full (which alone goes with card_payments and with accounts in your "
        "own country), and start the portal anew."
    ),
    AccountRefusal.other: (
        "Stripe refuses the account for a reason of its own, in its words below. Do what they say, or ask Stripe's "
        "support."
    ),
}  # fmt: skip


class AccountWasRefused(PortalError):
    """Stripe does not let the programme make the account: an operator must act, the affiliate cannot."""

    code = "account_refused"

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "Stripe does not let us open an account for you at the moment. This is not your fault, and nothing "
                "was changed. Our team can see what is missing: try again later, or contact support."
            )
        )


class CountryIsNotServed(PortalError):
    """Neither the settings nor Stripe let the programme pay into this country."""

    code = "country_not_served"

    def __init__(self, country: str) -> None:
        super().__init__(
            Sentence(
                "Stripe cannot pay partners in {country} yet. Choose another way to be paid.",
                country=CountryCode(country),
            )
        )


def account_refusal(error_code: str | None, message: str) -> AccountRefusal:
    """What a refusal means, from Stripe's code for it, if any, and Stripe's sentence."""
    said = f"{error_code or ''} {message}".lower()
    return next((meaning for meaning, sign in _SIGNS if re.search(sign, said)), AccountRefusal.other)


def instruction(refusal: AccountRefusal) -> str:
    """What an operator does about it, in whole sentences."""
    return _INSTRUCTIONS[refusal]


def refused(refusal: AccountRefusal, *, country: str) -> PortalError:
    """What the affiliate is told."""
    return CountryIsNotServed(country) if refusal is AccountRefusal.country else AccountWasRefused()
