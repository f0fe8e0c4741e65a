"""Who may send what, written down route by route: what the portal promises, beside what its views say."""

from __future__ import annotations

#: A form that asks for a sign-in of the last 30 minutes too.
AGAIN = "again"

#: By kind of visitor or least role: method and path, and after a space what a form says where that decides.
MATRIX: dict[str, set[str]] = {
    "public": {
        "GET /", "GET /static/<path:filename>", "GET /login", "GET /login/<provider>", "GET /auth/<provider>/callback",
        "GET /healthz", "GET /readyz", "GET /metrics",
    },
    "stripe": {"POST /webhooks/stripe"},
    "machine": {
        "PUT /api/v1/affiliates/<code>", "GET /api/v1/affiliates/<code>", "POST /api/v1/earnings",
        "POST /api/v1/earnings/<path:reference>/reversals", "GET /api/v1/openapi.json", "GET /api/v1/payouts",
        "GET /api/v1/payouts/<payout_id>", "POST /api/v1/verification-runs", "GET /api/v1/verification-runs/<run_id>",
    },
    "person": {
        "GET /affiliate", "POST /affiliate", "POST /logout", "POST /logout/elsewhere", "POST /logout/everywhere",
    },
    "affiliate": {
        "GET /affiliates", "GET /dashboard", "GET /dashboard/chart", "GET /earnings", "GET /payouts", "POST /payouts",
        "GET /payouts.csv",
        "GET /payouts/<uuid:payout_id>", "POST /payouts/<uuid:payout_id>/cancel", "GET /payouts/new",
        "GET /payouts/preferences", "GET /settings", "POST /settings", "GET /statements", "GET /statements/<month>",
        "GET /statements/<month>.csv", "GET /statements/<month>.pdf", "POST /stripe/dashboard",
        "POST /stripe/onboarding", "GET /stripe/refresh", "GET /stripe/return", "GET /stripe/status",
        "GET /dashboard/balances", "POST /stripe/sync",
    },
    f"affiliate {AGAIN}": {"POST /payouts/preferences"},
    "viewer": {
        "GET /operator/", "GET /operator/affiliates", "GET /operator/affiliates.csv", "GET /operator/affiliates/<code>",
        "GET /operator/affiliates/<code>/block", "GET /operator/verification/<uuid:verification_id>",
        "GET /operator/audit", "GET /operator/audit.csv", "GET /operator/payouts", "GET /operator/payouts.csv",
        "GET /operator/payouts/<uuid:payout_id>", "GET /operator/payouts/bulk", "GET /operator/payouts/bulk/<uuid:key>",
        "GET /operator/payouts/run", "GET /operator/payouts/run.csv", "GET /operator/payouts/runs/<uuid:run_id>",
        "GET /operator/payouts/selection", "GET /operator/reconciliation", "GET /operator/tokens",
        "GET /operator/verification", "GET /operator/webhooks", "GET /operator/webhooks/<event_id>",
    },
    "operator": {
        "POST /operator/affiliates/<code>/block", "POST /operator/affiliates/<code>/unblock",
        "POST /operator/affiliates/<code>/notes",
        "POST /operator/affiliates/<code>/sync", "POST /operator/payouts/<uuid:payout_id>/cancel",
        "POST /operator/payouts/<uuid:payout_id>/retry", "POST /operator/payouts/halt",
        "POST /operator/verification/run", "POST /operator/webhooks/<event_id>/replay",
        "POST /operator/webhooks/replay-failed", "POST /operator/webhooks/self-test",
    },
    f"operator {AGAIN}": {"POST /operator/payouts/bulk cancel", "POST /operator/payouts/bulk retry"},
    "approver": {"POST /operator/affiliates/<code>/accept-bank"},
    f"approver {AGAIN}": {
        "POST /operator/payouts/<uuid:payout_id>/approve", "POST /operator/payouts/<uuid:payout_id>/reject",
        "POST /operator/payouts/<uuid:payout_id>/mark-paid", "POST /operator/payouts/run",
        "POST /operator/payouts/resume", "POST /operator/payouts/bulk approve", "POST /operator/payouts/bulk reject",
        "POST /operator/payouts/bulk mark_paid",
    },
    f"admin {AGAIN}": {"POST /operator/tokens", "POST /operator/tokens/revoke"},
}  # fmt: skip

#: Each row: the request, who may, and whether only after a recent sign-in.
ROWS = sorted(
    (request, who.split()[0], who.endswith(AGAIN)) for who, requests in MATRIX.items() for request in requests
)
