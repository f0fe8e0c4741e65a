"""Made-up payouts with all that belongs to each: entries, attempts, mail, events, the bank, the run, the trail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from portal.cli.generated_affiliates import AffiliateMaker, MadeAffiliate
from portal.cli.generated_rows import Making, Moment, dashed
from portal.domain.accounts import AccountStatus
from portal.domain.attempts import AttemptState, Outcome
from portal.domain.ledger import MOVES, EntryKind
from portal.domain.notifications import OF_MOVE
from portal.domain.payout_runs import RunTrigger
from portal.domain.payouts import HoldReason, PayoutMethod, PayoutStatus

#: The least that is paid out here, in minor units.
LEAST = 2_500

_FAILURE = "account_invalid"


class _Story(NamedTuple):
    """One payout as it ends, and the states it went through."""

    number: int
    id: str
    amount: int
    way: Sequence[PayoutStatus]
    asked_at: Moment
    done_at: Moment
    transfer: str | None
    hold: HoldReason | None

    @property
    def status(self) -> PayoutStatus:
        return self.way[-1]


class PayoutMaker:
    """Makes payouts and ledger entries, one after the other."""

    def __init__(self, making: Making, *, affiliates: AffiliateMaker, installation: str) -> None:
        self._sink, self._trail = making.sink, making.trail
        self._ids, self._chance = making.ids, making.chance
        self._number, self._entry = making.places.payout, making.places.entry
        self._affiliates = affiliates
        self._installation = installation
        self._run: list[tuple[str, str, int, Outcome]] = []

    def earn(self, one: MadeAffiliate, amount: int, *, at: Moment, is_held: bool) -> None:
        """A commission of a month ago that has matured, or one of today that is on hold; of a few, a third is taken
        back."""
        number = self._ids.row(at)
        reference = f"order-{number}"
        taken = amount // 3 if self._chance.random() < 0.01 else 0
        held = amount - taken if is_held else 0
        occurred_at = at if is_held else at.later(days=-31)
        self._sink.add(
            "earnings",
            (
                number, one.id, reference, amount, one.currency, "An order", occurred_at.text,
                occurred_at.later(days=30).text, held, at.text,
            ),
        )  # fmt: skip
        self.post(one, EntryKind.earn, amount, source="earning", reference=reference, earning=number, at=at)
        if taken:
            refund = self._ids.row(at)
            self._sink.add("refunds", (refund, number, "return", taken, "The order came back.", at.text))
            self.post(
                one, EntryKind.refund_on_hold, taken, source="refund", reference=f"{dashed(refund)}:{dashed(number)}",
                earning=number, at=at,
            )  # fmt: skip
        if not is_held:
            left = amount - taken
            self.post(
                one, EntryKind.mature, left, source="earning", reference=reference, earning=number, at=at
            )
            one.available += left

    def post(
        self,
        one: MadeAffiliate,
        kind: EntryKind,
        amount: int,
        *,
        source: str,
        reference: str,
        at: Moment,
        payout: str | None = None,
        earning: str | None = None,
    ) -> None:
        """One entry; the balances are made of all of them in the end."""
        self._entry += 1
        debit, credit = MOVES[kind]
        self._sink.add(
            "ledger_entries",
            (
                self._entry, one.id, one.account(debit), one.account(credit), amount, one.currency, kind.value, source,
                reference, payout, earning, at.text,
            ),
        )  # fmt: skip

    def pay(self, one: MadeAffiliate, *, asked_at: Moment, done_at: Moment, is_last: bool) -> None:
        """A payout of all that is available; only the last one of an affiliate may still be open."""
        self._number += 1
        hold = None
        way = self._way(one, is_last=is_last)
        if way[-1] is PayoutStatus.held:
            hold = self._hold_of(one)
        is_sent = one.method is PayoutMethod.fiat and PayoutStatus.paid in way
        story = _Story(
            number=self._number,
            id=self._ids.row(asked_at),
            amount=one.available,
            way=way,
            asked_at=asked_at,
            done_at=done_at,
            transfer=self._ids.stripe("tr") if is_sent else None,
            hold=hold,
        )
        self._write(one, story)
        self._attempt(one, story)
        self._book(one, story)
        self._tell(one, story)
        if story.transfer is not None:
            self._reach_the_bank(one, story, story.transfer)

    def end_of_run(self, at: Moment) -> None:
        """The record of the run that sent what was sent since the one before."""
        run = self._ids.row(at)
        totals: dict[str, int] = {}
        sent: dict[str, int] = {}
        counts: dict[str, int] = {}
        for _, currency, amount, outcome in self._run:
            totals[currency] = totals.get(currency, 0) + amount
            counts[outcome] = counts.get(outcome, 0) + 1
            if outcome is Outcome.paid:
                sent[currency] = sent.get(currency, 0) + amount
        self._sink.add(
            "payout_runs",
            (
                run, RunTrigger.timetable.value, at.text, at.text, at.text, len(self._run), _json(totals),
                counts.get(Outcome.paid, 0), _json(counts), _json(sent),
            ),
        )  # fmt: skip
        for payout, _, _, outcome in self._run:
            self._sink.add("listed_payouts", (run, payout, outcome.value))
        self._run.clear()

    def _way(self, one: MadeAffiliate, *, is_last: bool) -> list[PayoutStatus]:
        """The states it goes through, as often as they happen."""
        asked, approved, sending = PayoutStatus.requested, PayoutStatus.approved, PayoutStatus.processing
        is_crypto, chance = one.method is PayoutMethod.crypto, self._chance.random()
        is_open = one.status is AccountStatus.verified or is_crypto
        if is_last and chance < 0.3:
            if not is_open or one.is_blocked:
                return [asked, approved, PayoutStatus.held] if chance < 0.2 else [asked]
            if chance < 0.04:
                return [asked]
            if chance < 0.06:
                return [asked, approved, PayoutStatus.held]
            return [asked, approved, sending] if chance < 0.065 and not is_crypto else [asked, approved]
        if chance > 0.98:
            return [asked, PayoutStatus.rejected]
        if chance > 0.96:
            return [asked, approved, PayoutStatus.canceled]
        if is_crypto:
            return [asked, approved, PayoutStatus.paid]
        if chance > 0.95:
            return [asked, approved, sending, PayoutStatus.failed]
        reversed_too = [PayoutStatus.reversed] if chance > 0.94 else []
        return [asked, approved, sending, PayoutStatus.paid, *reversed_too]

    def _hold_of(self, one: MadeAffiliate) -> HoldReason:
        if one.is_blocked:
            return HoldReason.blocked
        is_verified = one.status is AccountStatus.verified or one.method is PayoutMethod.crypto
        return HoldReason.bank_changed if is_verified else HoldReason.not_verified

    def _write(self, one: MadeAffiliate, story: _Story) -> None:
        status = story.status
        is_paid = PayoutStatus.paid in story.way
        approved_at = story.asked_at.text if PayoutStatus.approved in story.way else None
        reason = "The numbers did not add up." if status is PayoutStatus.rejected else None
        self._sink.add(
            "payouts",
            (
                story.number, story.id, one.id, story.amount, one.currency, one.method.value, one.destination,
                story.id, status.value, story.hold.value if story.hold else None, reason, one.user_id, story.transfer,
                f"0x{story.id}" if is_paid and story.transfer is None else None,
                story.amount if status is PayoutStatus.reversed else 0, story.asked_at.text, approved_at,
                story.done_at.text if is_paid else None, None if status.is_open else story.done_at.text,
            ),
        )  # fmt: skip

    def _attempt(self, one: MadeAffiliate, story: _Story) -> None:
        if PayoutStatus.processing not in story.way:
            return
        number, code = dashed(story.id), None
        parameters = {
            "amount": story.amount,
            "currency": one.currency,
            "destination": one.destination,
            "transfer_group": f"payout-{number}",
            "description": f"Payout P-{story.number}",
            "metadata": {"payout": number, "affiliate": one.code, "installation": self._installation},
        }
        state, outcome, unresolved = AttemptState.open, Outcome.unknown, 1
        if story.transfer is not None:
            state, outcome, unresolved = AttemptState.succeeded, Outcome.paid, 0
        elif story.status is PayoutStatus.failed:
            state, outcome, unresolved, code = AttemptState.failed, Outcome.failed, 0, _FAILURE
        self._sink.add(
            "payout_attempts",
            (
                self._ids.row(story.done_at), story.id, 1, f"payout-{number}-g1", _json(parameters), state.value, 1,
                unresolved, story.transfer, None, code, story.done_at.text, story.done_at.text,
                None if state is AttemptState.open else story.done_at.text,
            ),
        )  # fmt: skip
        self._run.append((story.id, one.currency, story.amount, outcome))

    def _book(self, one: MadeAffiliate, story: _Story) -> None:
        def post(kind: EntryKind, reference: str, source: str = "payout") -> None:
            self.post(
                one, kind, story.amount, source=source, reference=reference, payout=story.id, at=story.done_at
            )

        number = dashed(story.id)
        post(EntryKind.reserve, number)
        one.available = 0
        if PayoutStatus.paid in story.way:
            post(EntryKind.settle, number)
        if story.status is PayoutStatus.reversed:
            post(EntryKind.reverse, self._ids.stripe("trr"), "transfer_reversal")
        if story.status.gives_back:
            post(EntryKind.release, number)
        if story.status.gives_back or story.status is PayoutStatus.reversed:
            one.available = story.amount

    def _tell(self, one: MadeAffiliate, story: _Story) -> None:
        before: str | None = None
        for status in story.way:
            at = story.asked_at if before is None else story.done_at
            self._trail.changed(
                ("payout", story.id), "payout.status_changed", values=(before, status.value), at=at
            )
            before = status.value
        kind = OF_MOVE.get(story.status)
        if kind is not None:
            facts = {"amount": story.amount, "code": one.code, "currency": one.currency}
            key, at = f"payout {dashed(story.id)} {story.status}", story.done_at
            self._sink.add(
                "outbox",
                (
                    self._ids.row(story.done_at),
                    key,
                    kind.value,
                    one.id,
                    _json(facts),
                    "sent",
                    1,
                    at.text,
                    at.text,
                    at.text,
                ),
            )

    def _reach_the_bank(self, one: MadeAffiliate, story: _Story, transfer: str) -> None:
        at, number = story.done_at, self._ids.stripe("po")
        error = "StripeAwayError" if self._chance.random() < 0.0005 else None
        self._affiliates.event("transfer.created", transfer, None, at=at, effect="no change", error=error)
        self._sink.add(
            "bank_payouts",
            (
                number, one.id, one.destination, "paid", story.amount, one.currency, at.text[:10], at.text, at.text,
                at.text,
            ),
        )  # fmt: skip
        self._sink.add("carried_payouts", (number, story.id))


def _json(value: object) -> str:
    """As a column of JSON text keeps it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
