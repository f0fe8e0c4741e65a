"""What happens at Stripe by itself: approvals after a while, bank payouts, webhooks and their retries."""

from __future__ import annotations

import logging
import threading

from portal.sandbox.account_changes import meet_due_fates
from portal.sandbox.bank_payouts import pay_out_due
from portal.sandbox.state import Sandbox

_PERIOD_SECONDS = 0.2
_log = logging.getLogger(__name__)


def beat(sandbox: Sandbox) -> None:
    """Let happen what is due now."""
    meet_due_fates(sandbox)
    pay_out_due(sandbox)
    sandbox.webhooks.deliver_due()


class Heartbeat:
    """A thread that beats until it is stopped."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 5) -> None:
        """End, and wait for the beat that is under way."""
        self._over.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._over.wait(_PERIOD_SECONDS):
            try:
                beat(self._sandbox)
            except Exception:  # noqa: BLE001 -- one bad beat must not end the heart
                _log.exception("heartbeat.failed")
