"""How many accounts a verification run did not reach, because Stripe gave no answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "verification_runs", sa.Column("unreached", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("verification_runs", "unreached")
