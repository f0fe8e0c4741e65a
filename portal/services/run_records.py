"""What is written down of payout runs: the newest, one with what became of its payouts, and who began what when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.payout_runs import LOST_AFTER, MILLISECOND, RunTrigger, payouts_text, sent_nothing
from portal.domain.payouts import PayoutStatus, WaitReason
from portal.models import Affiliate, AuditRow, ListedPayout, Payout, PayoutAttempt, PayoutRun
from portal.models.base import Database, reading
from portal.services.audit_trail import lines_of, names_of_people

#: So far back is looked for what has changed since a list was looked at.
AUDIT_ROWS_LOOKED_AT = 10_000

#: Identifiers that are asked about by one question.
AT_ONCE = 500

_BEGAN = {RunTrigger.timetable: "The timetable", RunTrigger.shell: "Somebody at the shell"}


def cause_of_run(run_id: UUID) -> str:
    """What the audit trail names as the cause of what a run did."""
    return f"process-payouts {run_id}"


@dataclass(frozen=True)
class RunLine:
    """A payout on a run's list: what became of it there, and how its newest attempt was answered."""

    payout: Payout
    affiliate_code: str
    outcome: Outcome | None
    attempt: PayoutAttempt | None


@dataclass(frozen=True)
class RunRecord:
    """A run as it stands."""

    run: PayoutRun
    by: str
    """Who confirmed it; empty where nobody did."""
    counts: Mapping[Outcome, int]
    sent: Mapping[str, int]
    """Minor units sent so far by currency."""

    @property
    def done(self) -> int:
        """How many payouts it has come to."""
        return sum(self.counts.values())

    def is_left(self, now: datetime) -> bool:
        """Whether it was broken off and nobody will go on with it: only an operator's run is followed up."""
        heard_at = self.run.alive_at or self.run.started_at
        is_others = self.run.trigger is not RunTrigger.operator
        return is_others and self.run.finished_at is None and heard_at <= now - LOST_AFTER

    @property
    def totals(self) -> list[Money]:
        """What is on its list, by currency."""
        return _moneys(self.run.totals)

    @property
    def sent_totals(self) -> list[Money]:
        """What it has sent, by currency."""
        return _moneys(self.sent)

    @property
    def is_alarming(self) -> bool:
        """Whether it is over and sent none of many."""
        is_broken_off = self.run.problem is not None
        return self.run.finished_at is not None and sent_nothing(self.counts, is_broken_off=is_broken_off)


class RunRecords:
    """Reads; what ends in `_within` is for the unit of work that is open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @reading
    def get(self, run_id: UUID) -> RunRecord:
        """One run. Raises NotFound."""
        run = self._database.get(PayoutRun, run_id)
        if run is None:
            raise NotFound("There is no such payout run.")
        names = names_of_people(self._database, [run.confirmed_by])
        if run.finished_at is not None:
            return _as_it_ended(run, names)
        return RunRecord(run, _name(run, names), self.counts_within(run_id), self.sent_within(run_id))

    @reading
    def newest(self, *, limit: int) -> list[RunRecord]:
        """The latest runs, newest first; of one that is not finished without what it has done so far."""
        return self.newest_within(limit=limit)

    def newest_within(self, *, limit: int) -> list[RunRecord]:
        """The same."""
        runs = self._database.scalars(
            sa.select(PayoutRun).order_by(PayoutRun.started_at.desc()).limit(limit)
        ).all()
        names = names_of_people(self._database, [run.confirmed_by for run in runs])
        return [_as_it_ended(run, names) for run in runs]

    def totals_within(self, since: datetime, until: datetime) -> Mapping[Outcome, list[Money]]:
        """What the runs begun in that time sent and what Stripe refused of theirs for good, by currency."""
        query = (
            sa.select(ListedPayout.outcome, Payout.currency, sa.func.sum(Payout.amount))
            .join(PayoutRun, PayoutRun.id == ListedPayout.run_id)
            .join(Payout, Payout.id == ListedPayout.payout_id)
            .where(PayoutRun.started_at >= since, PayoutRun.started_at < until)
            .where(ListedPayout.outcome.in_([Outcome.paid, Outcome.failed]))
            .group_by(ListedPayout.outcome, Payout.currency)
            .order_by(Payout.currency)
        )
        found: dict[Outcome, list[Money]] = {Outcome.paid: [], Outcome.failed: []}
        for outcome, currency, total in self._database.execute(query):
            if outcome is not None:
                found[outcome].append(Money(int(total), currency))
        return found

    @reading
    def lines(self, run_id: UUID, *, outcome: Outcome | None, after: int | None, limit: int) -> list[RunLine]:
        """The payouts on a run's list past one number, oldest first; of one outcome, or all. Ids grow with time, and
        the list is kept by them."""
        query = sa.select(ListedPayout.payout_id, ListedPayout.outcome).where(ListedPayout.run_id == run_id)
        if outcome is not None:
            query = query.where(ListedPayout.outcome == outcome)
        if after is not None:
            place = sa.select(Payout.id).where(Payout.number == after).scalar_subquery()
            query = query.where(ListedPayout.payout_id > place)
        listed = self._database.execute(query.order_by(ListedPayout.payout_id).limit(limit))
        came = dict(listed.all())
        rows = self._database.execute(
            sa.select(Payout, Affiliate.code)
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(Payout.id.in_(came))
            .order_by(Payout.id)
        ).all()
        attempts = self._newest_attempts([*came])
        return [RunLine(payout, code, came[payout.id], attempts.get(payout.id)) for payout, code in rows]

    def counts_within(self, run_id: UUID) -> Counter[Outcome]:
        """How many payouts of a run by outcome."""
        query = sa.select(ListedPayout.outcome, sa.func.count()).where(
            ListedPayout.run_id == run_id, ListedPayout.outcome.is_not(None)
        )
        rows = self._database.execute(query.group_by(ListedPayout.outcome))
        return Counter({outcome: count for outcome, count in rows if outcome is not None})

    def sent_within(self, run_id: UUID) -> dict[str, int]:
        """What a run has sent, in minor units by currency."""
        query = (
            sa.select(Payout.currency, sa.func.sum(Payout.amount))
            .join(ListedPayout, ListedPayout.payout_id == Payout.id)
            .where(ListedPayout.run_id == run_id, ListedPayout.outcome == Outcome.paid)
            .group_by(Payout.currency)
        )
        return {currency: int(total) for currency, total in self._database.execute(query)}

    def waits_within(self, run_id: UUID) -> Counter[WaitReason]:
        """Why payouts of a run still wait."""
        query = (
            sa.select(Payout.wait_reason, sa.func.count())
            .join(ListedPayout, ListedPayout.payout_id == Payout.id)
            .where(ListedPayout.run_id == run_id, ListedPayout.outcome == Outcome.waiting)
            .group_by(Payout.wait_reason)
        )
        return Counter({reason: n for reason, n in self._database.execute(query) if reason is not None})

    def paid_by_within(self, run_id: UUID, payouts: Sequence[UUID]) -> set[UUID]:
        """Which of these the run itself has sent, whoever did not live to note it: the audit trail knows."""
        found: set[UUID] = set()
        for first in range(0, len(payouts), AT_ONCE):
            ids = [str(each) for each in payouts[first : first + AT_ONCE]]
            query = sa.select(AuditRow.subject_id).where(
                AuditRow.subject_kind == "payout",
                AuditRow.subject_id.in_(ids),
                AuditRow.to_value == PayoutStatus.paid,
                AuditRow.cause == cause_of_run(run_id),
            )
            found |= {UUID(text) for text in self._database.scalars(query)}
        return found

    def last_that_sent_within(self) -> UUID | None:
        """The newest run that sent something."""
        sent = sa.select(PayoutRun.id).where(PayoutRun.paid > 0).order_by(PayoutRun.started_at.desc())
        return self._database.scalar(sent.limit(1))

    def confirmed_since_within(self, moment: datetime) -> PayoutRun | None:
        """The newest run that an operator confirmed since then."""
        since = sa.select(PayoutRun).where(
            PayoutRun.trigger == RunTrigger.operator, PayoutRun.started_at >= moment
        )
        return self._database.scalar(since.order_by(PayoutRun.started_at.desc()).limit(1))

    def sentence_within(self, run: PayoutRun) -> str:
        """Who began it when, and how far it is."""
        names = names_of_people(self._database, [run.confirmed_by])
        who = _BEGAN.get(run.trigger) or _name(run, names)
        state = f"finished, {run.paid} sent" if run.finished_at is not None else "not finished yet"
        return f"{who} began it with {payouts_text(run.listed)} on {_moment(run.started_at)}; it is {state}."

    def what_changed_within(self, cutoff: datetime, newer: PayoutRun | None) -> str:
        """Why a list that was looked at then is out of date: who did what when."""
        begun = "This list is out of date"
        if newer is not None:
            return f"{begun}. There was another run since: {self.sentence_within(newer)}"
        last = sa.select(sa.func.max(AuditRow.id)).scalar_subquery()
        query = sa.select(AuditRow).where(
            AuditRow.id > last - AUDIT_ROWS_LOOKED_AT,
            AuditRow.subject_kind == "payout",
            AuditRow.action == "payout.status_changed",
            AuditRow.created_at > cutoff - MILLISECOND,
            AuditRow.from_value != PayoutStatus.requested,
        )
        rows = self._database.scalars(query.order_by(AuditRow.id.desc()).limit(1)).all()
        for line in lines_of(self._database, rows):
            who = f"{line.row.actor_kind.value} {line.actor}".strip()
            return (
                f"{begun}: {line.subject} became {line.row.to_value} ({who}, {_moment(line.row.created_at)})."
            )
        return f"{begun}: whether its payouts may be sent has changed since {_moment(cutoff)}."

    def _newest_attempts(self, ids: Sequence[UUID]) -> dict[UUID, PayoutAttempt]:
        query = sa.select(PayoutAttempt).where(PayoutAttempt.payout_id.in_(ids))
        ordered = self._database.scalars(query.order_by(PayoutAttempt.generation))
        return {attempt.payout_id: attempt for attempt in ordered}


def _as_it_ended(run: PayoutRun, names: Mapping[UUID, str]) -> RunRecord:
    """With what was written down at its end."""
    return RunRecord(run, _name(run, names), {Outcome(key): n for key, n in run.tally.items()}, run.sent)


def _name(run: PayoutRun, names: Mapping[UUID, str]) -> str:
    return names.get(run.confirmed_by, "") if run.confirmed_by else ""


def _moneys(by_currency: Mapping[str, int]) -> list[Money]:
    return [Money(amount, currency) for currency, amount in sorted(by_currency.items())]


def _moment(moment: datetime) -> str:
    return f"{moment:%d %b %Y, %H:%M} UTC"
