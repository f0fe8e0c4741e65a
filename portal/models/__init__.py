"""Every table; importing this module makes them all known to the metadata."""

from portal.models.access import ApiToken, Identity, KeptForm, Operator, SignInSession, User
from portal.models.affiliates import (
    Affiliate,
    FindingKind,
    StripeAccount,
    VerificationFinding,
    VerificationRun,
)
from portal.models.audit_seals import AuditSeal
from portal.models.bank_payouts import BankPayout, CarriedPayout
from portal.models.base import Base
from portal.models.decisions import DecidedPayout, Decision
from portal.models.journal import ActorKind, AuditRow, EventState, JobSlot, WebhookEvent
from portal.models.ledger import Earning, LedgerAccount, LedgerEntry, Refund
from portal.models.outbox import MailState, OutboxMail
from portal.models.payout_runs import ListedPayout, PayoutRun
from portal.models.payouts import FirstApproval, Installation, Payout, PayoutAttempt, SendingFault
from portal.models.reconciliation import (
    EventBackfill,
    ReadEventList,
    ReconciliationAcceptance,
    ReconciliationPass,
)
from portal.models.statements import Statement
from portal.models.stripe_lanes import StripeLane
from portal.models.webhooks import WebhookHearing, WebhookRefusalCount, WebhookSelfTest

__all__ = [
    "ActorKind",
    "Affiliate",
    "ApiToken",
    "AuditRow",
    "AuditSeal",
    "BankPayout",
    "Base",
    "CarriedPayout",
    "DecidedPayout",
    "Decision",
    "Earning",
    "EventBackfill",
    "EventState",
    "FindingKind",
    "FirstApproval",
    "Identity",
    "Installation",
    "JobSlot",
    "KeptForm",
    "LedgerAccount",
    "LedgerEntry",
    "ListedPayout",
    "MailState",
    "Operator",
    "OutboxMail",
    "Payout",
    "PayoutAttempt",
    "PayoutRun",
    "ReadEventList",
    "ReconciliationAcceptance",
    "ReconciliationPass",
    "Refund",
    "SendingFault",
    "SignInSession",
    "Statement",
    "StripeAccount",
    "StripeLane",
    "User",
    "VerificationFinding",
    "VerificationRun",
    "WebhookEvent",
    "WebhookHearing",
    "WebhookRefusalCount",
    "WebhookSelfTest",
]
