"""Where a browser signs out at the provider it signed in with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("end_session_endpoint", sa.String(length=500), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "end_session_endpoint")
