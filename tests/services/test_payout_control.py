"""An operator's hand on sending: stopping it, letting it go on, hurrying a payout, noting what was paid by hand."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from portal.config import Settings
from portal.domain.approval import NobodyApprovesTheirOwn
from portal.domain.attempts import Outcome
from portal.domain.errors import InvalidInput, NotFound, StripeIsAway
from portal.domain.payouts import MoveIsNotLegal
from portal.models import ActorKind, AuditRow, Installation, Payout, PayoutAttempt
from portal.models.base import new_id
from portal.services.journal import Cause
from portal.services.payout_control import PayoutControl, SendingStaysStopped
from tests.clocks import MovableClock
from tests.services.breaking import drop_rule, to_be_broken
from tests.services.line import Line
from tests.services.programme import TEST, Programme

BOSS = new_id()
OPERATOR = Cause(ActorKind.shell, str(BOSS), "a command", "A reason.")


def control(programme: Programme) -> PayoutControl:
    return programme.services.payout_control


def switchings(programme: Programme) -> list[tuple[str, str | None, str | None]]:
    rows = programme.rows(
        sa.select(AuditRow.action, AuditRow.to_value, AuditRow.reason)
        .where(AuditRow.action.like("sending.%"))
        .order_by(AuditRow.id)
    )
    return [tuple(row) for row in rows]


def test_nothing_is_sent_between_halt_and_resume(programme: Programme) -> None:
    payout_id = programme.approved()
    control(programme).halt(cause=OPERATOR)
    control(programme).halt(cause=OPERATOR)
    programme.run()
    assert programme.payout(payout_id).status == "approved"
    control(programme).resume(cause=OPERATOR)
    control(programme).resume(cause=OPERATOR)
    programme.run()
    assert programme.payout(payout_id).status == "paid"
    assert switchings(programme) == [
        ("sending.halted", "halted", "A reason."),
        ("sending.resumed", "on", "A reason."),
    ]


def test_halt_and_resume_want_a_reason(programme: Programme) -> None:
    for change in (control(programme).halt, control(programme).resume):
        with pytest.raises(InvalidInput, match="Say why"):
            change(cause=TEST)
    assert switchings(programme) == []


def test_of_a_long_reason_as_much_is_kept_as_there_is_room_for(programme: Programme) -> None:
    control(programme).halt(cause=replace(OPERATOR, reason="x" * 501))
    assert control(programme).why_stopped() == "x" * 500


def test_sending_stays_stopped_while_the_books_do_not_hold(programme: Programme) -> None:
    control(programme).halt(cause=OPERATOR)
    drop_rule("ledger_entries_kept", "ledger_entries")
    with pytest.raises(SendingStaysStopped, match="database_rule ledger_entries_kept"):
        control(programme).resume(cause=OPERATOR)
    assert [action for action, _, _ in switchings(programme)] == ["sending.halted"]


def test_sending_stays_stopped_while_stripe_and_the_books_differ(
    settings: Settings, clock: MovableClock, line: Line, stand_in: Flask
) -> None:
    with to_be_broken(settings, clock, line, stand_in) as programme:
        account = programme.account_of(programme.verified())
        named = {"installation": str(programme.rows(sa.select(Installation.id))[0][0])}
        programme.stripe.transfer_by_hand(account, 500, group="payout-stray", metadata=named)
        (transfer,) = programme.stripe.transfers()
        control(programme).halt(cause=OPERATOR)
        with pytest.raises(SendingStaysStopped, match=f"transfer_without_payout {transfer['id']}"):
            control(programme).resume(cause=OPERATOR)
        programme.services.acceptances.accept(transfer["id"], cause=OPERATOR)
        control(programme).resume(cause=OPERATOR)
        assert [action for action, _, _ in switchings(programme)] == ["sending.halted", "sending.resumed"]


def test_sending_stays_stopped_while_stripe_cannot_be_asked(programme: Programme) -> None:
    control(programme).halt(cause=OPERATOR)
    programme.stripe.goes_away()
    with pytest.raises(StripeIsAway, match="Sending stays stopped"):
        control(programme).resume(cause=OPERATOR)
    programme.stripe.comes_back()


def test_a_payout_of_unknown_outcome_is_tried_again_at_once(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    assert programme.retry().counts.total() == 0  # it would wait
    assert "taken up by the next run" in control(programme).retry(payout_id, cause=OPERATOR)
    assert programme.retry().counts[Outcome.paid] == 1
    assert len(programme.stripe.transfers()) == 1
    assert [why for *_, why in programme.changes(payout_id, "payout.retry_asked")] == ["a command"]


def test_a_held_payout_is_looked_at_by_the_next_run(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.block(programme.payout(payout_id).affiliate_id)
    programme.unblock(programme.payout(payout_id).affiliate_id)
    control(programme).retry(payout_id, cause=OPERATOR)
    assert programme.run().counts[Outcome.paid] == 1


def parked(programme: Programme) -> UUID:
    """A payout whose attempt waits for a person: Stripe saved its key for other parameters."""
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.execute(
        sa.update(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).values(state="parked")
    )
    return payout_id


def test_a_parked_attempt_is_settled_if_stripe_has_its_transfer(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    programme.execute(
        sa.update(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).values(state="parked")
    )
    assert "is paid: Stripe has its transfer tr_" in control(programme).retry(payout_id, cause=OPERATOR)
    assert programme.payout(payout_id).status == "paid"


def test_a_parked_attempt_is_never_sent_again_before_it_is_proven_dead(
    programme: Programme, clock: MovableClock
) -> None:
    payout_id = parked(programme)
    clock.advance(hours=24)
    assert "Nothing can be done about P-1001 yet" in control(programme).retry(payout_id, cause=OPERATOR)
    programme.run()
    assert len(programme.stripe.requests("POST", "/v1/transfers")) == 1
    clock.advance(hours=2)
    assert "was never sent" in control(programme).retry(payout_id, cause=OPERATOR)
    assert programme.run().counts[Outcome.paid] == 1
    assert [row.generation for row in programme.attempts(payout_id)] == [1, 2]


def test_a_parked_attempt_stays_so_while_stripe_is_away(programme: Programme, clock: MovableClock) -> None:
    payout_id = parked(programme)
    clock.advance(days=3)
    programme.stripe.goes_away()
    with pytest.raises(StripeIsAway, match="stays as it is"):
        control(programme).retry(payout_id, cause=OPERATOR)
    programme.stripe.comes_back()
    assert [row.state for row in programme.attempts(payout_id)] == ["parked"]


def test_only_what_waits_to_be_sent_is_retried(programme: Programme) -> None:
    asked = programme.request(programme.verified(earned=90_000))
    done = programme.approved()
    programme.run()
    by_hand = programme.request(programme.crypto(earned=10_000))
    for payout_id in (asked, done, by_hand):
        with pytest.raises(MoveIsNotLegal):
            control(programme).retry(payout_id, cause=OPERATOR)
    with pytest.raises(NotFound):
        control(programme).retry(new_id(), cause=OPERATOR)


def test_a_crypto_payout_is_paid_by_hand_once_with_its_reference(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=10_000)
    payout_id = programme.request(affiliate_id)
    for _ in range(2):
        row = control(programme).mark_paid(payout_id, reference=" 0xfeed ", paid_by=BOSS, cause=OPERATOR)
        assert (row.status, row.external_reference) == ("paid", "0xfeed")
    assert programme.balances(affiliate_id).paid_out.amount == 10_000
    assert len(programme.changes(payout_id, "payout.paid_by_hand")) == 1
    with pytest.raises(MoveIsNotLegal, match=r"P-1001 was sent by the shell on "):
        control(programme).mark_paid(payout_id, reference="0xdead", paid_by=BOSS, cause=OPERATOR)
    with pytest.raises(DBAPIError, match="never changes"):
        programme.execute(sa.update(Payout).values(external_reference="0xdead"))


def test_what_stripe_carries_is_never_marked_paid_by_hand(programme: Programme) -> None:
    payout_id = programme.approved()
    with pytest.raises(MoveIsNotLegal, match="only a run can pay it"):
        control(programme).mark_paid(payout_id, reference="0xfeed", paid_by=BOSS, cause=OPERATOR)
    assert programme.payout(payout_id).status == "approved"


def test_what_is_not_approved_is_not_marked_paid(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=90_000)
    payout_id = programme.request(affiliate_id)
    with pytest.raises(MoveIsNotLegal, match="was requested by"):
        control(programme).mark_paid(payout_id, reference="0xfeed", paid_by=BOSS, cause=OPERATOR)
    blocked = programme.crypto(earned=10_000)
    held = programme.request(blocked)
    programme.block(blocked)
    with pytest.raises(MoveIsNotLegal, match="was put on hold by"):
        control(programme).mark_paid(held, reference="0xfeed", paid_by=BOSS, cause=OPERATOR)


def test_nobody_marks_their_own_payout_as_paid(programme: Programme) -> None:
    person = programme.person()
    payout_id = programme.request(programme.crypto(earned=10_000), by=person)
    with pytest.raises(NobodyApprovesTheirOwn):
        control(programme).mark_paid(payout_id, reference="0xfeed", paid_by=person, cause=OPERATOR)


@pytest.mark.parametrize("reference", ["", "   ", "x" * 256, "0x\nfeed"])
def test_a_reference_is_a_line_of_text(programme: Programme, reference: str) -> None:
    payout_id = programme.request(programme.crypto(earned=10_000))
    with pytest.raises(InvalidInput):
        control(programme).mark_paid(payout_id, reference=reference, paid_by=BOSS, cause=OPERATOR)
    assert programme.payout(payout_id).status == "approved"
