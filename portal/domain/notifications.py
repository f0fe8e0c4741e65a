"""What mails tell: one kind for each sort of fact, and how soon one that could not be sent is tried again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from portal.domain.accounts import AccountDetail, AccountStatus, Requirements
from portal.domain.payouts import PayoutStatus
from portal.domain.requirements import plain_requirements

#: With the pauses between them this is about two days; then a person must look.
TRIES_BEFORE_PARKED = 56


class MailKind(StrEnum):
    """What a mail tells. The value is stored, and names the folder of the mail's words."""

    status_pending = "status_pending"
    status_verified = "status_verified"
    status_restricted = "status_restricted"
    status_disconnected = "status_disconnected"
    status_rejected = "status_rejected"
    setup_reminder = "setup_reminder"
    action_reminder = "action_reminder"
    payout_requested = "payout_requested"
    payout_sent = "payout_sent"
    payout_arrived = "payout_arrived"
    """It is in the bank."""
    payout_skipped = "payout_skipped"
    """An automatic one was not made."""
    payout_declined = "payout_declined"
    payout_failed = "payout_failed"
    payout_canceled = "payout_canceled"
    payout_taken_back = "payout_taken_back"
    payout_returned = "payout_returned"
    """A bank did not keep it; the payout stays sent."""
    bank_changed = "bank_changed"
    preference_changed = "preference_changed"
    account_blocked = "account_blocked"
    account_unblocked = "account_unblocked"
    sending_stopped = "sending_stopped"
    """To the operators."""
    transfer_taken_back = "transfer_taken_back"
    """To the operators."""
    bank_payout_short = "bank_payout_short"
    """To the operators: Stripe had not enough to pay out what was transferred."""
    run_sent_nothing = "run_sent_nothing"
    """To the operators: a run of many payouts sent none of them."""
    daily_digest = "daily_digest"
    """To the operators, each morning."""


#: What a person may do without. All else is about their money, who may have it, or something that only they can do.
OPTIONAL = (
    MailKind.payout_requested,
    MailKind.payout_sent,
    MailKind.payout_arrived,
    MailKind.payout_skipped,
    MailKind.setup_reminder,
)

_OF_STATUS: Mapping[AccountStatus, MailKind] = {
    AccountStatus.pending: MailKind.status_pending,
    AccountStatus.verified: MailKind.status_verified,
    AccountStatus.restricted: MailKind.status_restricted,
    AccountStatus.rejected: MailKind.status_rejected,
}

#: The moves of a payout that an affiliate is written about; what is held is told by whatever holds it, and what was
#: taken back by each reversal.
OF_MOVE: Mapping[PayoutStatus, MailKind] = {
    PayoutStatus.paid: MailKind.payout_sent,
    PayoutStatus.rejected: MailKind.payout_declined,
    PayoutStatus.failed: MailKind.payout_failed,
    PayoutStatus.canceled: MailKind.payout_canceled,
}


def is_wanted(kind: MailKind, unwanted: Collection[str]) -> bool:
    """Whether an affiliate gets mail of a kind, who would rather not have those that are `unwanted`."""
    return kind not in OPTIONAL or kind not in unwanted


def kind_of_status(status: AccountStatus, detail: AccountDetail | None) -> MailKind:
    """Which mail tells of a Stripe account's status."""
    return MailKind.status_disconnected if detail is AccountDetail.disconnected else _OF_STATUS[status]


def wanted_words(requirements: Requirements) -> list[str]:
    """What Stripe still needs, a line each. Words of Stripe's own that hold an address are left out: no mail links
    anywhere but to the portal."""
    return [
        f"{item.words} – {item.error}" if item.error and "://" not in item.error else item.words
        for item in plain_requirements(requirements)
    ]
