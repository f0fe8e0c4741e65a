"""Payouts across affiliates, as operators look at them, on both databases."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.domain.errors import NotFound
from portal.domain.payouts import PayoutStatus
from portal.models.base import new_id
from portal.services.payout_queue import PayoutFilter
from tests.services.programme import TEST, Programme


def page(programme: Programme, wanted: PayoutFilter, **more: int) -> list[UUID]:
    return [each.payout.id for each in programme.services.payout_queue.page(wanted, **more)]


def test_what_waits_comes_oldest_first_and_the_rest_newest_first_page_by_page(programme: Programme) -> None:
    oldest_first = [programme.request(programme.verified(earned=60_000 + each)) for each in range(3)]
    queue, everything = PayoutFilter(status=PayoutStatus.requested), PayoutFilter()
    assert page(programme, queue) == oldest_first
    assert page(programme, everything) == oldest_first[::-1]
    second = programme.payout(oldest_first[1]).number
    assert page(programme, queue, past=second) == oldest_first[2:]
    assert page(programme, everything, past=second) == oldest_first[:1]
    assert page(programme, queue, limit=1) == oldest_first[:1]


def test_payouts_are_found_by_status_affiliate_and_number(programme: Programme) -> None:
    approved = programme.approved()
    waiting = programme.request(programme.verified(earned=60_000))
    code = programme.get(programme.payout(waiting).affiliate_id).code
    assert page(programme, PayoutFilter(status=PayoutStatus.approved)) == [approved]
    assert page(programme, PayoutFilter(affiliate_code=code)) == [waiting]
    assert page(programme, PayoutFilter(number=programme.payout(waiting).number)) == [waiting]
    assert page(programme, PayoutFilter(number=10**17)) == []


def test_each_row_says_why_its_affiliate_cannot_be_paid(programme: Programme) -> None:
    waiting = programme.request(programme.verified(earned=60_000))
    (row,) = programme.services.payout_queue.page(PayoutFilter())
    assert row.refusal is None
    programme.block(programme.payout(waiting).affiliate_id)
    (row,) = programme.services.payout_queue.page(PayoutFilter())
    assert row.refusal is not None
    assert row.refusal.code == "blocked"


def test_a_file_holds_every_attempt_and_the_history_with_names(programme: Programme) -> None:
    person = programme.person()
    payout_id = programme.request(programme.verified(earned=60_000), by=person)
    programme.services.approvals.approve(payout_id, approver=programme.person(), cause=TEST)
    programme.stripe.fault("timeout_before")
    programme.run()
    file = programme.services.payout_queue.file(payout_id)
    assert [attempt.generation for attempt in file.attempts] == [1]
    assert [line.row.to_value for line in file.history] == ["requested", "approved", "processing"]
    assert {line.subject for line in file.history} == {file.payout.reference}
    # nobody has a name here: the id stands for it
    assert file.people[person] == str(person)


def test_a_payout_is_found_by_the_transfer_that_carries_it(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.run()
    transfer_id = programme.payout(payout_id).transfer_id
    assert transfer_id is not None
    found = programme.services.payout_queue.by_transfer(transfer_id)
    assert found is not None
    assert found.id == payout_id
    assert programme.services.payout_queue.by_transfer("tr_unknown") is None


def test_a_payout_that_is_not_there_has_no_file(programme: Programme) -> None:
    with pytest.raises(NotFound):
        programme.services.payout_queue.file(new_id())
