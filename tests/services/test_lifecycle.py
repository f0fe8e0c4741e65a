"""Whatever becomes of a connected account is seen, by its event or at night, and reaches status, gate, payout, audit
trail and mail alike; and what comes back comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.models import OutboxMail
from portal.services.affiliate_search import AffiliateFilter
from tests.services.programme import Programme

News = Callable[[Programme, int], None]

GONE, OUT = ("deauthorise", "delete"), "stripe_restricted"


@dataclass(frozen=True)
class Turn:
    """What happens at Stripe, and what it has to mean here."""

    fate: str
    status: str
    detail: str | None
    gate: str
    mail: str
    more: dict[str, Any] = field(default_factory=dict)


TURNS = (
    Turn("deauthorise", "restricted", "disconnected", OUT, "status_disconnected"),
    Turn("delete", "restricted", "disconnected", OUT, "status_disconnected"),
    Turn("lose_transfers", "pending", "reviewing", "stripe_pending", "status_pending"),
    Turn("stop_payouts", "pending", "reviewing", "stripe_pending", "status_pending"),
    Turn("remove_bank", "restricted", "action_required", OUT, "status_restricted"),
    Turn("restrict", "restricted", "action_required", OUT, "status_restricted"),
    Turn("pause", "restricted", "platform_paused", OUT, "status_restricted"),
    Turn("disable", "restricted", "stripe_investigating", OUT, "status_restricted", {"reason": "listed"}),
    Turn("disable", "restricted", "unknown_reason", OUT, "status_restricted", {"reason": "bad_weather"}),
    Turn("reject", "rejected", None, "stripe_rejected", "status_rejected"),
)


def by_event(programme: Programme, since: int) -> None:
    """Stripe tells of everything that has happened since it had told so much, twice."""
    for event in programme.stripe.events()[since:] * 2:
        programme.receive(event)
    programme.services.stripe_events.process_due()


def at_night(programme: Programme, since: int) -> None:
    """Nobody has told anything; the nightly job looks."""
    programme.services.verification.run(trigger="timetable")


#: Each of them on one of the databases: rows are written by the same unit of work in either case.
BOTH = pytest.mark.parametrize(
    ("database_url", "news"), [("postgresql", by_event), ("sqlite", at_night)], indirect=["database_url"]
)


def mails_to(programme: Programme, affiliate_id: UUID) -> list[str]:
    table = OutboxMail.__table__
    wanted = sa.select(table.c.kind).where(table.c.affiliate_id == affiliate_id).order_by(table.c.id)
    return [row.kind.value for row in programme.rows(wanted)]


@BOTH
def test_whatever_becomes_of_an_account_reaches_status_gate_payout_trail_and_mail(
    programme: Programme, news: News
) -> None:
    is_silent = news is at_night
    affected = []
    for turn in TURNS:
        affiliate_id = programme.verified(earned=10_000)
        affected.append((turn, affiliate_id, programme.request(affiliate_id)))
    told_before = {affiliate_id: mails_to(programme, affiliate_id) for _, affiliate_id, _ in affected}
    since = len(programme.stripe.events())
    for turn, affiliate_id, _ in affected:
        programme.stripe.fate(programme.account_of(affiliate_id), turn.fate, silently=is_silent, **turn.more)
    news(programme, since)
    programme.run()
    for turn, affiliate_id, payout_id in affected:
        _assert_meant(programme, turn, affiliate_id, payout_id)
        assert mails_to(programme, affiliate_id) == [*told_before[affiliate_id], turn.mail], turn
        (*_, (before, after, cause)) = programme.changes(affiliate_id, "affiliate.status_changed")
        assert (before, after) == ("verified", turn.status)
        assert cause.startswith("verify-stripe-accounts " if is_silent else "evt_")
    assert programme.stripe.transfers() == []
    for turn, affiliate_id, _ in affected:
        _set_right(programme, turn, affiliate_id)
    programme.run()
    became = {turn.fate: programme.payout(payout_id).status for turn, _, payout_id in affected}
    # a new account is another payee; a bank account that was removed and entered anew is another one
    others = dict.fromkeys(GONE, "canceled") | {"remove_bank": "held"}
    assert became == {turn.fate: others.get(turn.fate, "paid") for turn in TURNS}


def _assert_meant(programme: Programme, turn: Turn, affiliate_id: UUID, payout_id: UUID) -> None:
    affiliate = programme.get(affiliate_id)
    assert (affiliate.stripe_account_status, affiliate.stripe_account_detail) == (turn.status, turn.detail)
    assert not affiliate.stripe_onboarding_complete
    refusal = programme.services.offers.of(affiliate_id).refusal
    assert refusal is not None
    assert refusal.code == turn.gate
    payout = programme.payout(payout_id)
    assert (payout.status, payout.hold_reason) == ("held", "not_verified"), turn


def _set_right(programme: Programme, turn: Turn, affiliate_id: UUID) -> None:
    if turn.fate in GONE:
        programme.onboard(affiliate_id)
        return
    fate = "unreject" if turn.fate == "reject" else "approve"
    programme.stripe.fate(programme.account_of(affiliate_id), fate)
    assert programme.sync(affiliate_id).stripe_account_status == "verified"


@BOTH
def test_what_payouts_survive_is_seen_as_well(programme: Programme, news: News) -> None:
    due, moved = programme.verified(earned=10_000), programme.verified(earned=10_000)
    payouts = [programme.request(affiliate_id) for affiliate_id in (due, moved)]
    is_silent = news is at_night
    programme.stripe.fate(programme.account_of(due), "due", deadline_days=10, silently=is_silent)
    programme.stripe.fate(programme.account_of(moved), "change_bank", silently=is_silent)
    news(programme, 0)
    affiliate = programme.get(due)
    assert (affiliate.stripe_account_status, affiliate.stripe_account_detail) == ("verified", "attention")
    assert affiliate.stripe_deadline_at is not None
    assert mails_to(programme, moved)[-1] == "bank_changed"
    assert len(programme.changes(moved, "affiliate.bank_changed")) == 1
    programme.run()
    assert [programme.payout(payout_id).status for payout_id in payouts] == ["paid", "held"]
    assert programme.payout(payouts[1]).hold_reason == "bank_changed"
    programme.clock.advance(hours=24)
    programme.run()
    assert programme.payout(payouts[1]).status == "paid"


def test_a_review_begins_when_set_up_ends_and_not_when_the_account_was_made(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate="start_over")
    programme.clock.advance(days=20)
    programme.stripe.fate(account_id, "review")
    begun = programme.clock.now()
    affiliate = programme.sync(affiliate_id)
    assert affiliate.detail_changed_at == begun
    assert affiliate.status_changed_at is not None
    assert affiliate.status_changed_at < begun
    programme.clock.advance(days=1)
    assert programme.sync(affiliate_id).detail_changed_at == begun


def test_an_affiliate_is_found_by_an_earlier_account_and_it_stays_in_view(programme: Programme) -> None:
    affiliate_id = programme.verified()
    old = programme.account_of(affiliate_id)
    programme.stripe.fate(old, "delete")
    programme.sync(affiliate_id)
    new = programme.onboard(affiliate_id)
    search = programme.services.affiliate_search
    for account_id in (old, new):
        (found,) = search.rows(AffiliateFilter(text=account_id))
        assert found.id == affiliate_id
    (earlier,) = search.earlier_accounts(affiliate_id)
    assert earlier.stripe_account_id == old
    assert earlier.disconnected_at is not None
