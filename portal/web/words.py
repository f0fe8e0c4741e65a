"""What states and movements are called on screen: the one place where a stored word becomes an affiliate's."""

from __future__ import annotations

from collections.abc import Mapping

from portal.domain.accounts import AccountStatus
from portal.domain.bank_payouts import BankStage
from portal.domain.conditions import ConditionKind, ConditionState
from portal.domain.ledger import MOVES, AccountKind, EntryKind
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus
from portal.domain.statements import StatementKind, StatementTotals

PAYOUT_WORDS: Mapping[PayoutStatus, str] = {
    PayoutStatus.requested: "Waiting for approval",
    PayoutStatus.approved: "Approved",
    PayoutStatus.held: "On hold",
    PayoutStatus.processing: "Being sent",
    PayoutStatus.paid: "Sent",
    PayoutStatus.failed: "Failed",
    PayoutStatus.rejected: "Declined",
    PayoutStatus.canceled: "Canceled",
    PayoutStatus.reversed: "Taken back",
}

#: How far what was sent is on its way from Stripe to the bank.
BANK_WORDS: Mapping[BankStage, str] = {
    BankStage.on_its_way: "On its way to your bank",
    BankStage.arrived: "Arrived",
    BankStage.returned: "Returned by your bank",
}

#: How long the last way usually takes; nobody knows the day before Stripe names it.
TO_BANK_WORDS = "about 3–5 business days"

#: The badge: its sign, hidden from screen readers, and its words. Together they are a promise to the letter.
BADGE: Mapping[AccountStatus | None, tuple[str, str]] = {
    None: ("", "Not set up yet"),
    AccountStatus.pending: ("⏳", "Your Stripe account verification is pending"),
    AccountStatus.verified: ("✓", "Verified"),
    AccountStatus.restricted: ("⚠️", "Your Stripe account is restricted"),
    AccountStatus.rejected: ("❌", "Your Stripe account was rejected"),
}

#: Said once when a page changes by itself.
STATUS_NEWS: Mapping[AccountStatus | None, str] = {
    None: "Your Stripe account is not set up yet.",
    AccountStatus.pending: "Your Stripe account verification is pending.",
    AccountStatus.verified: "Your Stripe account is now verified.",
    AccountStatus.restricted: "Your Stripe account is restricted.",
    AccountStatus.rejected: "Your Stripe account was rejected.",
}

#: Nothing came of “Check status”; and Stripe gave no answer at all.
NO_CHANGE = "No change yet. Stripe has not updated your account since last time."
NEWS_IN_STATUS = "Stripe has updated your account. What it says now is shown here."
NOT_REACHED = "Could not reach Stripe. Your set-up may still have gone through. Try again in a minute."
STILL_CHECKING = "Stripe is still checking. You can close this page; the status here updates by itself."

#: What must hold before a payout can be requested.
CONDITION_WORDS: Mapping[ConditionKind, str] = {
    ConditionKind.payout_way: "Choose how to be paid",
    ConditionKind.stripe_set_up: "Finish your Stripe set-up",
    ConditionKind.stripe_verified: "Stripe has verified you",
    ConditionKind.good_standing: "Your account is in good standing",
    ConditionKind.minimum: "Your balance has reached the minimum",
    ConditionKind.no_open_payout: "No other payout is open",
    ConditionKind.rate: "Not too many requests at once",
}

#: Whose move it is, on the tag beside.
CONDITION_STATES: Mapping[ConditionState, str] = {
    ConditionState.done: "Done",
    ConditionState.you: "You need to act",
    ConditionState.stripe: "Waiting for Stripe",
    ConditionState.us: "Waiting for us",
    ConditionState.time: "Not yet",
    ConditionState.later: "Cannot start yet",
}

#: What happened, line by line in the ledger.
ENTRY_WORDS: Mapping[EntryKind, str] = {
    EntryKind.earn: "You earned a commission. It is on hold until refunds can no longer happen.",
    EntryKind.mature: "The hold of a commission ended. You can have it paid out.",
    EntryKind.pay_owed: "What you owed after a refund was paid off from your balance.",
    EntryKind.reserve: "Set aside for a payout you requested.",
    EntryKind.settle: "Sent to you.",
    EntryKind.release: "Back in your balance: the payout was not sent.",
    EntryKind.reverse: "A payout was taken back; the money is in your balance again.",
    EntryKind.refund_on_hold: "Refund adjustment: a customer got their money back. Taken from what is on hold.",
    EntryKind.refund_available: "Refund adjustment: a customer got their money back. Taken from your balance.",
    EntryKind.refund_owed: "Refund adjustment: more was refunded than you had. You owe it for now.",
}

#: What the lines of a statement are called.
STATEMENT_WORDS: Mapping[StatementKind, str] = {
    StatementKind.earned: "Commission",
    StatementKind.refunded: "Refund adjustment",
    StatementKind.sent: "Payout sent",
    StatementKind.taken_back: "Payout taken back",
}

_ACCOUNT_WORDS: Mapping[AccountKind, str] = {
    AccountKind.earned: "Earnings",
    AccountKind.on_hold: "On hold",
    AccountKind.available: "Available",
    AccountKind.reserved: "In transit",
    AccountKind.paid_out: "Paid to date",
    AccountKind.owed: "Owed",
}


def moved_words(kind: EntryKind) -> tuple[str, str]:
    """From where to where an entry moves money: `Available`, `In transit`."""
    source, target = MOVES[kind]
    return _ACCOUNT_WORDS[source], _ACCOUNT_WORDS[target]


def condition_words(kind: ConditionKind) -> str:
    """A line of “Why can't I be paid?”."""
    return CONDITION_WORDS[kind]


def whose_move(state: ConditionState) -> str:
    """The words on the tag of such a line."""
    return CONDITION_STATES[state]


def statement_words(kind: StatementKind) -> str:
    """What a line of a statement is called."""
    return STATEMENT_WORDS[kind]


def statement_sums(totals: StatementTotals, *, is_final: bool) -> list[tuple[str, Money]]:
    """A statement's sums in their order, signed as they count."""
    return [
        ("Opening balance", totals.opening),
        ("Commissions", totals.earned),
        ("Refund adjustments", -totals.refunded),
        ("Payouts sent", -totals.sent),
        *([("Payouts taken back", totals.taken_back)] if totals.taken_back.amount else []),
        ("Closing balance" if is_final else "Balance so far", totals.closing),
    ]


def payout_words(stage: PayoutStatus | BankStage) -> str:
    """The words on a payout's tag."""
    return BANK_WORDS[stage] if isinstance(stage, BankStage) else PAYOUT_WORDS[stage]


def badge_sign(status: AccountStatus | None) -> str:
    """The badge's sign; empty where there is none."""
    return BADGE[status][0]


def badge_words(status: AccountStatus | None) -> str:
    """The badge's words after the sign."""
    return BADGE[status][1]
