"""Every table; importing this module makes them all known to the metadata."""

from portal.models.access import ApiToken, Identity, Operator, SignInSession, User
from portal.models.affiliates import Affiliate, StripeAccount, VerificationRun
from portal.models.base import Base
from portal.models.journal import ActorKind, AuditRow, EventState, JobSlot, WebhookEvent
from portal.models.ledger import Earning, LedgerAccount, LedgerEntry, Refund
from portal.models.payouts import Installation, Payout, PayoutAttempt

__all__ = [
    "ActorKind",
    "Affiliate",
    "ApiToken",
    "AuditRow",
    "Base",
    "Earning",
    "EventState",
    "Identity",
    "Installation",
    "JobSlot",
    "LedgerAccount",
    "LedgerEntry",
    "Operator",
    "Payout",
    "PayoutAttempt",
    "Refund",
    "SignInSession",
    "StripeAccount",
    "User",
    "VerificationRun",
    "WebhookEvent",
]
