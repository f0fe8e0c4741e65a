"""What states and movements are called on screen: the one place where a stored word becomes an affiliate's."""

from __future__ import annotations

from collections.abc import Mapping

from portal.domain.accounts import AccountStatus
from portal.domain.bank_payouts import BankStage
from portal.domain.conditions import ConditionKind, ConditionState
from portal.domain.ledger import MOVES, AccountKind, EntryKind
from portal.domain.money import Money
from portal.domain.payouts import PayoutStatus
from portal.domain.sentences import Sentence
from portal.domain.statements import StatementKind, StatementTotals

PAYOUT_WORDS: Mapping[PayoutStatus, str] = {
    PayoutStatus.requested: Sentence("Waiting for approval"),
    PayoutStatus.approved: Sentence("Approved"),
    PayoutStatus.held: Sentence("On hold"),
    PayoutStatus.processing: Sentence("Being sent"),
    PayoutStatus.paid: Sentence("Sent"),
    PayoutStatus.failed: Sentence("Failed"),
    PayoutStatus.rejected: Sentence("Declined"),
    PayoutStatus.canceled: Sentence("Canceled"),
    PayoutStatus.reversed: Sentence("Taken back"),
}

#: How far what was sent is on its way from Stripe to the bank.
BANK_WORDS: Mapping[BankStage, str] = {
    BankStage.on_its_way: Sentence("On its way to your bank"),
    BankStage.arrived: Sentence("Arrived"),
    BankStage.returned: Sentence("Returned by your bank"),
}

#: How long the last way usually takes; nobody knows the day before Stripe names it.
TO_BANK_WORDS = Sentence("about 3–5 business days")

#: The badge: its sign, hidden from screen readers, and its words. Together they are a promise to the letter.
BADGE: Mapping[AccountStatus | None, tuple[str, str]] = {
    None: ("", Sentence("Not set up yet")),
    AccountStatus.pending: ("⏳", Sentence("Your Stripe account verification is pending")),
    AccountStatus.verified: ("✓", Sentence("Verified")),
    AccountStatus.restricted: ("⚠️", Sentence("Your Stripe account is restricted")),
    AccountStatus.rejected: ("❌", Sentence("Your Stripe account was rejected")),
}

#: Said once when a page changes by itself.
STATUS_NEWS: Mapping[AccountStatus | None, str] = {
    None: Sentence("Your Stripe account is not set up yet."),
    AccountStatus.pending: Sentence("Your Stripe account verification is pending."),
    AccountStatus.verified: Sentence("Your Stripe account is now verified."),
    AccountStatus.restricted: Sentence("Your Stripe account is restricted."),
    AccountStatus.rejected: Sentence("Your Stripe account was rejected."),
}

#: Said once when the dashboard has news.
DASHBOARD_NEWS = Sentence("Your dashboard has been updated.")

#: Nothing came of “Check status”; and Stripe gave no answer at all.
NO_CHANGE = Sentence("No change yet. Stripe has not updated your account since last time.")
NEWS_IN_STATUS = Sentence("Stripe has updated your account. What it says now is shown here.")
NOT_REACHED = Sentence(
    "Could not reach Stripe. Your set-up may still have gone through. Try again in a minute."
)
STILL_CHECKING = Sentence(
    "Stripe is still checking. You can close this page; the status here updates by itself."
)

#: What must hold before a payout can be requested.
CONDITION_WORDS: Mapping[ConditionKind, str] = {
    ConditionKind.payout_way: Sentence("Choose how to be paid"),
    ConditionKind.stripe_set_up: Sentence("Finish your Stripe set-up"),
    ConditionKind.stripe_verified: Sentence("Stripe has verified you"),
    ConditionKind.good_standing: Sentence("Your account is in good standing"),
    ConditionKind.minimum: Sentence("Your balance has reached the minimum"),
    ConditionKind.no_open_payout: Sentence("No other payout is open"),
    ConditionKind.rate: Sentence("Not too many requests at once"),
}

#: Whose move it is, on the tag beside.
CONDITION_STATES: Mapping[ConditionState, str] = {
    ConditionState.done: Sentence("Done"),
    ConditionState.you: Sentence("You need to act"),
    ConditionState.stripe: Sentence("Waiting for Stripe"),
    ConditionState.us: Sentence("Waiting for us"),
    ConditionState.time: Sentence("Not yet"),
    ConditionState.later: Sentence("Cannot start yet"),
}

#: What happened, line by line in the ledger.
ENTRY_WORDS: Mapping[EntryKind, str] = {
    EntryKind.earn: Sentence("You earned a commission. It is on hold until refunds can no longer happen."),
    EntryKind.mature: Sentence("The hold of a commission ended. You can have it paid out."),
    EntryKind.pay_owed: Sentence("What you owed after a refund was paid off from your balance."),
    EntryKind.reserve: Sentence("Set aside for a payout you requested."),
    EntryKind.settle: Sentence("Sent to you."),
    EntryKind.release: Sentence("Back in your balance: the payout was not sent."),
    EntryKind.reverse: Sentence("A payout was taken back; the money is in your balance again."),
    EntryKind.refund_on_hold: Sentence(
        "Refund adjustment: a customer got their money back. Taken from what is on hold."
    ),
    EntryKind.refund_available: Sentence(
        "Refund adjustment: a customer got their money back. Taken from your balance."
    ),
    EntryKind.refund_owed: Sentence("Refund adjustment: more was refunded than you had. You owe it for now."),
}

#: What the lines of a statement are called.
STATEMENT_WORDS: Mapping[StatementKind, str] = {
    StatementKind.earned: Sentence("Commission"),
    StatementKind.refunded: Sentence("Refund adjustment"),
    StatementKind.sent: Sentence("Payout sent"),
    StatementKind.taken_back: Sentence("Payout taken back"),
}

_ACCOUNT_WORDS: Mapping[AccountKind, str] = {
    AccountKind.earned: Sentence("Earnings"),
    AccountKind.on_hold: Sentence("On hold"),
    AccountKind.available: Sentence("Available"),
    AccountKind.reserved: Sentence("In transit"),
    AccountKind.paid_out: Sentence("Paid to date"),
    AccountKind.owed: Sentence("Owed"),
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
        (Sentence("Opening balance"), totals.opening),
        (Sentence("Commissions"), totals.earned),
        (Sentence("Refund adjustments"), -totals.refunded),
        (Sentence("Payouts sent"), -totals.sent),
        *([(Sentence("Payouts taken back"), totals.taken_back)] if totals.taken_back.amount else []),
        (Sentence("Closing balance") if is_final else Sentence("Balance so far"), totals.closing),
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
