"""The time zone in which an affiliate reads times, and the language."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("affiliates", sa.Column("time_zone", sa.String(length=64), nullable=True))
    op.add_column("affiliates", sa.Column("language", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("affiliates", "language")
    op.drop_column("affiliates", "time_zone")
