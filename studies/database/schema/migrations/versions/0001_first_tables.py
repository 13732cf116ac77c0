"""The first schema: studies, trials, what they recorded, and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, parents first."""
    _create_study()
    _create_trial()
    _create_what_ended_trials_leave()
    _create_what_running_trials_leave()
    _create_what_a_study_leaves()


def _of_study(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], f"fk_{table}_study", ondelete="CASCADE"),
    ]


def _of_trial(table: str) -> list[sa.schema.SchemaItem]:
    columns, parents = ["study_id", "trial_number"], ["trial.study_id", "trial.number"]
    return [
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("trial_number", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(columns, parents, f"fk_{table}_trial", ondelete="CASCADE"),
    ]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _create_study() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("plan_hash", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        _key("study", "id"),
        sa.UniqueConstraint("name", name="uq_study_name"),
    )


def _create_trial() -> None:
    op.create_table(
        "trial",
        *_of_study("trial"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("cell", sa.Integer),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stop_reason", sa.Text),
        sa.Column("rung", sa.Integer),
        sa.Column("epochs", sa.Integer, nullable=False),
        sa.Column("attempt_epochs", sa.Integer, nullable=False),
        sa.Column("objective", sa.Double),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("busy_seconds", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("worker", sa.Text),
        sa.Column("versions", sa.JSON),
        _key("trial", "study_id", "number"),
    )


def _create_what_ended_trials_leave() -> None:
    op.create_table(
        "replicate",
        *_of_trial("replicate"),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("block", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("val_loss", sa.Double),
        sa.Column("val_accuracy", sa.Double),
        sa.Column("test_loss", sa.Double),
        sa.Column("test_accuracy", sa.Double),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("verdict_initial", sa.Text),
        sa.Column("verdict_trained", sa.Text),
        sa.Column("verdicts", sa.JSON),
        _key("replicate", "study_id", "trial_number", "replicate"),
    )
    op.create_table(
        "evaluation",
        *_of_trial("evaluation"),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("confusion", sa.JSON),
        sa.Column("calibration", sa.JSON),
        sa.Column("samples", sa.JSON),
        _key("evaluation", "study_id", "trial_number", "replicate"),
    )


def _create_what_running_trials_leave() -> None:
    op.create_table(
        "epoch",
        *_of_trial("epoch"),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("train_loss", sa.Double),
        sa.Column("train_accuracy", sa.Double),
        sa.Column("val_loss", sa.Double),
        sa.Column("val_accuracy", sa.Double),
        sa.Column("learning_rate", sa.Double),
        sa.Column("metrics", sa.JSON, nullable=False),
        _key("epoch", "study_id", "trial_number", "replicate", "epoch"),
    )
    op.create_table(
        "layer_gradient",
        *_of_trial("layer_gradient"),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("layer", sa.Integer, nullable=False),
        sa.Column("grad_l2", sa.Double),
        sa.Column("grad_l2_max", sa.Double),
        sa.Column("grad_rms", sa.Double),
        sa.Column("delta_rms", sa.Double),
        sa.Column("weight_rms", sa.Double),
        sa.Column("update_ratio", sa.Double),
        sa.Column("activation_mean", sa.Double),
        sa.Column("activation_std", sa.Double),
        sa.Column("dead_fraction", sa.Double),
        _key("layer_gradient", "study_id", "trial_number", "replicate", "epoch", "layer"),
    )
    op.create_table(
        "rung_result",
        *_of_trial("rung_result"),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("objective", sa.Double),
        sa.Column("decision", sa.String(16), nullable=False),
        _key("rung_result", "study_id", "trial_number", "epoch"),
    )


def _create_what_a_study_leaves() -> None:
    op.create_table(
        "artifact",
        *_of_study("artifact"),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("num_bytes", sa.BigInteger, nullable=False),
        sa.Column("trial_number", sa.Integer),
        _key("artifact", "study_id", "path"),
    )
    op.create_table(
        "event",
        *_of_study("event"),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("trial_number", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
        _key("event", "study_id", "sequence"),
    )
