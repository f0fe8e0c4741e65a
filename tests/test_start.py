"""Starting as in production: refused with one line for each setting that is missing, and nothing else."""

from __future__ import annotations

import subprocess
import sys

from portal.config import PROJECT_ROOT

MISSING = (
    "SECRET_KEY",
    "PORTAL_BASE_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS",
    "PORTAL_MAIL_URL",
    "PORTAL_OIDC_<NAME>_ISSUER",
)


def test_a_start_without_settings_names_all_of_them_and_shows_no_traceback() -> None:
    unset = dict.fromkeys(MISSING[:-1], "")  # so that a developer's own .env changes nothing
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "--once"]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=unset, capture_output=True, text=True, timeout=60, check=False
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert tuple(line.split(" ")[0] for line in lines) == MISSING
