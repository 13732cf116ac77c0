"""A grown study is the study that would have been trained whole; what does not agree is refused or trained."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from studies.base.errors import UsageError
from studies.base.states import Phase
from studies.database.results import Artifact
from studies.database.schema import tables
from studies.database.store import Store
from studies.definition import plan_versions
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.execution.reuse import Growth, check_growth, grow
from studies.planning.plan import Plan
from studies.run_log.reused import describe_growth
from studies.storage.artifacts import write_artifact
from studies.storage.paths import Locations
from tests.studies.raytune.driving import VERSIONS, drive, summary
from tests.studies.raytune.plans import plan


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    """Where the studies of that storage have their folders."""
    return Locations(storage=f"sqlite:///{tmp_path}/studies.db", output=tmp_path / "runs")


def wider(name: str = "wide", levels: tuple[int, ...] = (1, 2, 3), **changes: object) -> Plan:
    """Return the small plan with other depths."""
    base = plan(name=name)
    study = replace(base.study, factors={"depth": levels, "optimizer": ("sgd", "adam")}, **changes)  # type: ignore[arg-type]
    return replace(base, study=study)


def grow_into(store: Store, grown: Plan, locations: Locations, versions: dict[str, str] = VERSIONS) -> Growth:
    """Make the study's row and copy what agrees with `small`."""
    source = check_growth(store, grown, "small")
    study = store.create_study(
        name=grown.name, question="?", plan=grown.to_dict(), plan_hash=grown.hash, seed=grown.seed
    )
    return grow(store, study, grown, source, versions=versions, locations=locations)


def test_growing_then_training_equals_training_whole(store: Store, locations: Locations) -> None:
    drive(plan(), store)
    growth = grow_into(store, wider(), locations)
    assert (growth.num_cells, growth.num_trials) == (4, 16 + 3)  # the best cell left no weights
    drive(wider(), store)
    drive(wider("whole"), store)
    assert summary(store, "wide") == summary(store, "whole")
    for table in (tables.epoch, tables.replicate, tables.layer_gradient, tables.rung_result):
        assert count(store, table, "wide") == count(store, table, "whole") > 0


def count(store: Store, table: object, name: str) -> int:
    """Return the number of a study's rows in a table."""
    study = store.find_study(name)
    assert study is not None
    with store.reading() as connection:
        query = select(func.count()).where(table.c.study_id == study.id)  # type: ignore[attr-defined]
        return int(connection.execute(query).scalar_one())


def test_a_copied_trial_says_where_it_comes_from_and_cost_nothing(store: Store, locations: Locations) -> None:
    drive(plan(), store)
    grow_into(store, wider(), locations)
    study = store.find_study("wide")
    assert study is not None
    copied = store.trials(study.id)
    assert all(trial.busy_seconds == 0 for trial in copied)
    assert copied[0].worker == "copied from small, trial 1"
    line = describe_growth(wider(), store.events(study.id))
    assert line == "19 trials of 4 cells copied from small; trained here: 2 cells (depth 3)"


def test_weights_of_the_best_cell_go_along_when_they_are_whole(store: Store, locations: Locations) -> None:
    queue = drive(plan(), store)
    (number,) = (trial.number for trial in queue.trials.values() if queue.keeps_models(trial))
    small = store.find_study("small")
    assert small is not None
    artifact = write_artifact(locations.folder("small"), Path("models/best/block-0.safetensors"), b"weights")
    store.add_artifact(small.id, artifact, number)
    assert grow_into(store, wider(), locations).num_trials == 16 + 4
    assert (locations.folder("wide") / artifact.path).read_bytes() == b"weights"


def test_damaged_weights_are_trained_again(store: Store, locations: Locations) -> None:
    queue = drive(plan(), store)
    (number,) = (trial.number for trial in queue.trials.values() if queue.keeps_models(trial))
    small = store.find_study("small")
    assert small is not None
    write_artifact(locations.folder("small"), Path("models/best/block-0.safetensors"), b"damaged")
    wrong = Artifact(path="models/best/block-0.safetensors", sha256="0" * 64, num_bytes=7)
    store.add_artifact(small.id, wrong, number)
    assert grow_into(store, wider(), locations).num_trials == 16 + 3


def test_other_versions_copy_nothing(store: Store, locations: Locations) -> None:
    drive(plan(), store)
    assert grow_into(store, wider(), locations, {**VERSIONS, "torch": "1"}).num_trials == 0


def test_looks_may_be_added(store: Store, locations: Locations) -> None:
    drive(plan(), store)
    looking = wider(levels=(1, 2), looks=(2, 4))
    grow_into(store, looking, locations)
    drive(looking, store)
    drive(looking, store)
    confirm = [row for row in summary(store, "wide") if row[1] is Phase.CONFIRM]
    assert len(confirm) == 8


@pytest.mark.parametrize(("version", "num_copied"), [(UNTIL_CLEAR - 1, 4), (UNTIL_CLEAR, 8)])
def test_blocks_of_later_looks_are_copied_only_where_they_are_scored_alike(
    store: Store, locations: Locations, monkeypatch: pytest.MonkeyPatch, version: int, num_copied: int
) -> None:
    monkeypatch.setattr(plan_versions, "TODAY", max(plan_versions.TODAY, UNTIL_CLEAR))
    past = replace(plan(looks=(2, 4)), version=version)
    for _ in range(2):
        drive(past, store)
    grow_into(store, replace(wider(levels=(1, 2), looks=(2, 4)), version=UNTIL_CLEAR), locations)
    confirm = [row for row in summary(store, "wide") if row[1] is Phase.CONFIRM]
    # Without the best cell's, whose weights were not kept.
    assert len(confirm) == num_copied - num_copied // 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"replicates": 3}, "replicates"),
        ({"fixed": {"width": 8}}, "fixed"),
        ({"objective": "val_accuracy"}, "objective"),
    ],
)
def test_what_must_agree_is_named(store: Store, changes: dict[str, object], field: str) -> None:
    drive(plan(), store)
    with pytest.raises(UsageError, match=f"--grow-from small: {field} is"):
        check_growth(store, wider(**changes), "small")  # type: ignore[arg-type]


def test_other_factors_and_unknown_sources_are_refused(store: Store) -> None:
    drive(plan(), store)
    base = plan()
    fewer = replace(base, study=replace(base.study, factors={"depth": (1, 2)}))
    with pytest.raises(UsageError, match="it compares depth, optimizer, in this order"):
        check_growth(store, fewer, "small")
    with pytest.raises(UsageError, match="smal: no such study"):
        check_growth(store, wider(), "smal")
