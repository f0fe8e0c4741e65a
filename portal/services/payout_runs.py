"""Payout runs from the first moment to the last: an operator's is confirmed here and done by the worker, and all leave
the same record. What sends is `transfers`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import Outcome
from portal.domain.payout_runs import (
    LOST_AFTER,
    RunIsNotPossible,
    RunIsOutdated,
    RunTrigger,
    RunWasUsed,
    cutoff_of,
    payouts_text,
    refuse_another_total,
    sent_nothing,
)
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeKeyRefusedError
from portal.models import Installation, ListedPayout, Payout, PayoutRun
from portal.models.base import Database, new_id, writing
from portal.services.heartbeats import Heartbeats
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications
from portal.services.payout_previews import PayoutPreviews
from portal.services.run_records import RunRecords, cause_of_run
from portal.services.transfers import RunTally, Taken, Transfers

log = structlog.get_logger(__name__)

#: How often whoever does a run gives a sign of life, well within the time after which they are taken for lost.
SIGN_OF_LIFE_SECONDS = 30.0

#: Payouts that are read or written by one statement.
AT_ONCE = 500


class PayoutRuns:
    """Runs, each of exactly its list."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        journal: Journal,
        transfers: Transfers,
        previews: PayoutPreviews,
        records: RunRecords,
        notifications: Notifications,
        heartbeats: Heartbeats,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._transfers = transfers
        self._previews = previews
        self._records = records
        self._notifications = notifications
        self._heartbeats = heartbeats

    def run(self, *, trigger: RunTrigger, cause: Cause, run_id: UUID | None = None) -> RunTally:
        """Send all that is due now; given the id of a run that was broken off, it is the same run. One that finds
        nothing leaves no record. Raises StripeKeyRefusedError."""
        due = self._transfers.due()
        if not due:
            return RunTally()
        run_id = run_id or new_id()
        self._begin(run_id, trigger, due)
        return self._send(run_id, due, cause)

    @writing
    def confirm(self, run_id: UUID, *, total: str, confirmed_by: UUID, cause: Cause) -> PayoutRun:
        """Have the worker send exactly the list that this id was given for, once; nothing is asked of Stripe here.
        Raises RunWasUsed, RunIsNotPossible, RunIsOutdated, InvalidInput."""
        # one after another: of two who confirm at once, the second sees what the first has begun
        installation = self._database.scalars(sa.select(Installation).with_for_update()).one()
        cutoff = cutoff_of(run_id)
        if (used := self._database.get(PayoutRun, run_id)) is not None:
            raise RunWasUsed(f"This list was run before: {self._records.sentence_within(used)}")
        if installation.halted_at is not None:
            raise RunIsNotPossible(f"Sending is stopped: {installation.halt_reason or 'no reason was given'}")
        if (other := self._under_way()) is not None:
            raise RunIsNotPossible(
                f"Another run is under way: {self._records.sentence_within(other)} Look again once it is finished."
            )
        if cutoff is None or cutoff > self._clock.now() + timedelta(seconds=1):
            raise RunIsOutdated("There is no such list. Look at the one below.")
        preview = self._previews.until(cutoff)
        newer = self._records.confirmed_since_within(cutoff)
        if preview.run_id != run_id or newer is not None:
            raise RunIsOutdated(self._records.what_changed_within(cutoff, newer))
        listed, totals = preview.listed, preview.totals
        if not listed:
            raise RunIsNotPossible("There is nothing to send.")
        refuse_another_total(total, totals)
        run = self._add(
            run_id, RunTrigger.operator, len(listed), {each.currency: each.amount for each in totals}
        )
        run.confirmed_by = confirmed_by
        self._list(run_id, [line.payout_id for line in listed])
        self._journal.changed(
            "payout_run", run_id, action="payouts.run_confirmed", before=None,
            after=f"{payouts_text(len(listed))}, {', '.join(map(str, totals))}", cause=cause, at=run.started_at,
        )  # fmt: skip
        log.info("payout_run.confirmed", run=str(run_id), payouts=len(listed))
        return run

    def do_waiting(self) -> int:
        """Do the runs that operators confirmed and nobody has taken, or whose worker was lost; how many. Raises
        StripeKeyRefusedError."""
        taken = self._take()
        for run_id, left in taken:
            self._send(run_id, left, Cause.system(cause_of_run(run_id)))
        return len(taken)

    def _send(self, run_id: UUID, payouts: Collection[UUID], cause: Cause) -> RunTally:
        with self._heartbeats.beating(partial(self.renew, run_id)):
            try:
                tally = self._transfers.run(payouts, cause=cause, note=partial(self._tell, run_id))
            except StripeKeyRefusedError as problem:
                self._finish(run_id, problem=f"{problem}. No payout was changed."[:500])
                raise
        self._finish(run_id, problem=None)
        return tally

    @writing
    def _begin(self, run_id: UUID, trigger: RunTrigger, due: Sequence[UUID]) -> None:
        """What is on hold is looked at too, but stands on the list only once something has come of it: else every run
        would write it down again for as long as it is held."""
        run = self._database.get(PayoutRun, run_id, with_for_update=True) or self._add(run_id, trigger, 0, {})
        run.taken_at = run.alive_at = self._clock.now()
        run.finished_at = run.problem = None
        self._extend(run, due, Payout.status != PayoutStatus.held)

    def _extend(self, run: PayoutRun, payouts: Sequence[UUID], *further: sa.ColumnElement[bool]) -> None:
        known, totals = self._listed(run.id), Counter(run.totals)
        new = [each for each in payouts if each not in known]
        for first in range(0, len(new), AT_ONCE):
            some = Payout.id.in_(new[first : first + AT_ONCE])
            query = sa.select(Payout.id, Payout.amount, Payout.currency).where(some, *further)
            rows = self._database.execute(query).all()
            for row in rows:
                totals[row.currency] += row.amount
            run.listed += len(rows)
            self._list(run.id, [row.id for row in rows])
        run.totals = dict(totals)

    def _add(self, run_id: UUID, trigger: RunTrigger, listed: int, totals: dict[str, int]) -> PayoutRun:
        run = PayoutRun(
            id=run_id, trigger=trigger, started_at=self._clock.now(), listed=listed, totals=totals, paid=0,
            tally={}, sent={},
        )  # fmt: skip
        self._database.add(run)
        return run

    def _list(self, run_id: UUID, payouts: Sequence[UUID]) -> None:
        self._database.flush()
        if payouts:
            rows = [{"run_id": run_id, "payout_id": payout_id} for payout_id in payouts]
            self._database.execute(sa.insert(ListedPayout), rows)

    @writing
    def _take(self) -> list[tuple[UUID, set[UUID]]]:
        """The runs that this worker has to do, each with what is left of its list."""
        now = self._clock.now()
        query = sa.select(PayoutRun).where(
            PayoutRun.trigger == RunTrigger.operator,
            PayoutRun.finished_at.is_(None),
            sa.or_(PayoutRun.alive_at.is_(None), PayoutRun.alive_at <= now - LOST_AFTER),
        )
        taken = []
        query = query.order_by(PayoutRun.started_at).with_for_update(skip_locked=True)
        for run in self._database.scalars(query).all():
            run.taken_at, run.alive_at = run.taken_at or now, now
            taken.append((run.id, self._listed(run.id, ListedPayout.outcome.is_(None))))
        return taken

    @writing
    def renew(self, run_id: UUID) -> None:
        """Note that a run is still being done."""
        self._database.get_one(PayoutRun, run_id).alive_at = self._clock.now()

    def _tell(self, run_id: UUID, taken: Sequence[Taken]) -> None:
        """The record must not stand in the way of a payout; what it lacks is made up for when the run is finished."""
        try:
            self._note(run_id, taken)
        except Exception:
            log.exception("payout_run.not_noted", run=str(run_id))

    @writing
    def _note(self, run_id: UUID, taken: Sequence[Taken]) -> None:
        outcomes = {each.payout_id: each.outcome for each in taken}
        if self._write(run_id, [*outcomes], outcomes.__getitem__) == len(outcomes):
            return
        run = self._database.get_one(PayoutRun, run_id, with_for_update=True)
        freed = [each for each, outcome in outcomes.items() if outcome is not Outcome.held]
        if run.trigger is not RunTrigger.operator:
            self._extend(run, freed)
            self._write(run_id, freed, outcomes.__getitem__)

    def _write(self, run_id: UUID, payouts: Sequence[UUID], outcome_of: Callable[[UUID], Outcome]) -> int:
        """How many of them are on the list."""
        written = 0
        for first in range(0, len(payouts), AT_ONCE):
            some = payouts[first : first + AT_ONCE]
            for outcome in {outcome_of(each) for each in some}:
                ids = [each for each in some if outcome_of(each) is outcome]
                listed = sa.update(ListedPayout).where(
                    ListedPayout.run_id == run_id, ListedPayout.payout_id.in_(ids)
                )
                noted = self._database.execute(
                    listed.values(outcome=outcome).execution_options(synchronize_session=False)
                )
                written += cast("sa.CursorResult[Any]", noted).rowcount
        return written

    @writing
    def _finish(self, run_id: UUID, *, problem: str | None) -> None:
        """What nobody came to is left to the next run; of a run that sent none of many, the operators are told."""
        left = sorted(self._listed(run_id, ListedPayout.outcome.is_(None)))
        paid = self._records.paid_by_within(run_id, left)
        self._write(run_id, left, lambda each: Outcome.paid if each in paid else Outcome.skipped)
        run = self._database.get_one(PayoutRun, run_id)
        if not run.listed:  # all of it was on hold, and is so still
            self._database.delete(run)
            return
        halt = self._database.scalar(sa.select(Installation.halt_reason))
        run.finished_at = self._clock.now()
        run.problem = problem or (f"Sending is stopped: {halt}"[:500] if halt is not None else None)
        counts = self._records.counts_within(run_id)
        run.tally = {outcome.value: count for outcome, count in counts.items()}
        run.paid, run.sent = counts[Outcome.paid], self._records.sent_within(run_id)
        if sent_nothing(counts, is_broken_off=run.problem is not None):
            log.critical("payout_run.sent_nothing", run=str(run_id), payouts=run.listed)
            self._notifications.run_sent_nothing(
                run,
                counts=counts,
                waits=self._records.waits_within(run_id),
                since=self._records.last_that_sent_within(),
            )

    def _under_way(self) -> PayoutRun | None:
        """A run that somebody is at, or will be within a minute; not one whose worker was lost."""
        heard_at = sa.func.coalesce(PayoutRun.alive_at, PayoutRun.started_at)
        return self._database.scalar(
            sa.select(PayoutRun)
            .where(PayoutRun.finished_at.is_(None), heard_at > self._clock.now() - LOST_AFTER)
            .order_by(PayoutRun.started_at.desc())
            .limit(1)
        )

    def _listed(self, run_id: UUID, *further: sa.ColumnElement[bool]) -> set[UUID]:
        query = sa.select(ListedPayout.payout_id).where(ListedPayout.run_id == run_id, *further)
        return {*self._database.scalars(query)}
