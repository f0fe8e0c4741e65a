"""The jobs themselves: thin, resumable, each on top of one use case. Truth is in the tables; a job may run twice."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from portal.domain.payout_runs import RunTrigger
from portal.services.automatic_payouts import AUTOMATIC_PAYOUTS
from portal.services.digests import DIGEST
from portal.services.findings import MAKE_UP
from portal.services.journal import Cause
from portal.services.reminders import REMINDERS
from portal.services.run_records import cause_of_run
from portal.services.timetable import Slot
from portal.wiring import Services, StripeProblemError

log = structlog.get_logger(__name__)


def work_on_events(services: Services) -> int:
    """Work on what Stripe has told us."""
    return services.stripe_events.process_due()


def retry_transfers(services: Services) -> int:
    """Go on with attempts of unknown outcome that are due."""
    tally = services.transfers.retry(cause=Cause.system("retry"))
    return sum(tally.counts.values())


def do_requested_runs(services: Services) -> int:
    """Do the verifications that somebody asked for."""
    return services.requested_runs.do_waiting()


def do_confirmed_runs(services: Services) -> int:
    """Send the lists that operators confirmed, and look what is left at Stripe."""
    done = services.payout_runs.do_waiting()
    if done:
        services.platform_balance.look()
    return done


def do_webhook_self_tests(services: Services) -> int:
    """Do the self-tests of webhooks that somebody asked for."""
    return services.webhook_self_tests.do_waiting()


def seal_audit(services: Services) -> int:
    """Chain what the audit trail gained."""
    return services.audit_chain.seal()


def send_mail(services: Services, *, most: int | None = None) -> int:
    """Send mail that is due, at most so many; how many were taken up."""
    return services.mail_delivery.send_due(most=most)


def run_slot(services: Services, slot: Slot) -> None:
    """Do what a taken slot of the timetable is for."""
    with services.timetable.kept(slot):
        tally = _SLOT_JOBS[slot.job](services, slot)
    services.timetable.finish(slot, tally)


def _backfill(services: Services, slot: Slot) -> dict[str, object]:
    try:
        tally = services.event_backfills.run_due()
    except StripeProblemError as problem:  # the next one begins where this one stopped
        log.error("backfill.not_made", slot_at=slot.slot_at.isoformat(), problem=str(problem))
        return {"problem": str(problem)}
    services.look_at_events()
    return tally.as_json()


def _make(services: Services, slot: Slot) -> dict[str, object]:
    return {"made": services.automatic_payouts.make(slot)}


def _verify(services: Services, slot: Slot) -> dict[str, object]:
    run = services.verification.run(trigger="timetable", run_id=slot.run_id)
    return {"checked": run.checked, "changed": run.changed, "errors": run.errors}


def _make_up(services: Services, slot: Slot) -> dict[str, object]:
    run = services.verification.make_up(run_id=slot.run_id)
    return {"checked": run.checked, "errors": run.errors} if run else {}


def _send(services: Services, slot: Slot) -> dict[str, object]:
    services.automatic_payouts.make_due()
    tally = services.payout_runs.run(
        trigger=RunTrigger.timetable, cause=Cause.system(cause_of_run(slot.run_id)), run_id=slot.run_id
    )
    services.platform_balance.look()
    return tally.as_json()


def _reconcile(services: Services, slot: Slot) -> dict[str, object]:
    try:
        return services.reconciliation.run(cause=Cause.system(f"reconcile {slot.run_id}")).as_json()
    except StripeProblemError as problem:  # a run makes up for it before it sends anything
        log.error("reconciliation.not_made", problem=str(problem))
        return {"problem": str(problem)}


def _check(services: Services, slot: Slot) -> dict[str, object]:
    broken = services.selfcheck.run()
    if broken:
        log.critical("books.broken", slot_at=slot.slot_at.isoformat(), breaches=len(broken))
    return {"broken": [breach.as_json() for breach in broken]}


def _look_at_banks(services: Services, slot: Slot) -> dict[str, object]:
    cause = Cause.system(f"bank-payouts {slot.run_id}")
    return services.bank_payouts.look_for_all(cause=cause).as_json()


def _remind(services: Services, _slot: Slot) -> dict[str, object]:
    return {"written": services.reminders.send()}


def _tell_operators(services: Services, _slot: Slot) -> dict[str, object]:
    return {"written": services.digests.send()}


_SLOT_JOBS: dict[str, Callable[[Services, Slot], dict[str, object]]] = {
    "backfill-events": _backfill,
    AUTOMATIC_PAYOUTS: _make,
    "verify-stripe-accounts": _verify,
    MAKE_UP: _make_up,
    "process-payouts": _send,
    "reconcile": _reconcile,
    "selfcheck": _check,
    "bank-payouts": _look_at_banks,
    DIGEST: _tell_operators,
    REMINDERS: _remind,
}


def everything_due(services: Services, *, most_mails: int | None = None) -> bool:
    """Events, retries, missed slots and mail until nothing is due (of mail at most so many); False if a job raised.
    Each goes on without the others."""

    def send_some_mail(services: Services) -> int:
        return send_mail(services, most=most_mails)

    sweeps = (
        work_on_events, do_confirmed_runs, do_webhook_self_tests, retry_transfers, do_requested_runs, seal_audit,
    )  # fmt: skip
    is_fine = sum(_is_done(services, sweep) for sweep in sweeps) == len(sweeps)
    for slot in services.timetable.take_due():
        try:
            run_slot(services, slot)
        except Exception:
            log.exception("job.raised", job=slot.job)
            is_fine = False
    is_fine = _is_done(services, seal_audit) and is_fine
    # last: what went before writes mail, and a mail server may let one wait
    return _is_done(services, send_some_mail) and is_fine


def _is_done(services: Services, sweep: Callable[[Services], int]) -> bool:
    try:
        sweep(services)
    except Exception:
        log.exception("job.raised", job=sweep.__name__)
        return False
    return True
