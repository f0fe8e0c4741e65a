"""A process that dies after Stripe has made a transfer and before we have written it down: it is paid, once."""

from __future__ import annotations

import signal

from tests.journeys.inside import approved_payout, assert_books_balance, inside
from tests.journeys.running import Process, RunningPortal, eventually

AMOUNT = 12_345

#: The business clock stands a little ahead, so that a slot of the timetable was missed when the worker begins.
EARLY = {"PORTAL_CLOCK_OFFSET": "180", "PORTAL_PAYOUT_RUN": "* * * * *"}

#: When it is tried again: late enough for what waits a while after an unknown outcome.
LATER = {**EARLY, "PORTAL_CLOCK_OFFSET": "7200"}


def kill_between_the_commits(portal: RunningPortal, process: Process) -> None:
    """Stop the process while it waits for Stripe's answer, let Stripe finish, and kill it before it can go on."""
    eventually(lambda: transfer_requests(portal), what="a request for a transfer")
    process.signal_all(signal.SIGSTOP)
    eventually(lambda: portal.at_stripe("transfers"), what="the transfer at Stripe")
    process.kill()


def transfer_requests(portal: RunningPortal) -> list[object]:
    """The requests for a transfer that the stand-in has seen."""
    seen = portal.control("requests", method="GET")["requests"]
    return [one for one in seen if (one["method"], one["path"]) == ("POST", "/v1/transfers")]


def pays_once_after_being_killed(portal: RunningPortal, words: list[str], *, again: list[str]) -> None:
    """Start `words`, kill it while it sends, start `again`: one transfer, one payout, and books that say so."""
    portal.settings.update(EARLY)
    with inside(portal) as here:
        payout = approved_payout(portal, here, "ada", amount=AMOUNT)
        slow = {"method": "POST", "path_prefix": "/v1/transfers", "fault": "slow", "seconds": 1}
        portal.control("faults", slow)
        kill_between_the_commits(portal, portal.start_command(*words))
        assert here.payouts.get(payout.id).status == "processing"

        portal.command(*again, **LATER)

        transfers = portal.at_stripe("transfers")
        assert [(one["amount"], one["transfer_group"]) for one in transfers] == [
            (AMOUNT, f"payout-{payout.id}")
        ]
        settled = here.payouts.get(payout.id)
        assert (settled.status, settled.transfer_id) == ("paid", transfers[0]["id"])
        assert_books_balance(here, payout.affiliate_id, paid_out=AMOUNT)


def test_a_run_killed_between_stripes_commit_and_ours_pays_once(standing: RunningPortal) -> None:
    pays_once_after_being_killed(standing, ["process-payouts"], again=["process-payouts"])


def test_a_worker_killed_between_stripes_commit_and_ours_pays_once(standing: RunningPortal) -> None:
    pays_once_after_being_killed(standing, ["worker"], again=["worker", "--once"])
