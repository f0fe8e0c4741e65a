"""The gate: why can't I be paid? Three parts, one order, read by every page, refusal and run.

*Standing* (blocked, Stripe's status, preference) opens request, approval and run alike; a request adds *limits*; a run
adds *timing*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.domain.accounts import AccountStatus
from portal.domain.errors import PortalError
from portal.domain.money import (
    AmountNotReadable,
    Money,
    TooManyDecimals,
    parse_amount,
    payout_step,
    round_down_to_step,
)
from portal.domain.payouts import HoldReason, PayoutMethod
from portal.domain.sentences import Sentence


class TooManyPayoutRequests(PortalError):
    """The affiliate has made as many requests as the rate allows."""

    status = 429
    code = "too_many_payout_requests"


class AccountIsBlocked(PortalError):
    """An operator has blocked the affiliate."""

    code = "blocked"

    def __init__(self) -> None:
        super().__init__(Sentence("Your account is on hold. Please contact support."))


class StripeAccountWasRejected(PortalError):
    code = "stripe_rejected"

    def __init__(self) -> None:
        super().__init__(Sentence("Your Stripe account was rejected. Please contact support."))


class StripeAccountIsRestricted(PortalError):
    code = "stripe_restricted"

    def __init__(self) -> None:
        super().__init__(Sentence("Your Stripe account is restricted. Please complete verification."))


class VerificationIsPending(PortalError):
    code = "stripe_pending"

    def __init__(self) -> None:
        super().__init__(Sentence("Your Stripe account verification is pending."))


class WalletIsMissing(PortalError):
    code = "wallet_missing"

    def __init__(self) -> None:
        super().__init__(Sentence("Enter your wallet address in the payout preferences first."))


class PayoutIsOpen(PortalError):
    """One payout at a time: the one that is open is named."""

    code = "payout_open"

    def __init__(self, reference: str) -> None:
        super().__init__(
            Sentence(
                "Your payout {reference} is not finished yet. Cancel it or wait until it is paid.",
                reference=reference,
            )
        )
        self.reference = reference


class RequestKeyIsMissing(PortalError):
    status = 422
    code = "request_key_missing"

    def __init__(self) -> None:
        super().__init__(
            Sentence("This form is out of date. Open it again and send it once more."), field="request_key"
        )


class AmountIsRefused(PortalError):
    """The typed amount cannot be paid; said at the field."""

    status = 422
    code = "amount"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, field="amount")


class AmountBelowMinimum(AmountIsRefused):
    code = "amount_below_minimum"


class AmountAboveAvailable(AmountIsRefused):
    code = "amount_above_available"


@dataclass(frozen=True)
class Payee:
    """What standing is judged on. `destination` is the Stripe account, or the wallet for crypto."""

    is_blocked: bool
    method: PayoutMethod
    status: AccountStatus | None
    destination: str | None


def standing_refusal(payee: Payee) -> PortalError | None:
    """Why this affiliate can't be paid at all right now, or None. Crypto asks no Stripe status."""
    if payee.is_blocked:
        return AccountIsBlocked()
    if payee.method is PayoutMethod.crypto:
        return None if payee.destination else WalletIsMissing()
    if payee.status is AccountStatus.rejected:
        return StripeAccountWasRejected()
    if payee.status is AccountStatus.restricted:
        return StripeAccountIsRestricted()
    if payee.status is not AccountStatus.verified or payee.destination is None:
        return VerificationIsPending()
    return None


@dataclass(frozen=True)
class Limits:
    """What a request adds: the balance, the programme's minimum and the payout that is open, if any."""

    available: Money
    minimum: Money
    open_reference: str | None
    retry_at: datetime | None
    """When the rate allows another request (UTC); None while it does."""


def has_enough(limits: Limits) -> bool:
    """Whether there is an amount that can be asked for: at least the minimum, and round where Stripe wants it so."""
    most = round_down_to_step(limits.available)
    return most.amount > 0 and most >= limits.minimum


def request_refusal(payee: Payee, limits: Limits) -> PortalError | None:
    """The first reason why nothing can be requested at the moment, before any amount is looked at."""
    if limits.retry_at is not None:
        return TooManyPayoutRequests(
            Sentence("Too many payout requests. You can ask again on {when}.", when=limits.retry_at),
            retry_at=limits.retry_at,
        )
    refusal = standing_refusal(payee)
    if refusal is None and limits.open_reference is not None:
        return PayoutIsOpen(limits.open_reference)
    return refusal


def requested_amount(text: str, limits: Limits) -> Money:
    """The amount asked for: a decimal in the affiliate's currency, or all that is available when empty, rounded down
    where Stripe takes only round amounts. Raises AmountIsRefused."""
    available, minimum = limits.available, limits.minimum
    if text.strip():
        try:
            amount = parse_amount(text, available.currency)
        except (AmountNotReadable, TooManyDecimals) as problem:
            raise AmountIsRefused(problem.sentence) from problem
    else:
        amount = round_down_to_step(available)
    if amount.amount % payout_step(amount.currency):
        step = Money(payout_step(amount.currency), amount.currency)
        raise AmountIsRefused(Sentence("Enter a round amount: a multiple of {step}.", step=step))
    if amount > available:
        raise AmountAboveAvailable(Sentence("You can request up to {available}.", available=available))
    if amount < minimum or amount.amount == 0:
        raise AmountBelowMinimum(
            Sentence(
                "The minimum is {minimum}. You have {available} available.",
                minimum=minimum,
                available=available,
            )
        )
    return amount


@dataclass(frozen=True)
class Timing:
    """What a run adds: where the payout was approved to go, and when the bank behind it last changed (UTC)."""

    approved_method: PayoutMethod
    approved_destination: str
    bank_changed_at: datetime | None
    cooldown: timedelta


def run_hold(payee: Payee, timing: Timing, now: datetime) -> HoldReason | None:
    """Why an approved payout must not leave now, or None."""
    if payee.is_blocked:
        return HoldReason.blocked
    if payee.method is not timing.approved_method:
        return HoldReason.preference_changed
    if payee.destination != timing.approved_destination:
        return HoldReason.account_changed
    if standing_refusal(payee) is not None:
        return HoldReason.not_verified
    if payee.method is PayoutMethod.crypto:
        return None  # no bank is involved
    if timing.bank_changed_at is not None and now < timing.bank_changed_at + timing.cooldown:
        return HoldReason.bank_changed
    return None
