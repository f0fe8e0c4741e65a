"""The mails that say a payout is in the bank, and why an automatic one was not made."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail_kinds import allow, refuse  # noqa: E402 - Alembic loads versions outside any package

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NEW_MAIL = ("payout_arrived", "payout_skipped")


def upgrade() -> None:
    allow(NEW_MAIL)


def downgrade() -> None:
    refuse(NEW_MAIL)
