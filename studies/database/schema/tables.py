"""The tables of a storage, the same in SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from studies.base.states import Decision, Outcome, Phase, StudyState, TrialState


class UtcDateTime(TypeDecorator[datetime]):
    """A time with its zone, stored and returned in UTC; SQLite alone would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware time to UTC."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a zone cannot be stored"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, whatever the server's time zone is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(kind: type[PythonEnum]) -> Enum:
    """A text column that holds the values of an enum, without a type or constraint in the database.

    A new value then needs no migration.
    """

    def values(members: Any) -> list[str]:
        return [str(member.value) for member in members]

    return Enum(kind, native_enum=False, create_constraint=False, length=16, values_callable=values)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

json = JSON(none_as_null=True)


def _of_study() -> Column[int]:
    """The column of the study that a row belongs to; deleting the study deletes the row."""
    return Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), primary_key=True)


def _of_trial() -> list[Column[int] | ForeignKeyConstraint]:
    """The columns of the trial that a row belongs to; deleting the trial deletes the row."""
    return [
        Column("study_id", Integer, primary_key=True),
        Column("trial_number", Integer, primary_key=True, autoincrement=False),
        ForeignKeyConstraint(
            ["study_id", "trial_number"], ["trial.study_id", "trial.number"], ondelete="CASCADE"
        ),
    ]


def _key(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _token() -> Column[int]:
    """The fencing token: in a study's row that of its holder, elsewhere that of the driver that wrote the row."""
    return Column("fencing_token", BigInteger, nullable=False, server_default="0")


def _digest() -> Column[int]:
    """The digest of the row (`studies.database.digests`); NULL in rows from before digests existed."""
    return Column("digest", BigInteger)


study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("question", Text, nullable=False),
    Column("plan", json, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("state", choice(StudyState), nullable=False),
    # Every write raises it first: it orders the records, and makes concurrent writers wait for each other.
    Column("sequence", BigInteger, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    _token(),
    # The holder of the lease, for messages; whether the study is held is decided by a lock.
    Column("holder_host", Text),
    Column("holder_process", Integer),
    Column("held_since", UtcDateTime),
    Column("stop_requested_at", UtcDateTime),
    _digest(),
)

trial = Table(
    "trial",
    metadata,
    _of_study(),
    _key("number"),
    Column("phase", choice(Phase), nullable=False),
    Column("cell", Integer),
    Column("params", json, nullable=False),
    Column("state", choice(TrialState), nullable=False),
    Column("stop_reason", Text),
    Column("rung", Integer),
    Column("epochs", Integer, nullable=False),
    # Epochs that the present attempt has reported, by which a repeated report is recognised.
    Column("attempt_epochs", Integer, nullable=False),
    Column("objective", Double),
    Column("attempt", Integer, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("busy_seconds", Double, nullable=False),
    Column("error", Text),
    Column("worker", Text),
    Column("versions", json),
    _digest(),
)

replicate = Table(
    "replicate",
    metadata,
    *_of_trial(),
    _key("replicate"),
    Column("block", Integer, nullable=False),
    Column("outcome", choice(Outcome), nullable=False),
    Column("val_loss", Double),
    Column("val_accuracy", Double),
    Column("test_loss", Double),
    Column("test_accuracy", Double),
    Column("metrics", json, nullable=False),
    Column("verdict_initial", Text),
    Column("verdict_trained", Text),
    Column("verdicts", json),
    _digest(),
)

evaluation = Table(
    "evaluation",
    metadata,
    *_of_trial(),
    _key("replicate"),
    Column("confusion", json),
    Column("calibration", json),
    Column("samples", json),
    _digest(),
)

epoch = Table(
    "epoch",
    metadata,
    *_of_trial(),
    _key("replicate"),
    _key("epoch"),
    Column("sequence", BigInteger, nullable=False),
    Column("train_loss", Double),
    Column("train_accuracy", Double),
    Column("val_loss", Double),
    Column("val_accuracy", Double),
    Column("learning_rate", Double),
    Column("metrics", json, nullable=False),
    _token(),
    _digest(),
)

layer_gradient = Table(
    "layer_gradient",
    metadata,
    *_of_trial(),
    _key("replicate"),
    _key("epoch"),
    _key("layer"),
    Column("grad_l2", Double),
    Column("grad_l2_max", Double),
    Column("grad_rms", Double),
    Column("delta_rms", Double),
    Column("weight_rms", Double),
    Column("update_ratio", Double),
    Column("activation_mean", Double),
    Column("activation_std", Double),
    Column("dead_fraction", Double),
    _digest(),
)

rung_result = Table(
    "rung_result",
    metadata,
    *_of_trial(),
    _key("epoch"),
    Column("sequence", BigInteger, nullable=False),
    Column("objective", Double),
    Column("decision", choice(Decision), nullable=False),
    _token(),
    _digest(),
)

artifact = Table(
    "artifact",
    metadata,
    _of_study(),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("num_bytes", BigInteger, nullable=False),
    Column("trial_number", Integer),
    _digest(),
)

event = Table(
    "event",
    metadata,
    _of_study(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("trial_number", Integer),
    Column("detail", Text, nullable=False),
    _token(),
    _digest(),
)
