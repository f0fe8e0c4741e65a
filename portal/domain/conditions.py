"""“Why can't I be paid?” as a list: every condition of a request, in a fixed order, and whose move it is.

All conditions hold exactly when the gate lets a request through and there is enough to ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.gate import Limits, Payee, has_enough
from portal.domain.payouts import PayoutMethod


class ConditionKind(StrEnum):
    """What must hold before a payout can be requested."""

    payout_way = "payout_way"
    """A way to be paid is chosen and complete."""
    stripe_set_up = "stripe_set_up"
    stripe_verified = "stripe_verified"
    good_standing = "good_standing"
    """No operator has blocked the affiliate."""
    minimum = "minimum"
    """There is as much as the programme's minimum."""
    no_open_payout = "no_open_payout"
    rate = "rate"
    """No more requests than the programme takes in so much time."""


class ConditionState(StrEnum):
    """Whose move it is."""

    done = "done"
    you = "you"
    stripe = "stripe"
    us = "us"
    """The programme's."""
    time = "time"
    """Nobody's: it comes with time, or with more earnings."""
    later = "later"
    """It cannot start before an earlier one."""


@dataclass(frozen=True)
class Condition:
    """One line of the list."""

    kind: ConditionKind
    state: ConditionState

    @property
    def is_met(self) -> bool:
        return self.state is ConditionState.done


def conditions(payee: Payee, limits: Limits, *, detail: AccountDetail | None) -> Sequence[Condition]:
    """All conditions that concern this affiliate: Stripe's only where it is Stripe that pays."""
    is_fiat = payee.method is PayoutMethod.fiat
    states = {
        ConditionKind.payout_way: _met_or(is_fiat or bool(payee.destination), ConditionState.you),
        **(_of_stripe(payee, detail) if is_fiat else {}),
        ConditionKind.good_standing: _met_or(not payee.is_blocked, ConditionState.us),
        ConditionKind.minimum: _met_or(has_enough(limits), ConditionState.time),
        ConditionKind.no_open_payout: _met_or(limits.open_reference is None, ConditionState.us),
        ConditionKind.rate: _met_or(limits.retry_at is None, ConditionState.time),
    }
    return [Condition(kind, state) for kind, state in states.items()]


def _of_stripe(payee: Payee, detail: AccountDetail | None) -> dict[ConditionKind, ConditionState]:
    set_up, verified = _set_up_and_verified(payee, detail)
    return {ConditionKind.stripe_set_up: set_up, ConditionKind.stripe_verified: verified}


def _set_up_and_verified(payee: Payee, detail: AccountDetail | None) -> tuple[ConditionState, ConditionState]:
    if payee.destination is None or detail is AccountDetail.disconnected:
        return ConditionState.you, ConditionState.later
    match payee.status:
        case AccountStatus.verified:
            return ConditionState.done, ConditionState.done
        case AccountStatus.rejected:
            return ConditionState.done, ConditionState.us
        case AccountStatus.restricted if detail is AccountDetail.action_required:
            return ConditionState.done, ConditionState.you
        case AccountStatus.restricted if detail is AccountDetail.stripe_investigating:
            return ConditionState.done, ConditionState.stripe
        case AccountStatus.restricted:
            return ConditionState.done, ConditionState.us
        case _ if detail is AccountDetail.setup_incomplete:
            return ConditionState.you, ConditionState.later
        case _:
            return ConditionState.done, ConditionState.stripe


def _met_or(is_met: bool, otherwise: ConditionState) -> ConditionState:
    return ConditionState.done if is_met else otherwise
