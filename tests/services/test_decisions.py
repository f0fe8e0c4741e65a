"""Decisions about several payouts at once, on both databases: each by its own use case, each key once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from portal.config import Settings
from portal.domain.decisions import MOST_AT_ONCE, DecisionKind
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.payouts import LONGEST_REASON, MoveIsNotLegal
from portal.models import ActorKind, DecidedPayout, Decision, Payout, User
from portal.models.base import new_id
from portal.services.decision_records import DecisionRecord
from portal.services.journal import Cause
from tests.clocks import MovableClock
from tests.services.breaking import to_be_broken, without_rules
from tests.services.line import Line
from tests.services.programme import TEST, Programme

pytestmark = pytest.mark.settings(
    PORTAL_AUTO_APPROVE_LIMIT="usd:1000", PORTAL_SECOND_APPROVAL_LIMIT="usd:100000"
)
APPROVE, REJECT, CANCEL = DecisionKind.approve, DecisionKind.reject, DecisionKind.cancel


def waiting(programme: Programme, count: int, amount: int = 60_000) -> list[UUID]:
    return [programme.request(programme.verified(earned=amount + each)) for each in range(count)]


def decide(
    programme: Programme,
    kind: DecisionKind,
    ids: Sequence[UUID],
    *,
    by: UUID | None = None,
    key: UUID | None = None,
    reason: str | None = None,
) -> DecisionRecord:
    by, key = by or programme.person(), key or new_id()
    cause = Cause(ActorKind.operator, str(by), "request-1", reason)
    programme.services.decisions.decide(key, kind, ids, decided_by=by, cause=cause)
    return programme.services.decision_records.get(key)


def named(programme: Programme, name: str) -> UUID:
    person = programme.person()
    programme.execute(sa.update(User).where(User.id == person).values(name=name))
    return person


def outcomes(record: DecisionRecord) -> list[str | None]:
    return [line.outcome and line.outcome.value for line in record.lines]


def statuses(programme: Programme, ids: Sequence[UUID]) -> list[str]:
    return [programme.payout(each).status.value for each in ids]


def test_each_is_done_and_the_refused_are_skipped_with_their_reasons(programme: Programme) -> None:
    ids = waiting(programme, 3)
    programme.block(programme.payout(ids[1]).affiliate_id)
    record = decide(programme, APPROVE, ids[::-1])
    assert outcomes(record) == ["done", "skipped", "done"]
    assert statuses(programme, ids) == ["approved", "requested", "approved"]
    assert record.lines[1].refusal is not None
    assert "can't be paid at the moment: Your account is on hold" in record.lines[1].refusal
    assert record.decision.finished_at is not None


def test_a_look_says_the_same_and_changes_nothing(programme: Programme) -> None:
    ids, olga = waiting(programme, 2), programme.person()
    programme.block(programme.payout(ids[0]).affiliate_id)
    cause = Cause(ActorKind.operator, str(olga), "request-1")
    found = programme.services.decisions.look(APPROVE, ids, decided_by=olga, cause=cause)
    assert [each.payout.id for each in found.skipped] == [ids[0]]
    assert [each.payout.id for each in found.eligible] == [ids[1]]
    refusal = found.skipped[0].refusal
    assert refusal is not None
    assert decide(programme, APPROVE, ids, by=olga).lines[0].refusal == refusal.sentence
    assert programme.services.decisions.look(REJECT, [ids[0]], decided_by=olga, cause=cause).eligible


def test_what_another_decided_meanwhile_is_skipped_and_named_with_who_and_when(programme: Programme) -> None:
    ids = waiting(programme, 2)
    decide(programme, REJECT, ids[:1], by=named(programme, "Sam"), reason="The order was refunded.")
    record = decide(programme, APPROVE, ids)
    assert outcomes(record) == ["skipped", "done"]
    moment = f"{programme.clock.now():%d %b %Y, %H:%M} UTC"
    assert record.lines[0].refusal == (
        f"{programme.payout(ids[0]).reference} was declined by Sam on {moment};"
        " it can't be approved any more."
    )


def test_affiliates_are_told_no_names(programme: Programme) -> None:
    (payout_id,) = waiting(programme, 1)
    decide(programme, REJECT, [payout_id], by=named(programme, "Sam"), reason="No.")
    affiliate_id = programme.payout(payout_id).affiliate_id
    with pytest.raises(MoveIsNotLegal, match="was declined by an operator on "):
        programme.services.payouts.cancel(payout_id, affiliate_id=affiliate_id, cause=TEST)


def test_what_was_canceled_before_is_not_counted_as_canceled_again(programme: Programme) -> None:
    ids = waiting(programme, 2)
    decide(programme, CANCEL, ids[:1])
    assert outcomes(decide(programme, CANCEL, ids)) == ["skipped", "done"]


def test_the_same_key_again_does_nothing_whatever_comes_with_it(programme: Programme) -> None:
    ids, key = waiting(programme, 2), new_id()
    first = decide(programme, APPROVE, ids[:1], key=key)
    again = decide(programme, REJECT, ids, key=key, reason="No.")
    assert again == first or outcomes(again) == outcomes(first) == ["done"]
    assert statuses(programme, ids) == ["approved", "requested"]


def test_the_same_key_twice_at_once_is_one_decision(programme: Programme) -> None:
    ids, key, olga = waiting(programme, 3), new_id(), programme.person()

    def press() -> None:
        with programme.app.app_context():
            decide(programme, APPROVE, ids, key=key, by=olga)

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes(programme.services.decision_records.get(key)) == ["done"] * 3
    for each in ids:
        assert [to for _, to, _ in programme.changes(each)] == ["requested", "approved"]


def test_nobody_approves_their_own_among_others(programme: Programme) -> None:
    olga = programme.person()
    own = programme.request(programme.verified(earned=60_000), by=olga)
    record = decide(programme, APPROVE, [own, *waiting(programme, 1)], by=olga)
    assert outcomes(record) == ["skipped", "done"]
    assert record.lines[0].refusal == "Nobody approves their own payout. Ask another operator."


def test_large_ones_get_the_first_of_two_approvals_and_then_anothers(programme: Programme) -> None:
    (large,), olga = waiting(programme, 1, 100_001), programme.person()
    small = waiting(programme, 1)
    cause = Cause(ActorKind.operator, str(olga), "request-1")
    found = programme.services.decisions.look(APPROVE, [large, *small], decided_by=olga, cause=cause)
    assert [each.is_first for each in found.eligible] == [True, False]
    assert outcomes(decide(programme, APPROVE, [large, *small], by=olga)) == ["first", "done"]
    again = decide(programme, APPROVE, [large], by=olga)
    assert again.lines[0].refusal == "You have approved this already. Ask another operator to approve it too."
    assert outcomes(decide(programme, APPROVE, [large])) == ["done"]


def test_the_words_reach_every_affiliate_and_the_money_goes_back(programme: Programme) -> None:
    ids = waiting(programme, 2)
    decide(programme, REJECT, ids, reason="The orders were refunded.")
    for each in ids:
        payout = programme.payout(each)
        assert (payout.status, payout.reason) == ("rejected", "The orders were refunded.")
        assert programme.balances(payout.affiliate_id).available.amount == payout.amount


def test_a_fault_of_ours_at_one_does_not_stop_the_others(
    settings: Settings, clock: MovableClock, line: Line, stand_in: Flask
) -> None:
    with to_be_broken(settings, clock, line, stand_in) as programme:
        ids = waiting(programme, 3)
        without_rules(sa.update(Payout).where(Payout.id == ids[1]).values(currency="eur"))
        record = decide(programme, CANCEL, ids)
        assert outcomes(record) == ["done", "skipped", "done"]
        words = "The portal failed at it, and nothing was changed. The log says more."
        assert record.lines[1].refusal == words
        assert statuses(programme, ids) == ["canceled", "requested", "canceled"]


@pytest.mark.parametrize("which", ["none", "strange", "too many", "too long a reason"])
def test_what_is_no_list_is_refused_and_nothing_is_written(programme: Programme, which: str) -> None:
    ids = waiting(programme, 1)
    lists = {
        "none": [],
        "strange": [*ids, new_id()],
        "too many": [new_id() for _ in range(MOST_AT_ONCE + 1)],
        "too long a reason": ids,
    }
    with pytest.raises(InvalidInput):
        decide(
            programme, REJECT, lists[which], reason="x" * (LONGEST_REASON + (which == "too long a reason"))
        )
    assert programme.rows(sa.select(Decision.id)) == []
    assert statuses(programme, ids) == ["requested"]


def test_a_decision_that_was_not_made_is_not_found(programme: Programme) -> None:
    with pytest.raises(NotFound):
        programme.services.decision_records.get(new_id())


def test_sums_are_by_currency(programme: Programme) -> None:
    ids = [
        *waiting(programme, 2),
        programme.request(programme.verified(earned=70_000, currency="eur", country="DE")),
    ]
    count, totals = programme.services.decisions.totals([*ids, new_id()])
    assert (count, [str(each) for each in totals]) == (3, ["€700.00", "$1,200.01"])
    assert programme.services.decisions.totals([]) == (0, [])


def test_the_database_keeps_what_was_decided(programme: Programme) -> None:
    ids = waiting(programme, 1)
    key = decide(programme, APPROVE, ids).decision.id
    for statement in (
        sa.delete(DecidedPayout).where(DecidedPayout.decision_id == key),
        sa.update(DecidedPayout).where(DecidedPayout.decision_id == key).values(outcome="first"),
        sa.update(Decision).where(Decision.id == key).values(reason="Another."),
        sa.delete(Decision).where(Decision.id == key),
    ):
        with pytest.raises(DBAPIError, match=r"decisions|decided_payouts"):
            programme.execute(statement)
