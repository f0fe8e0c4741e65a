"""Who is to be told what: each fact becomes a row of the outbox, in the transaction that makes it one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountStatus, Requirements
from portal.domain.attempts import Outcome
from portal.domain.bank_payouts import OUR_FAULT
from portal.domain.money import Money
from portal.domain.notifications import OF_MOVE, MailKind, is_wanted, kind_of_status, wanted_words
from portal.domain.payouts import PayoutStatus, WaitReason
from portal.domain.reminders import SETUP_DAYS
from portal.domain.roles import OperatorRole
from portal.models import ActorKind, Affiliate, BankPayout, MailState, OutboxMail, Payout, PayoutRun
from portal.models.base import Database, add_once
from portal.services.journal import Cause
from portal.services.operators import Operators

log = structlog.get_logger(__name__)

#: In a session's `info`: it has written mail, so that the worker can be told once the request is over.
MAIL_WAITS = "mail_waits"


class Notifications:
    """Writes mail down inside the unit of work that is open. A key spells its fact: what is told again, by a doubled,
    late or replayed event, is one row and one mail."""

    def __init__(self, database: Database, *, clock: Clock, operators: Operators) -> None:
        self._database = database
        self._clock = clock
        self._operators = operators

    def status_changed(self, affiliate: Affiliate) -> None:
        """A Stripe account stands otherwise than before; with what Stripe needs, in words."""
        status = affiliate.stripe_account_status
        if status is None:
            return
        self._tell(
            affiliate,
            kind_of_status(status, affiliate.stripe_account_detail),
            key=f"affiliate {affiliate.id} {status} at version {affiliate.version}",
            detail=affiliate.stripe_account_detail,
            wanted=_wanted(affiliate),
            deadline_at=_text(affiliate.stripe_deadline_at),
            is_blocked=affiliate.is_blocked,
        )

    def setup_unfinished(self, affiliate: Affiliate, *, day: int) -> bool:
        """Set-up is not begun or not finished so many days after its beginning; whether they had not been told yet."""
        account_id = affiliate.stripe_account_id
        return self._tell(
            affiliate,
            MailKind.setup_reminder,
            key=f"affiliate {affiliate.id} set-up of {account_id or 'no account'} day {day}",
            has_begun=account_id is not None,
            wanted=_wanted(affiliate),
            is_last=day == SETUP_DAYS[-1],
        )

    def action_needed(self, affiliate: Affiliate, *, days: int) -> bool:
        """Stripe wants something by a deadline so many days ahead; whether they had not been told yet."""
        deadline_at = _text(affiliate.stripe_deadline_at)
        return self._tell(
            affiliate,
            MailKind.action_reminder,
            key=f"affiliate {affiliate.id} action by {(deadline_at or '')[:10]} {days} days before",
            is_paying=affiliate.stripe_account_status is AccountStatus.verified,
            wanted=_wanted(affiliate),
            deadline_at=deadline_at,
        )

    def bank_changed(self, affiliate: Affiliate, *, is_new_account: bool = False) -> None:
        """Money goes to another bank account from now on, or to another Stripe account as a whole."""
        self._tell(
            affiliate,
            MailKind.bank_changed,
            key=f"affiliate {affiliate.id} bank changed at {_text(affiliate.bank_changed_at)}",
            is_new_account=is_new_account,
        )

    def preference_changed(self, affiliate: Affiliate) -> None:
        """Another way to be paid, or another wallet."""
        self._tell(
            affiliate,
            MailKind.preference_changed,
            key=f"affiliate {affiliate.id} preference at version {affiliate.version}",
            method=affiliate.preferred_payout_type,
            wallet_ending=(affiliate.wallet_address or "")[-6:],
        )

    def blocked(self, affiliate: Affiliate) -> None:
        """An operator put all payouts of an affiliate on hold, with a message to them."""
        key = f"affiliate {affiliate.id} blocked at version {affiliate.version}"
        self._tell(affiliate, MailKind.account_blocked, key=key, message=affiliate.block_message)

    def unblocked(self, affiliate: Affiliate) -> None:
        """They may be paid again."""
        key = f"affiliate {affiliate.id} unblocked at version {affiliate.version}"
        self._tell(affiliate, MailKind.account_unblocked, key=key)

    def payout_requested(self, payout: Payout, affiliate: Affiliate) -> None:
        """The receipt; says whether an operator has yet to look."""
        self._tell(
            affiliate,
            MailKind.payout_requested,
            key=f"payout {payout.id} requested",
            is_automatic=payout.requested_by is None,
            is_approved=payout.status is PayoutStatus.approved,
            **_payout_facts(payout),
        )

    def payout_moved(self, payout: Payout, affiliate: Affiliate, *, cause: Cause) -> None:
        """A payout has come to an end; who called it off themselves need not be told."""
        kind = OF_MOVE.get(payout.status)
        is_own = payout.status is PayoutStatus.canceled and cause.actor is ActorKind.affiliate
        if kind is not None and not is_own:
            key = f"payout {payout.id} {payout.status}"
            self._tell(affiliate, kind, key=key, **_payout_facts(payout))

    def taken_back(self, payout: Payout, affiliate: Affiliate, *, reversal_id: str, amount: int) -> None:
        """So much of a transfer was reversed: the affiliate and the operators are told."""
        facts = _payout_facts(payout) | {"amount": amount, "code": affiliate.code}
        self._tell(affiliate, MailKind.payout_taken_back, key=f"reversal {reversal_id}", **facts)
        self._tell_operators(MailKind.transfer_taken_back, key=f"reversal {reversal_id}", **facts)

    def payout_skipped(
        self, affiliate: Affiliate, *, period_on: date, available: Money, because: str
    ) -> None:
        """An automatic payout that was due was not made, by the code of the refusal; the money stays available."""
        self._tell(
            affiliate,
            MailKind.payout_skipped,
            key=f"affiliate {affiliate.id} automatic payout of {period_on} skipped",
            because=because,
            amount=available.amount,
            currency=affiliate.currency,
        )

    def arrived(self, payout: Payout, affiliate: Affiliate, bank: BankPayout) -> None:
        """The money of a payout is in the bank."""
        key = f"payout {payout.id} arrived by {bank.id}"
        facts = _payout_facts(payout) | {"bank_reference": bank.trace_id}
        self._tell(affiliate, MailKind.payout_arrived, key=key, **facts)

    def came_back_from_bank(self, payout: Payout, affiliate: Affiliate, bank: BankPayout) -> None:
        """A bank payout that carried it failed: why, and where the money is."""
        failure = bank.failure(payout.reference)
        is_ours = bank.failure_code == OUR_FAULT
        facts = _payout_facts(payout) | {"bank_payout_id": bank.id}
        self._tell(
            affiliate,
            MailKind.payout_returned,
            key=f"payout {payout.id} back from {bank.id}",
            cause=failure.cause,
            next_step=failure.next_step,
            is_ours=is_ours,
            **facts,
        )
        if is_ours:
            key = f"payout {payout.id} back from {bank.id} for want of funds"
            self._tell_operators(MailKind.bank_payout_short, key=key, code=affiliate.code, **facts)

    def sending_stopped(self, reason: str, *, at: datetime) -> None:
        """An alarm has stopped all sending."""
        self._tell_operators(
            MailKind.sending_stopped, key=f"sending stopped at {at.isoformat()}", reason=reason
        )

    def run_sent_nothing(
        self,
        run: PayoutRun,
        *,
        counts: Mapping[Outcome, int],
        waits: Mapping[WaitReason, int],
        since: UUID | None,
    ) -> None:
        """A run of many payouts sent none; told once until one sends something again."""
        self._tell_operators(
            MailKind.run_sent_nothing,
            key=f"runs that sent nothing since {since or 'the beginning'}",
            run_id=str(run.id),
            payouts=run.listed,
            totals=run.totals,
            is_broken_off=run.problem is not None,
            counts={outcome.value: counts.get(outcome, 0) for outcome in Outcome},
            waits={reason.value: waits.get(reason, 0) for reason in WaitReason},
        )

    def daily_digest(self, day: date, *, told: Mapping[str, Any]) -> int:
        """What needs a person this morning, to everybody who may act; how many had not been told yet."""
        return self._tell_operators(
            MailKind.daily_digest, key=f"digest of {day}", least=OperatorRole.operator, **told
        )

    def _tell(self, affiliate: Affiliate, kind: MailKind, *, key: str, **facts: Any) -> bool:
        """Whether it was new to the outbox; what somebody has switched off never gets there."""
        if not is_wanted(kind, affiliate.unwanted_mail):
            return False
        return self._add(kind, key=key, facts={"code": affiliate.code} | facts, affiliate_id=affiliate.id)

    def _tell_operators(
        self, kind: MailKind, *, key: str, least: OperatorRole = OperatorRole.admin, **facts: Any
    ) -> int:
        who = self._operators.within(least)
        if not who:
            log.error("operators.not_told", kind=kind, key=key)
        return sum(
            self._add(kind, key=f"{key} to operator {user_id}", facts=facts, user_id=user_id)
            for user_id in who
        )

    def _add(self, kind: MailKind, *, key: str, facts: dict[str, Any], **recipient: UUID) -> bool:
        values = {
            "deduplication_key": key,
            "kind": kind,
            "facts": facts,
            "state": MailState.waiting,
            "next_try_at": self._clock.real_now(),
            "created_at": self._clock.now(),
            **recipient,
        }
        is_new = add_once(self._database, OutboxMail, values, key="deduplication_key")
        if is_new:
            self._database().info[MAIL_WAITS] = True
        return is_new


def _payout_facts(payout: Payout) -> dict[str, Any]:
    return {
        "payout_id": str(payout.id),
        "reference": payout.reference,
        "amount": payout.amount,
        "currency": payout.currency,
        "method": payout.method,
        # Stripe's own words for a failure may hold addresses of Stripe's; the page shows them
        "reason": None if payout.status is PayoutStatus.failed else payout.reason,
    }


def _wanted(affiliate: Affiliate) -> list[str]:
    return wanted_words(Requirements.from_json(affiliate.stripe_requirements or {}))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
