"""What can become of an account: one function for each fate, changing the account object and nothing else.

https://docs.stripe.com/connect/handling-api-verification
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.sandbox.account_shape import attach, new_bank_account, no_requirements
from portal.sandbox.store import Document

DOCUMENT = "individual.verification.document"
_SECONDS_PER_DAY = 86_400


class UnknownFate(ValueError):
    """There is no such fate."""


@dataclass(frozen=True)
class Circumstances:
    """When it happens (epoch seconds, UTC) and, where something falls due, by when."""

    now: int
    deadline_days: int = 14
    reason: str | None = None
    fingerprint: str | None = None
    """Of the bank account that takes the place of another: that of one which is used elsewhere too."""


Fate = Callable[[Document, Circumstances], None]


def approve(account: Document, when: Circumstances) -> None:
    """Everything was given and verified."""
    _submitted(account, when)
    _capabilities(account, "active")
    account["charges_enabled"] = "card_payments" in account["capabilities"]
    account["payouts_enabled"] = True
    account["requirements"] = no_requirements()


def review(account: Document, when: Circumstances) -> None:
    """Everything was given, and Stripe is still verifying it."""
    _submitted(account, when)
    _disabled(account, "requirements.pending_verification", capabilities="pending")
    account["requirements"]["pending_verification"] = [DOCUMENT]


def under_review(account: Document, when: Circumstances) -> None:
    """Stripe looks at the account itself."""
    _submitted(account, when)
    _disabled(account, "under_review", capabilities="inactive")


def restrict(account: Document, when: Circumstances) -> None:
    """Submitted, but a document is missing or unreadable."""
    _submitted(account, when)
    _disabled(account, "requirements.past_due", capabilities="inactive")
    account["requirements"].update(
        currently_due=[DOCUMENT],
        eventually_due=[DOCUMENT],
        past_due=[DOCUMENT],
        errors=[
            {
                "code": "verification_document_not_readable",
                "reason": "The document could not be read. Please upload a clear colour image of the document.",
                "requirement": DOCUMENT,
            }
        ],
    )


def reject(account: Document, when: Circumstances) -> None:
    """Rejected; an account that had not been submitted stays so. https://docs.stripe.com/api/account/reject"""
    if not _reason_of(account).startswith("rejected."):
        account["_before_rejection"] = {
            name: account[name]
            for name in (
                "capabilities",
                "charges_enabled",
                "payouts_enabled",
                "requirements",
                "details_submitted",
            )
        }
    _disabled(account, when.reason or "rejected.fraud", capabilities="inactive")


def unreject(account: Document, when: Circumstances) -> None:
    """As it was before the rejection."""
    account.update(account.pop("_before_rejection", {}))


def due(account: Document, when: Circumstances) -> None:
    """Still able to be paid, but something has to be given by a deadline."""
    approve(account, when)
    account["requirements"].update(
        currently_due=[DOCUMENT],
        eventually_due=[DOCUMENT],
        current_deadline=when.now + when.deadline_days * _SECONDS_PER_DAY,
    )


def due_later(account: Document, when: Circumstances) -> None:
    """Still able to be paid; a rule that comes into force later will ask for something."""
    approve(account, when)
    account["future_requirements"].update(
        currently_due=[DOCUMENT],
        eventually_due=[DOCUMENT],
        current_deadline=when.now + when.deadline_days * _SECONDS_PER_DAY,
    )


def pause(account: Document, when: Circumstances) -> None:
    """The platform paused the account."""
    _disabled(account, "platform_paused", capabilities="inactive")


def disable(account: Document, when: Circumstances) -> None:
    """Disabled for whatever reason is given, known or not: `listed`, `other`, a word from the future."""
    _submitted(account, when)
    _disabled(account, when.reason or "other", capabilities="inactive")


def stop_payouts(account: Document, when: Circumstances) -> None:
    """Payouts are off, with no reason given."""
    account["payouts_enabled"] = False


def change_bank(account: Document, when: Circumstances) -> None:
    """Another bank account in place of the present one."""
    present = account["external_accounts"]["data"]
    last4 = "4321" if not present or present[0]["last4"] != "4321" else "6789"
    bank = new_bank_account(account, last4=last4)
    attach(account, [{**bank, "fingerprint": when.fingerprint or bank["fingerprint"]}])


def remove_bank(account: Document, when: Circumstances) -> None:
    """The bank account was removed: there is nowhere to pay out to, which is past due at once."""
    _disabled(account, "requirements.past_due", capabilities="active")
    needed = ["external_account"]
    account["requirements"].update(currently_due=needed, eventually_due=needed, past_due=needed)
    attach(account, [])


def lose_transfers(account: Document, when: Circumstances) -> None:
    """Nothing can be transferred to it any more, with no reason given; what it has is still paid out."""
    account["capabilities"] = {**account["capabilities"], "transfers": "inactive"}


def start_over(account: Document, when: Circumstances) -> None:
    """As new: nothing submitted, and so past due."""
    _disabled(account, "requirements.past_due", capabilities="inactive")
    needed = ["external_account", "individual.first_name", "individual.last_name", "tos_acceptance.date"]
    account["requirements"].update(currently_due=needed, eventually_due=needed, past_due=needed)
    account["details_submitted"] = False
    attach(account, [])


FATES: dict[str, Fate] = {
    "approve": approve,
    "review": review,
    "under_review": under_review,
    "restrict": restrict,
    "reject": reject,
    "unreject": unreject,
    "due": due,
    "due_later": due_later,
    "pause": pause,
    "disable": disable,
    "stop_payouts": stop_payouts,
    "change_bank": change_bank,
    "remove_bank": remove_bank,
    "lose_transfers": lose_transfers,
    "start_over": start_over,
}
"""By the name that pages and the control API use. `deauthorise` and `delete` end the platform's access instead."""


def fate_named(name: str) -> Fate:
    """The fate of that name; raises UnknownFate."""
    try:
        return FATES[name]
    except KeyError:
        raise UnknownFate(f"unknown fate {name!r}; known: {', '.join(sorted(FATES))}") from None


def _reason_of(account: Document) -> str:
    return account["requirements"]["disabled_reason"] or ""


def _submitted(account: Document, when: Circumstances) -> None:
    account["details_submitted"] = True
    account["business_type"] = account["business_type"] or "individual"
    account["future_requirements"] = no_requirements()
    account.pop("_before_rejection", None)
    if account["tos_acceptance"].get("date") is None:
        account["tos_acceptance"]["date"] = when.now
    if not account["external_accounts"]["data"]:
        attach(account, [new_bank_account(account)])


def _disabled(account: Document, reason: str, *, capabilities: str) -> None:
    account["charges_enabled"] = False
    account["payouts_enabled"] = False
    account["requirements"] = {**no_requirements(), "disabled_reason": reason}
    _capabilities(account, capabilities)


def _capabilities(account: Document, status: str) -> None:
    account["capabilities"] = dict.fromkeys(account["capabilities"], status)
