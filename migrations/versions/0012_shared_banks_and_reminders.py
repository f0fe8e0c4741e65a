"""Bank accounts that several affiliates share, since when an account stands as it does, and the mails that remind."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail_kinds import allow, refuse  # noqa: E402 - Alembic loads versions outside any package

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEW_MAIL = ("setup_reminder", "action_reminder")


def upgrade() -> None:
    op.add_column("affiliates", sa.Column("detail_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("affiliates", sa.Column("accepted_bank", sa.String(length=255), nullable=True))
    op.execute("UPDATE affiliates SET detail_changed_at = status_changed_at")
    op.create_index("ix_affiliates_bank_fingerprint", "affiliates", ["bank_fingerprint"])
    allow(NEW_MAIL)


def downgrade() -> None:
    refuse(NEW_MAIL)
    op.drop_index("ix_affiliates_bank_fingerprint", "affiliates")
    op.drop_column("affiliates", "accepted_bank")
    op.drop_column("affiliates", "detail_changed_at")
