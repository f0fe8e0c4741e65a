"""Moving a payout along its table: state, ledger, audit row and mail in one unit of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.attempts import AttemptState
from portal.domain.errors import NotFound
from portal.domain.gate import Payee
from portal.domain.ledger import EntryKind
from portal.domain.payouts import HoldReason, MoveIsNotLegal, PayoutMethod, PayoutStatus, advance
from portal.domain.sentences import Sentence
from portal.models import ActorKind, Affiliate, Payout, PayoutAttempt
from portal.models.base import Database
from portal.services.audit_trail import lines_of
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications


def payee_of(affiliate: Affiliate) -> Payee:
    """What the gate judges an affiliate's standing on."""
    is_crypto = affiliate.preferred_payout_type is PayoutMethod.crypto
    return Payee(
        is_blocked=affiliate.is_blocked,
        method=affiliate.preferred_payout_type,
        status=affiliate.stripe_account_status,
        destination=affiliate.wallet_address if is_crypto else affiliate.stripe_account_id,
    )


#: What was done to a payout that stands so.
DONE: Mapping[PayoutStatus, Sentence] = {
    PayoutStatus.requested: Sentence("{reference} was requested by {by} on {at}"),
    PayoutStatus.approved: Sentence("{reference} was approved by {by} on {at}"),
    PayoutStatus.held: Sentence("{reference} was put on hold by {by} on {at}"),
    PayoutStatus.processing: Sentence("{reference} was taken up for sending by {by} on {at}"),
    PayoutStatus.paid: Sentence("{reference} was sent by {by} on {at}"),
    PayoutStatus.failed: Sentence("{reference} was given up by {by} on {at}"),
    PayoutStatus.rejected: Sentence("{reference} was declined by {by} on {at}"),
    PayoutStatus.canceled: Sentence("{reference} was canceled by {by} on {at}"),
    PayoutStatus.reversed: Sentence("{reference} was taken back by {by} on {at}"),
}

#: What cannot be done to it any more: what was done already, and what something else came before.
UNDOABLE: Mapping[PayoutStatus, tuple[Sentence, Sentence]] = {
    PayoutStatus.approved: (
        Sentence("{done}; nothing is left to approve."),
        Sentence("{done}; it can't be approved any more."),
    ),
    PayoutStatus.rejected: (
        Sentence("{done}; nothing is left to decline."),
        Sentence("{done}; it can't be declined any more."),
    ),
    PayoutStatus.canceled: (
        Sentence("{done}; nothing is left to cancel."),
        Sentence("{done}; it can't be canceled any more."),
    ),
}

#: Who moves payouts, where no name is told.
ACTORS: Mapping[ActorKind, Sentence] = {
    ActorKind.affiliate: Sentence("the affiliate"),
    ActorKind.operator: Sentence("an operator"),
    ActorKind.system: Sentence("the portal"),
    ActorKind.stripe: Sentence("Stripe"),
    ActorKind.machine: Sentence("a machine"),
    ActorKind.shell: Sentence("the shell"),
}


class PayoutMoves:
    """Moves a payout along its table inside a unit of work: state, ledger, audit row and mail together."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        journal: Journal,
        books: Books,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._books = books
        self._notifications = notifications

    def lock(self, payout_id: UUID) -> tuple[Affiliate, Payout]:
        """Affiliate first, then payout: every unit of work locks in this order. Raises NotFound."""
        affiliate_id = self._database.scalar(sa.select(Payout.affiliate_id).where(Payout.id == payout_id))
        if affiliate_id is None:
            raise NotFound(Sentence("There is no such payout."))
        affiliate = self._books.lock(affiliate_id)
        payout = self._database.scalars(
            sa.select(Payout)
            .where(Payout.id == payout_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).one()
        return affiliate, payout

    def move(self, payout: Payout, wanted: PayoutStatus, *, affiliate: Affiliate, cause: Cause) -> None:
        """Advance the payout; what gives the money back is posted with it. Raises MoveIsNotLegal."""
        before = payout.status
        now = self._clock.now()
        after = advance(before, wanted)
        if after is PayoutStatus.paid:
            self._books.post_payout(EntryKind.settle, payout, affiliate)
            payout.paid_at = now
        elif after.gives_back:
            self._books.post_payout(EntryKind.release, payout, affiliate)
            self._books.pay_off_debt(affiliate, reference=f"release {payout.id}")
        payout.status = after
        if after is not PayoutStatus.held:
            payout.hold_reason = None
        if after is not PayoutStatus.approved:
            payout.wait_reason = None
        if not after.is_open:
            payout.ended_at = now
            payout.next_try_at = None
        affiliate.version += 1
        self._database.flush()
        self._journal.changed(
            "payout",
            payout.id,
            action="payout.status_changed",
            before=before,
            after=after,
            cause=cause,
            at=now,
        )
        self._notifications.payout_moved(payout, affiliate, cause=cause)

    def refuse_illegal(
        self,
        payout: Payout,
        wanted: PayoutStatus,
        *,
        is_told_to_affiliate: bool = False,
        under_way: Collection[UUID] | None = None,
    ) -> None:
        """Raise MoveIsNotLegal with who did what when, if somebody was faster, or if its outcome is not known yet.
        Whoever looks at many has asked before which of them are `under_way`."""
        try:
            advance(payout.status, wanted)
        except MoveIsNotLegal:
            is_done, is_overtaken = UNDOABLE[wanted]
            sentence = is_done if payout.status is wanted else is_overtaken
            done = self._what_was_done(payout, is_told_to_affiliate=is_told_to_affiliate)
            raise MoveIsNotLegal(Sentence(sentence.words, done=done)) from None
        if payout.id in (self.under_way_within([payout.id]) if under_way is None else under_way):
            raise MoveIsNotLegal(
                Sentence(
                    "{reference} is being sent; its outcome is not known yet.", reference=payout.reference
                )
            )

    def under_way_within(self, payout_ids: Collection[UUID]) -> set[UUID]:
        """Which of these have an attempt that is not proven failed."""
        live = sa.select(PayoutAttempt.payout_id).where(
            PayoutAttempt.payout_id.in_(payout_ids), PayoutAttempt.state != AttemptState.failed
        )
        return set(self._database.scalars(live))

    def where_it_stands(self, payout: Payout) -> str:
        """A sentence for operators about the payout's state: who brought it there, and when."""
        return f"{self._what_was_done(payout)}."

    def _what_was_done(self, payout: Payout, *, is_told_to_affiliate: bool = False) -> Sentence:
        """Affiliates are told no names."""
        last = [row for row in self._journal.of("payout", payout.id) if row.to_value == payout.status][-1]
        (line,) = lines_of(self._database, [last])
        is_nameless = is_told_to_affiliate or not line.actor or line.actor == last.actor_id
        by: str = ACTORS[last.actor_kind] if is_nameless else line.actor
        if last.actor_kind is ActorKind.shell and not is_nameless:
            by = f"{line.actor} (shell)"
        return Sentence(DONE[payout.status].words, reference=payout.reference, by=by, at=last.created_at)

    def hold(self, payout: Payout, reason: HoldReason, *, affiliate: Affiliate, cause: Cause) -> None:
        """Let an approved payout wait until the reason is gone."""
        payout.hold_reason = reason
        self.move(payout, PayoutStatus.held, affiliate=affiliate, cause=cause)

    def hold_approved(self, affiliate: Affiliate, reason: HoldReason, *, cause: Cause) -> None:
        """Hold what was approved of an affiliate who can't be paid any more; what is under way runs out."""
        payout = self._database.scalar(
            sa.select(Payout)
            .where(Payout.affiliate_id == affiliate.id, Payout.status == PayoutStatus.approved)
            .with_for_update(key_share=True)
        )
        if payout is not None and (payout.method is PayoutMethod.fiat or reason is HoldReason.blocked):
            self.hold(payout, reason, affiliate=affiliate, cause=cause)
