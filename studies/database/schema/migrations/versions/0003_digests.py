"""Digests: what each row held when it was written, so that a value that changed since then is found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    *("study", "trial", "replicate", "evaluation", "epoch", "layer_gradient"),
    *("rung_result", "artifact", "event"),
)


def upgrade() -> None:
    """Add a column, which both databases do without copying a table; rows recorded before have none."""
    for table in _TABLES:
        op.add_column(table, sa.Column("digest", sa.BigInteger))
