"""What a Stripe account means for a payout: one table from its facts to a status, and to who has to act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.domain.account_facts import (
    AccountFacts,
    BankAccount,
    RequirementError,
    Requirements,
    bank_account_from_stripe,
    facts_from_stripe,
)

__all__ = [
    "AccountDetail",
    "AccountFacts",
    "AccountStanding",
    "AccountStatus",
    "Actor",
    "BankAccount",
    "RequirementError",
    "Requirements",
    "bank_account_from_stripe",
    "derive_standing",
    "facts_from_stripe",
]


class AccountStatus(StrEnum):
    """What is stored of an affiliate who has a Stripe account; one without has None."""

    pending = "pending"
    """Set-up is not finished, or Stripe is still looking at it."""
    verified = "verified"
    """May be paid."""
    restricted = "restricted"
    """Can't be paid until somebody does something; the detail says who."""
    rejected = "rejected"
    """Stripe or the platform closed it to payouts; it can be undone, so it is asked about like any other."""

    @property
    def is_payable(self) -> bool:
        """Whether a payout may be requested, approved and sent."""
        return self is AccountStatus.verified


class AccountDetail(StrEnum):
    """What stands behind a status, stored beside it."""

    setup_incomplete = "setup_incomplete"
    """The affiliate began at Stripe and has not finished."""
    reviewing = "reviewing"
    """Stripe has everything it asked for."""
    attention = "attention"
    """Payouts work; Stripe wants something more, by a deadline."""
    action_required = "action_required"
    """Payouts stand still until the affiliate gives Stripe something."""
    stripe_investigating = "stripe_investigating"
    """Stripe stopped payouts and says no more; its reason is not for the affiliate's eyes."""
    platform_paused = "platform_paused"
    """The platform itself paused the account at Stripe."""
    platform_must_act = "platform_must_act"
    """The platform has to request a capability."""
    unknown_reason = "unknown_reason"
    """Stripe disabled the account with a reason that is not known here."""
    disconnected = "disconnected"
    """The account is deleted, or no longer the platform's to see."""


class Actor(StrEnum):
    """Whose move it is."""

    affiliate = "affiliate"
    stripe = "stripe"
    operator = "operator"
    support = "support"
    nobody = "nobody"


@dataclass(frozen=True)
class AccountStanding:
    """What the facts mean. `deadline_at` (UTC) is when the affiliate must have acted; `needs_alert` asks for
    the operators to be told."""

    status: AccountStatus | None
    detail: AccountDetail | None
    acts: Actor
    onboarding_complete: bool
    deadline_at: datetime | None
    needs_alert: bool


_Condition = Callable[[AccountFacts], bool]


@dataclass(frozen=True)
class _Row:
    """One line of the table: when it applies, and what it says."""

    number: int
    applies: _Condition
    status: AccountStatus
    detail: AccountDetail | None
    acts: Actor
    needs_alert: bool = False


def _disabled(*reasons: str, submitted: bool | None = None, due: bool | None = None) -> _Condition:
    """Disabled for one of these reasons; where given, also by whether details are submitted or things due."""

    def applies(facts: AccountFacts) -> bool:
        return (
            facts.requirements.disabled_reason in reasons
            and submitted in {None, facts.details_submitted}
            and due in {None, facts.requirements.is_anything_due}
        )

    return applies


_PAST_DUE, _CAPABILITIES, _OTHER = "requirements.past_due", "action_required.requested_capabilities", "other"
_UNFINISHED = _disabled(_PAST_DUE, _OTHER, _CAPABILITIES, submitted=False)
_S, _D, _A = AccountStatus, AccountDetail, Actor

#: The first row that applies counts. Rows 2 to 11 are about a disabled reason, 12 to 17 have none.
#: https://docs.stripe.com/api/accounts/object#account_object-requirements-disabled_reason
_TABLE: tuple[_Row, ...] = (
    _Row(1, lambda f: f.deleted, _S.restricted, _D.disconnected, _A.affiliate),
    _Row(2, lambda f: f.disabled_reason.startswith("rejected."), _S.rejected, None, _A.support),
    _Row(3, _disabled("listed"), _S.restricted, _D.stripe_investigating, _A.stripe),
    _Row(4, _disabled("platform_paused"), _S.restricted, _D.platform_paused, _A.operator),
    _Row(5, _disabled("under_review"), _S.pending, _D.reviewing, _A.stripe),
    _Row(6, _disabled("requirements.pending_verification"), _S.pending, _D.reviewing, _A.stripe),
    _Row(7, _UNFINISHED, _S.pending, _D.setup_incomplete, _A.affiliate),
    _Row(8, _disabled(_PAST_DUE), _S.restricted, _D.action_required, _A.affiliate),
    _Row(9, _disabled(_OTHER, due=True), _S.restricted, _D.action_required, _A.affiliate),
    _Row(9, _disabled(_OTHER, due=False), _S.restricted, _D.stripe_investigating, _A.stripe),
    _Row(10, _disabled(_CAPABILITIES), _S.restricted, _D.platform_must_act, _A.operator),
    _Row(11, lambda f: f.is_disabled, _S.restricted, _D.unknown_reason, _A.operator, needs_alert=True),
    _Row(12, lambda f: f.can_receive and f.is_anything_wanted, _S.verified, _D.attention, _A.affiliate),
    _Row(12, lambda f: f.can_receive, _S.verified, None, _A.nobody),
    _Row(13, lambda f: not f.details_submitted, _S.pending, _D.setup_incomplete, _A.affiliate),
    _Row(14, lambda f: f.is_under_verification, _S.pending, _D.reviewing, _A.stripe),
    _Row(15, lambda f: f.requirements.is_anything_due, _S.restricted, _D.action_required, _A.affiliate),
    _Row(16, lambda f: f.lacks_transfers, _S.restricted, _D.platform_must_act, _A.operator),
    # Nothing explains it: whoever keeps the time tells the operators when it has lasted for 7 days.
    _Row(17, lambda _: True, _S.pending, _D.reviewing, _A.operator),
)

_NOT_SET_UP = AccountStanding(
    None, None, Actor.affiliate, onboarding_complete=False, deadline_at=None, needs_alert=False
)


def derive_standing(facts: AccountFacts | None) -> AccountStanding:
    """What a freshly retrieved account means for its affiliate; None: there is no account yet (row 0).

    The only place where a status is decided. It is never fed the body of an event, nor a capability's own
    `disabled_reason`, which is another list of words.
    """
    if facts is None:
        return _NOT_SET_UP
    row = next(row for row in _TABLE if row.applies(facts))
    return AccountStanding(
        status=row.status,
        detail=row.detail,
        acts=row.acts,
        onboarding_complete=row.status is AccountStatus.verified,
        deadline_at=facts.next_deadline_at if row.acts is Actor.affiliate else None,
        needs_alert=row.needs_alert,
    )
