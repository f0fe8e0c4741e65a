"""When the worker does what, beside what it does each minute."""

from __future__ import annotations

from portal.config import Settings
from portal.domain.automatic_payouts import crontab_of
from portal.services.automatic_payouts import AUTOMATIC_PAYOUTS
from portal.services.digests import DIGEST
from portal.services.findings import MAKE_UP
from portal.services.reminders import REMINDERS

#: What no webhook has brought, before the hour's other work.
BACKFILL_CRONTAB = "50 * * * *"

#: When every account is asked for again (UTC); fixed, so that “nightly” means the same everywhere.
VERIFICATION_CRONTAB = "0 2 * * *"

#: Whom that did not reach, should Stripe have been away, in each hour after it.
MAKE_UP_CRONTAB = "15 * * * *"

#: The books against Stripe and against themselves, hourly, between two runs of the usual timetable.
RECONCILE_CRONTAB = "30 * * * *"
SELFCHECK_CRONTAB = "35 * * * *"

#: Sent payouts that have not safely arrived, should no event have told; banks take days.
BANK_PAYOUTS_CRONTAB = "45 */6 * * *"

#: After the nightly look at all accounts, before most people begin to work.
DIGEST_CRONTAB = "0 7 * * *"

#: After the nightly look at all accounts, so that nobody is reminded of what is done; by day in most of the world.
REMINDERS_CRONTAB = "0 9 * * *"


def crontabs(settings: Settings) -> dict[str, str]:
    """The timetable, in the order in which what is due together is done."""
    jobs = {
        "backfill-events": BACKFILL_CRONTAB,
        "verify-stripe-accounts": VERIFICATION_CRONTAB,
        MAKE_UP: MAKE_UP_CRONTAB,
    }
    automatic = crontab_of(settings.payout_schedule)
    if automatic is not None:
        jobs[AUTOMATIC_PAYOUTS] = automatic
    return jobs | {
        "process-payouts": settings.payout_run,
        "reconcile": RECONCILE_CRONTAB,
        "selfcheck": SELFCHECK_CRONTAB,
        "bank-payouts": BANK_PAYOUTS_CRONTAB,
        DIGEST: DIGEST_CRONTAB,
        REMINDERS: REMINDERS_CRONTAB,
    }
