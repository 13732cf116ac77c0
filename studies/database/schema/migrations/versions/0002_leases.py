"""Leases: who holds a study, the request to stop, and the token of the driver that wrote a row."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns, which both databases do without copying a table."""
    for table in ("study", "epoch", "rung_result", "event"):
        op.add_column(table, sa.Column("fencing_token", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("study", sa.Column("holder_host", sa.Text))
    op.add_column("study", sa.Column("holder_process", sa.Integer))
    op.add_column("study", sa.Column("held_since", sa.DateTime(timezone=True)))
    op.add_column("study", sa.Column("stop_requested_at", sa.DateTime(timezone=True)))
