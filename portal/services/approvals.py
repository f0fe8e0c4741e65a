"""The yes that a payout needs before it is sent: none below a limit, an operator's, or two operators'."""

from __future__ import annotations

from uuid import UUID

import structlog

from portal.clock import Clock
from portal.domain.approval import ApprovalRule, Yes
from portal.domain.gate import standing_refusal
from portal.domain.money import Money
from portal.domain.payouts import MoveIsNotLegal, PayoutStatus
from portal.models import ActorKind, Affiliate, FirstApproval, Payout
from portal.models.base import Database, writing
from portal.services.journal import Cause, Journal
from portal.services.payout_moves import PayoutMoves, payee_of

log = structlog.get_logger(__name__)


class Approvals:
    """Says yes to payouts; who said so stays with them."""

    def __init__(
        self, database: Database, *, clock: Clock, rule: ApprovalRule, journal: Journal, moves: PayoutMoves
    ) -> None:
        self._database = database
        self._clock = clock
        self._rule = rule
        self._journal = journal
        self._moves = moves

    @writing
    def approve(self, payout_id: UUID, *, approver: UUID, cause: Cause) -> Payout:
        """An operator's yes; above the second limit the payout stays `requested` until another operator's. Raises
        MoveIsNotLegal, NobodyApprovesTheirOwn, SecondApprovalIsAnothers, SecondApprovalNeedsThePage, or why the
        affiliate can't be paid."""
        affiliate, payout = self._moves.lock(payout_id)
        self._moves.refuse_illegal(payout, PayoutStatus.approved)
        first = self._database.get(FirstApproval, payout_id)
        if self.is_enough(affiliate, payout, first=first, approver=approver, cause=cause):
            self._approve(affiliate, payout, approver=approver, cause=cause)
        else:
            self._note_first(payout, approver=approver, cause=cause)
        return payout

    def is_enough(
        self,
        affiliate: Affiliate,
        payout: Payout,
        *,
        first: FirstApproval | None,
        approver: UUID,
        cause: Cause,
    ) -> bool:
        """Whether a payout that can be approved would be with this yes, or waits for another's. Raises as `approve`."""
        if payout.status is not PayoutStatus.requested:
            raise MoveIsNotLegal(
                f"{payout.reference} is {payout.status.value}; the next run looks at it again."
            )
        is_enough = self._rule.is_enough(
            Money(payout.amount, payout.currency),
            Yes(
                approver=approver,
                beneficiaries={payout.requested_by, affiliate.user_id},
                first_approver=first.approved_by if first else None,
                is_by_shell=cause.actor is ActorKind.shell,
            ),
        )
        payee = payee_of(affiliate)
        refusal = standing_refusal(payee)
        if refusal is not None:
            raise MoveIsNotLegal(f"{affiliate.code} can't be paid at the moment: {refusal.sentence}")
        if payee.destination != payout.destination:
            raise MoveIsNotLegal(
                f"{affiliate.code} has another Stripe account now than {payout.reference} goes to. Reject it, so that"
                " they can ask again."
            )
        return is_enough

    def approve_small(self, affiliate: Affiliate, payout: Payout) -> None:
        """Approve what needs no operator, in the unit of work that is open."""
        if self._rule.needs_no_operator(Money(payout.amount, payout.currency)):
            self._approve(affiliate, payout, approver=None, cause=Cause.system("auto-approval"))

    def _approve(self, affiliate: Affiliate, payout: Payout, *, approver: UUID | None, cause: Cause) -> None:
        payout.approved_by = approver
        payout.approved_at = self._clock.now()
        self._moves.move(payout, PayoutStatus.approved, affiliate=affiliate, cause=cause)

    def _note_first(self, payout: Payout, *, approver: UUID, cause: Cause) -> None:
        now = self._clock.now()
        self._database.add(FirstApproval(payout_id=payout.id, approved_by=approver, approved_at=now))
        self._journal.changed(
            "payout", payout.id, action="payout.first_approved", before="0 of 2", after="1 of 2", cause=cause, at=now
        )  # fmt: skip
        log.info("payout.first_approved", payout=str(payout.id))
