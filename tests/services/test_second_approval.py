"""Above the second limit two different operators must approve, and the second one is at the page."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.domain.approval import (
    NobodyApprovesTheirOwn,
    SecondApprovalIsAnothers,
    SecondApprovalNeedsThePage,
)
from portal.domain.errors import PortalError
from portal.domain.payouts import MoveIsNotLegal
from portal.models import ActorKind, FirstApproval, Payout
from portal.services.journal import Cause
from tests.services.programme import TEST, Programme

pytestmark = pytest.mark.settings(
    PORTAL_AUTO_APPROVE_LIMIT="usd:1000", PORTAL_SECOND_APPROVAL_LIMIT="usd:100000"
)


def cause(person: UUID, actor: ActorKind = ActorKind.operator) -> Cause:
    return Cause(actor, str(person), "request-1")


def approve(
    programme: Programme, payout_id: UUID, person: UUID, actor: ActorKind = ActorKind.operator
) -> str:
    row = programme.services.approvals.approve(payout_id, approver=person, cause=cause(person, actor))
    return row.status.value


@pytest.fixture
def large(programme: Programme) -> UUID:
    """A payout of one cent more than one operator may approve."""
    return programme.request(programme.verified(earned=100_001), by=programme.person())


def test_one_yes_leaves_it_waiting_and_another_persons_sends_it(programme: Programme, large: UUID) -> None:
    olga, sam = programme.person(), programme.person()
    assert approve(programme, large, olga) == "requested"
    assert programme.run().counts.total() == 0
    assert approve(programme, large, sam) == "approved"
    assert programme.payout(large).approved_by == sam
    assert programme.run().total == {"usd": 100_001}
    assert programme.changes(large, "payout.first_approved") == [("0 of 2", "1 of 2", "request-1")]


def test_at_the_limit_one_yes_is_enough(programme: Programme) -> None:
    payout_id = programme.request(programme.verified(earned=100_000))
    assert approve(programme, payout_id, programme.person()) == "approved"


def test_the_same_person_counts_once(programme: Programme, large: UUID) -> None:
    olga = programme.person()
    approve(programme, large, olga)
    with pytest.raises(SecondApprovalIsAnothers, match="Ask another operator"):
        approve(programme, large, olga)
    assert programme.payout(large).status == "requested"
    assert len(programme.changes(large, "payout.first_approved")) == 1


def test_a_shell_gives_the_first_yes_and_never_the_second(programme: Programme, large: UUID) -> None:
    olga, sam = programme.person(), programme.person()
    assert approve(programme, large, olga, ActorKind.shell) == "requested"
    with pytest.raises(SecondApprovalNeedsThePage, match="not by shell"):
        approve(programme, large, sam, ActorKind.shell)
    assert approve(programme, large, sam) == "approved"


def test_neither_yes_is_theirs_whom_it_is_for(programme: Programme, large: UUID) -> None:
    requester = programme.payout(large).requested_by
    assert requester is not None
    with pytest.raises(NobodyApprovesTheirOwn):
        approve(programme, large, requester)
    approve(programme, large, programme.person())
    with pytest.raises(NobodyApprovesTheirOwn):
        approve(programme, large, requester)


def test_who_was_blocked_between_the_two_is_not_approved(programme: Programme, large: UUID) -> None:
    approve(programme, large, programme.person())
    programme.block(programme.payout(large).affiliate_id)
    with pytest.raises(MoveIsNotLegal, match="can't be paid at the moment"):
        approve(programme, large, programme.person())
    assert programme.payout(large).status == "requested"


def test_after_one_yes_it_can_still_be_declined_and_the_money_is_back(
    programme: Programme, large: UUID
) -> None:
    approve(programme, large, programme.person())
    programme.services.payouts.reject(large, cause=TEST)
    assert programme.balances(programme.payout(large).affiliate_id).available.amount == 100_001
    with pytest.raises(MoveIsNotLegal, match="was declined by"):
        approve(programme, large, programme.person())


def test_two_operators_at_once_are_both_counted_and_one_of_them_twice_is_not(
    programme: Programme, large: UUID
) -> None:
    olga, sam = programme.person(), programme.person()
    refused: list[PortalError] = []

    def decide(person: UUID) -> None:
        with programme.app.app_context():
            try:
                approve(programme, large, person)
            except PortalError as refusal:
                refused.append(refusal)

    threads = [threading.Thread(target=decide, args=(person,)) for person in (olga, olga, sam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert programme.payout(large).status == "approved"
    assert len(programme.changes(large, "payout.first_approved")) == 1
    assert len(refused) == 1


def test_the_database_takes_no_second_yes_of_the_same_person_and_no_first_of_the_payee(
    programme: Programme, large: UUID
) -> None:
    olga, now = programme.person(), programme.clock.now()
    payee = programme.payout(large).requested_by
    first = sa.insert(FirstApproval).values(payout_id=large, approved_at=now)
    with pytest.raises(DBAPIError, match="never by whom it is for"):
        programme.execute(first.values(approved_by=payee))
    approve(programme, large, olga)
    for alone in (olga, None):
        with pytest.raises(DBAPIError, match="given by another person"):
            programme.execute(
                sa.update(Payout)
                .where(Payout.id == large)
                .values(status="approved", approved_by=alone, approved_at=now)
            )
    with pytest.raises(DBAPIError, match="only ever added"):
        programme.execute(sa.update(FirstApproval).values(approved_by=programme.person()))
    with pytest.raises(DBAPIError, match="never deleted"):
        programme.execute(sa.delete(FirstApproval))
    with pytest.raises(DBAPIError):
        programme.execute(first.values(approved_by=programme.person()))


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="monthly:1")
def test_an_automatic_payout_above_the_limit_waits_for_two_as_well(programme: Programme) -> None:
    payout_id = programme.request(programme.verified(earned=200_000))
    assert approve(programme, payout_id, programme.person()) == "requested"
    assert approve(programme, payout_id, programme.person()) == "approved"
