"""What the SDK's version of the API has and the description, which is some months older, has not; and the few places
where it says less than Stripe's documentation. Each with its reason; a test asks whether it still holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import stripe.params
import stripe.params.v2.core

_CREATE, _UPDATE, _CREATE_V2 = "POST /v1/accounts", "POST /v1/accounts/{account}", "POST /v2/core/accounts"


@dataclass(frozen=True)
class Newer:
    """Parameters that some operations take although the description doesn't know them."""

    operations: tuple[str, ...]
    places: tuple[str, ...]
    reason: str


NEWER_PARAMETERS = (
    Newer(
        (_CREATE, _UPDATE),
        (
            "capabilities[blik_recurring_payments]", "capabilities[paypay_payments]", "capabilities[sequra_payments]",
            "capabilities[wero_payments]", "settings[paypay_payments]", "settings[sepa_debit_payments]",
        ),
        "payment methods that were added after the description was made",
    ),
    Newer(
        (_CREATE, _UPDATE),
        (
            "business_profile[specified_commercial_transactions_act_url]", "company[administrative_address]",
            "company[physical_address]", "company[principal_place_of_business]",
            "documents[proof_of_business_presence]",
        ),
        "facts about a business that verification asks for since later versions",
    ),
    Newer(
        (_CREATE, _UPDATE),
        ("external_account",),
        "the details of a bank account or a card stand here; the description knows the token alone, the SDK both",
    ),
    Newer(
        ("POST /v1/accounts/{account}/reject",),
        ("payouts_action",),
        "what becomes of the payouts of a rejected account came with 2026-09-30",
    ),
    Newer(
        (_CREATE_V2,),
        (
            "configuration[merchant][capabilities][blik_recurring_payments]",
            "configuration[merchant][capabilities][satispay_payments]",
            "configuration[merchant][capabilities][sequra_payments]",
            "configuration[merchant][capabilities][sunbit_payments]",
            "configuration[merchant][sepa_debit_payments]", "configuration[recipient][capabilities][bank_accounts]",
            "configuration[recipient][capabilities][cards]", "identity[business_details][additional_addresses]",
        ),
        "added to Accounts v2 after the description was made",
    ),
)  # fmt: skip

#: Where the SDK names the parameters of these operations.
SDK_PARAMETERS: Mapping[str, type] = {
    _CREATE: stripe.params.AccountCreateParams,
    _UPDATE: stripe.params.AccountUpdateParams,
    "POST /v1/accounts/{account}/reject": stripe.params.AccountRejectParams,
    _CREATE_V2: stripe.params.v2.core.AccountCreateParams,
}

#: Operations that the description doesn't know at all, and the SDK's method for each.
NEWER_OPERATIONS: Mapping[str, str] = {"POST /v1/accounts/{account}/unreject": "AccountService.unreject"}

#: Where answers have nulls of which the description says nothing.
UNSAID_NULLS: Mapping[str, str] = {
    "/v2/": "what a request by v2 does not ask to be included comes as null, which the description leaves out",
}

#: Where refusals aren't held against the description.
UNSAID_REFUSALS: Mapping[str, str] = {
    "/v2/": "each operation's own refusals are described by their codes, those of keys, rates and faults not at all",
}

#: Values of enums that a test lets the stand-in say on purpose, since Stripe will have new words one day.
WORDS_OF_THE_FUTURE: Mapping[str, str] = {
    "bad_weather": "a reason for which an account is disabled that nobody has seen yet",
}


def is_newer_operation(method: str, path: str) -> bool:
    """Whether it is an operation that only the SDK knows."""
    templates = (re.sub(r"\{\w+\}", "[^/]+", known) for known in NEWER_OPERATIONS)
    return any(re.fullmatch(template, f"{method} {path}") for template in templates)


def is_newer(operation: str, place: str) -> bool:
    """Whether it is a newer parameter of this operation, or inside one."""
    return any(
        operation in entry.operations and (place == known or place.startswith(f"{known}["))
        for entry in NEWER_PARAMETERS
        for known in entry.places
    )
