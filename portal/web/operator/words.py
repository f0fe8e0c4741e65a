"""What states and reasons are called on the operators' pages, where affiliates' words would say too little."""

from __future__ import annotations

from collections.abc import Mapping

from portal.domain.accounts import AccountDetail
from portal.domain.attempts import Outcome
from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.domain.payout_runs import RunTrigger, SkipReason
from portal.domain.payouts import HoldReason, WaitReason
from portal.domain.webhooks import WebhookRefusal
from portal.models import ActorKind, EventState, FindingKind

HOLD_WORDS: Mapping[HoldReason, str] = {
    HoldReason.blocked: "The affiliate is blocked.",
    HoldReason.not_verified: "Stripe does not have the affiliate as verified.",
    HoldReason.account_changed: "The Stripe account or wallet is not the one this was approved for.",
    HoldReason.bank_changed: "The bank account at Stripe changed a short while ago.",
    HoldReason.preference_changed: "The affiliate has chosen another way to be paid since.",
}

WAIT_WORDS: Mapping[WaitReason, str] = {
    WaitReason.funds: "The platform's Stripe balance did not cover it.",
    WaitReason.stripe_away: "Stripe could not be asked whether the affiliate may be paid.",
}

SKIP_WORDS: Mapping[SkipReason, str] = {
    **{SkipReason(reason): words for reason, words in HOLD_WORDS.items()},
    SkipReason.requested: "It waits for approval.",
    SkipReason.unknown: "It was sent before; its outcome is not known yet.",
    SkipReason.by_hand: "It goes to a wallet; an operator pays it by hand.",
    SkipReason.parked: "It could not be sent; a person must look first.",
}

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.paid: "Sent",
    Outcome.held: "On hold",
    Outcome.waiting: "Waiting",
    Outcome.failed: "Failed",
    Outcome.unknown: "Not known yet",
    Outcome.skipped: "Left alone",
}

TRIGGER_WORDS: Mapping[RunTrigger, str] = {
    RunTrigger.operator: "An operator",
    RunTrigger.timetable: "The timetable",
    RunTrigger.shell: "The shell",
}

DECISION_WORDS: Mapping[DecisionKind, str] = {
    DecisionKind.approve: "Approve",
    DecisionKind.reject: "Decline",
    DecisionKind.cancel: "Cancel",
    DecisionKind.retry: "Retry",
    DecisionKind.mark_paid: "Mark as paid",
}

#: Where it can be done with none of them.
NONE_WORDS: Mapping[DecisionKind, str] = {
    DecisionKind.approve: "None of these can be approved.",
    DecisionKind.reject: "None of these can be declined.",
    DecisionKind.cancel: "None of these can be canceled.",
    DecisionKind.retry: "None of these can be tried again.",
    DecisionKind.mark_paid: "None of these can be marked as paid.",
}

_SKIPPED = {DecisionOutcome.skipped: "skipped"}

#: What became of so many of a list, in the order in which it is said.
DONE_WORDS: Mapping[DecisionKind, Mapping[DecisionOutcome, str]] = {
    DecisionKind.approve: {
        DecisionOutcome.done: "approved",
        DecisionOutcome.first: "given the first of two approvals",
        **_SKIPPED,
    },
    DecisionKind.reject: {DecisionOutcome.done: "declined", **_SKIPPED},
    DecisionKind.cancel: {DecisionOutcome.done: "canceled", **_SKIPPED},
    DecisionKind.retry: {DecisionOutcome.done: "retried", **_SKIPPED},
    DecisionKind.mark_paid: {DecisionOutcome.done: "marked as paid", **_SKIPPED},
}

DETAIL_WORDS: Mapping[AccountDetail, str] = {
    AccountDetail.setup_incomplete: "Set-up is not finished. The affiliate has to go on at Stripe.",
    AccountDetail.reviewing: "Stripe is reviewing. Nobody has to do anything.",
    AccountDetail.attention: "Payouts work. Stripe wants something more by a deadline.",
    AccountDetail.action_required: "The affiliate has to give Stripe something.",
    AccountDetail.stripe_investigating: "Stripe stopped payouts and is looking into it.",
    AccountDetail.platform_paused: "The platform paused this account at Stripe.",
    AccountDetail.platform_must_act: "The platform has to request a capability for it at Stripe.",
    AccountDetail.unknown_reason: "Stripe disabled it with a reason that the portal does not know.",
    AccountDetail.disconnected: "The account is deleted or no longer the platform's to see.",
}

ACTION_WORDS: Mapping[str, str] = {
    "affiliate.created": "Joined",
    "affiliate.claimed": "Claimed at sign-in",
    "affiliate.account_connected": "Stripe account made",
    "affiliate.status_changed": "Stripe status changed",
    "affiliate.preference_changed": "Way to be paid changed",
    "affiliate.bank_changed": "Bank account at Stripe changed",
    "affiliate.bank_shared": "Same bank account as another affiliate",
    "affiliate.shared_bank_accepted": "Shared bank account accepted",
    "affiliate.wallet_changed": "Wallet changed",
    "affiliate.automatic_changed": "Automatic payouts changed",
    "affiliate.name_changed": "Name changed",
    "affiliate.time_zone_changed": "Time zone changed",
    "affiliate.language_changed": "Language changed",
    "affiliate.mail_changed": "E-mails switched off changed",
    "affiliate.blocked": "Blocked",
    "affiliate.unblocked": "Unblocked",
    "affiliate.noted": "Note",
    "earning.refunded": "Earning refunded",
    "payout.status_changed": "Payout moved",
    "payout.bank_payout_changed": "Bank payout moved",
    "payout.first_approved": "First of two approvals",
    "payout.parked": "Left alone after failing",
    "payout.retry_asked": "Retry asked for",
    "payout.paid_by_hand": "Paid by hand",
    "payouts.run_confirmed": "Payout run confirmed",
    "sending.halted": "Sending stopped",
    "sending.resumed": "Sending resumed",
    "reconciliation.difference_accepted": "Difference explained",
    "event.replayed": "Event replayed",
    "verification.requested": "Verification asked for",
    "webhooks.self_test_asked": "Webhook self-test asked for",
    "operator.added": "Operator added",
    "operator.removed": "Operator removed",
    "api_token.created": "Token made",
    "api_token.revoked": "Token revoked",
}

FINDING_WORDS: Mapping[FindingKind, str] = {
    FindingKind.changed: "Changed",
    FindingKind.not_shown: "Stripe did not show it",
    FindingKind.no_answer: "Stripe gave no answer",
}

EVENT_WORDS: Mapping[EventState, str] = {
    EventState.received: "Waiting",
    EventState.processed: "Processed",
    EventState.ignored: "Ignored",
    EventState.parked: "Needs a person",
}

REFUSAL_WORDS: Mapping[WebhookRefusal, str] = {
    WebhookRefusal.bad_signature: "Not signed with one of our secrets",
    WebhookRefusal.too_old: "Signed too long ago",
    WebhookRefusal.from_the_future: "Signed in the future",
    WebhookRefusal.not_an_event: "Signed, but not an event",
    WebhookRefusal.too_large: "Too large",
    WebhookRefusal.other_mode: "Of the other mode (live or test); answered and not kept",
}

ACTOR_WORDS: Mapping[ActorKind, str] = {
    ActorKind.affiliate: "Affiliate",
    ActorKind.operator: "Operator",
    ActorKind.system: "The portal",
    ActorKind.stripe: "Stripe",
    ActorKind.machine: "A machine",
    ActorKind.shell: "Shell",
}


def action_words(action: str) -> str:
    """What an entry of the audit trail is called; one that has no words of its own is named as it is stored."""
    return ACTION_WORDS.get(action, action)
