"""Studies, trials and results made up for the tests; every number is derived from its place."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from studies.base.states import Decision, Outcome, Phase, TrialState
from studies.database.results import Ending, RungResult, TrialResult
from studies.database.rows import StudyRow
from studies.database.schema import tables
from studies.database.store import Store
from trainables.base.records import EpochRecord, LayerRecord, ReplicateRecord

MOMENT = datetime(2026, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)
PLAN = {
    "question": "Does depth help?",
    "factors": {"depth": [3, 5], "batch_norm": [False, True]},
    "nuisances": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
}


def new_study(store: Store, name: str = "depth_study", **changes: Any) -> StudyRow:
    """Add a study."""
    values: dict[str, Any] = {"question": "Does depth help?", "plan": PLAN, "plan_hash": "ab" * 32, "seed": 7}
    return store.create_study(name=name, **(values | changes))


def add_trial(store: Store, study: StudyRow, number: int = 1, **changes: Any) -> None:
    """Add a search trial."""
    params = {"depth": 3, "batch_norm": True, "learning_rate": 0.01}
    values: dict[str, Any] = {"phase": Phase.SEARCH, "cell": 1, "params": params}
    store.add_trial(study.id, number=number, **(values | changes))


def start(store: Store, study: StudyRow, number: int = 1) -> int:
    """Start a trial that was added."""
    return store.start_trial(study.id, number, worker="host:1", started_at=MOMENT, versions={"torch": "2.13"})


def layers(num_layers: int, at: float) -> tuple[LayerRecord, ...]:
    """Return the measures of a network's hidden layers."""
    return tuple(
        LayerRecord(
            layer=layer,
            grad_l2=at + layer,
            grad_l2_max=at + layer + 0.5,
            grad_rms=at / 3,
            delta_rms=at / 7,
            weight_rms=0.25,
            update_ratio=None if at == 0 else 1e-3,
            activation_mean=at / 9,
            activation_std=at / 11,
            dead_fraction=0.125,
        )
        for layer in range(1, num_layers + 1)
    )


def epoch_records(
    epochs: Iterable[int], *, num_replicates: int = 2, num_layers: int = 3, shift: float = 0.0
) -> list[EpochRecord]:
    """Return the records of some epochs, epoch 0 with its layers alone; `shift` makes other losses."""
    return [
        EpochRecord(replicate=replicate, epoch=0, layers=layers(num_layers, 0.0))
        if epoch == 0
        else EpochRecord(
            replicate=replicate,
            epoch=epoch,
            train_loss=1 / epoch + replicate + shift,
            train_accuracy=0.5,
            val_loss=1 / epoch + replicate / 3 + shift,
            val_accuracy=0.25,
            learning_rate=0.01,
            metrics={"clip_fraction": 0.1 * replicate},
            layers=layers(num_layers, float(epoch)),
        )
        for replicate in range(1, num_replicates + 1)
        for epoch in epochs
    ]


def at_rung(epoch: int, epochs: Iterable[int], *, busy: float = 2.0, **changes: Any) -> TrialResult:
    """Return the report of a trial that goes on after a rung."""
    decided = RungResult(epoch=epoch, objective=1 / epoch, decision=Decision.CONTINUE)
    return TrialResult(epoch=epoch, busy_seconds=busy, epochs=epoch_records(epochs, **changes), rung=decided)


def at_end(epoch: int, epochs: Iterable[int], *, busy: float = 3.0, **changes: Any) -> TrialResult:
    """Return the last report of a trial."""
    values: dict[str, Any] = {"state": TrialState.COMPLETE, "ended_at": MOMENT, "objective": 0.5}
    ending = Ending(**({**values, "replicates": replicate_records()} | changes))
    return TrialResult(epoch=epoch, busy_seconds=busy, epochs=epoch_records(epochs), ending=ending)


def replicate_records(num_replicates: int = 2) -> list[ReplicateRecord]:
    """Return how the replicates of a trial ended."""
    return [
        ReplicateRecord(
            replicate=replicate, block=replicate, outcome=Outcome.COMPLETE, val_loss=0.5, val_accuracy=0.75
        )
        for replicate in range(1, num_replicates + 1)
    ]


def contents(store: Store, *without: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table by its key, without some columns, and without digests, which follow from all."""
    with store.reading() as connection:
        return {
            table.name: [
                {name: value for name, value in row.items() if name not in (*without, "digest")}
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in tables.metadata.sorted_tables
        }


def num_rows(store: Store) -> dict[str, int]:
    """Return the number of rows of each table."""
    with store.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }
