"""The modules that decide about money."""

from __future__ import annotations

_DOMAIN = "approval attempts gate ledger minimum money payout_runs payouts refunds statements verdicts"

_SERVICES = (
    "acceptances account_making accounts approvals attempts automatic_payouts books claims holds ledger offers "
    "payout_moves payout_previews payout_runs payouts reconciliation refunds reversals run_records selfcheck sending "
    "sending_switch transfer_comparison transfers wallets"
)

MODULES = (
    *(f"portal/domain/{name}.py" for name in _DOMAIN.split()),
    *(f"portal/services/{name}.py" for name in _SERVICES.split()),
)
