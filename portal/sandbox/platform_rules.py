"""What Stripe lets this platform make, and its words where it does not. https://docs.stripe.com/connect/accounts-v2"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from portal.sandbox.errors import StripeRefusal

#: Where the platform itself is.
PLATFORM_COUNTRY = "US"

_DASHBOARD = "https://dashboard.stripe.com"


class RulesRefused(ValueError):
    """The description of rules makes no sense; the text says why."""


@dataclass(frozen=True)
class PlatformRules:
    """Everything is allowed until it is told otherwise."""

    connect: bool = True
    """Connect is switched on."""
    profile: bool = True
    """The platform profile is complete."""
    accounts_v1: bool = True
    accounts_v2: bool = True
    transfers_alone: bool = True
    """Accounts may have `transfers` without `card_payments`."""
    closed_countries: tuple[str, ...] = ()

    def check(self, wanted: dict[str, Any], *, is_v2: bool) -> None:
        """Raises Stripe's refusal of a new account, whose parameters are in the words of v1."""
        for is_met, code, message in (
            (self.connect, "platform_registration_required", _CONNECT),
            (self.profile, "account_creation_liability_unacknowledged", _PROFILE),
            (is_v2 or self.accounts_v1, "", _V1),
            (not is_v2 or self.accounts_v2, "accounts_v2_access_blocked", _V2),
        ):
            if not is_met:
                raise _refusal(code, message, is_v2=is_v2)
        self._check_country(wanted.get("country", PLATFORM_COUNTRY), wanted, is_v2=is_v2)
        asked = {name for name, flag in wanted.get("capabilities", {}).items() if flag.get("requested")}
        if not self.transfers_alone and "transfers" in asked and "card_payments" not in asked:
            code = "capability_not_available_without_other_capability"
            raise _refusal(code, _TRANSFERS_V2 if is_v2 else _TRANSFERS, is_v2=is_v2)

    def _check_country(self, country: str, wanted: dict[str, Any], *, is_v2: bool) -> None:
        if country in self.closed_countries:
            raise _refusal(
                "cross_border_connected_account_creation_not_allowed",
                f"Connected accounts in {country} cannot be created by platforms in {PLATFORM_COUNTRY}. Learn more "
                "about cross-border connected accounts at https://stripe.com/docs/connect/cross-border-payouts.",
                is_v2=is_v2,
            )
        agreement = wanted.get("tos_acceptance", {}).get("service_agreement", "full")
        if agreement == "recipient" and country == PLATFORM_COUNTRY:
            raise _refusal(
                "",
                f"The recipient ToS agreement is not supported for platforms in {PLATFORM_COUNTRY} creating accounts "
                f"in {country}. See https://stripe.com/docs/connect/cross-border-payouts for more details.",
                is_v2=is_v2,
            )


_CONNECT = (
    "You can only create new accounts if you've signed up for Connect, which you can do at "
    f"{_DASHBOARD}/connect."
)
_PROFILE = (
    "Please review the responsibilities of managing losses for connected accounts at "
    f"{_DASHBOARD}/settings/connect/platform-profile."
)
_V1 = (
    "Stripe no longer recommends Accounts v1 for new Connect integrations. Create connected accounts with POST "
    "/v2/core/accounts instead: https://docs.stripe.com/api/v2/core/accounts. If your integration requires v1, enable "
    f"Accounts v1 support in the Dashboard: {_DASHBOARD}/settings/features/feat_accounts_v1_support."
)
_V2 = "Accounts v2 is not enabled for your platform."
_TRANSFERS = (
    "Your platform needs approval for accounts to have requested the `transfers` capability without the "
    "`card_payments` capability. If you would like to request transfers without card_payments, please contact us via "
    "https://support.stripe.com/contact."
)
_TRANSFERS_V2 = "recipient.stripe_balance.stripe_transfers is not available without merchant.card_payments."


def _refusal(code: str, message: str, *, is_v2: bool) -> StripeRefusal:
    # v2 gives each a code and mostly no type, v1 the type alone
    return StripeRefusal(message, kind="" if is_v2 else "invalid_request_error", code=code if is_v2 else None)


def rules(given: dict[str, Any]) -> PlatformRules:
    """Read a description from the control API; what is not named is allowed. Raises RulesRefused."""
    known = {field.name for field in fields(PlatformRules)}
    if unknown := sorted(set(given) - known):
        raise RulesRefused(f"unknown names: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    flags = {name: value for name, value in given.items() if name != "closed_countries"}
    countries = given.get("closed_countries", [])
    if not all(isinstance(value, bool) for value in flags.values()):
        raise RulesRefused("each is true or false")
    if not isinstance(countries, list) or not all(isinstance(country, str) for country in countries):
        raise RulesRefused("closed_countries is a list of countries")
    return PlatformRules(**flags, closed_countries=tuple(countries))
