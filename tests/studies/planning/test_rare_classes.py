"""Rare classes are refused with their numbers and the ways out, or left out as the plan says, whatever the data."""

from pathlib import Path

import numpy as np
import pytest

from studies.base.errors import UsageError
from studies.definition.parts import Search
from studies.definition.study import Study
from studies.execution.preparation import load_dataset, settle
from studies.planning.plan import Plan
from studies.planning.rare_classes import prepared
from studies.planning.request import Request, draft
from studies.planning.resources import Resources
from studies.storage.paths import locate
from tests.studies.own_file import write
from trainables.data.dataset import Dataset

LABELS = 'np.where(inputs[:, 0, 0] > 0, "up", "down")'
RARE = 'np.where(np.arange(90) < 3, "odd", np.where(inputs[:, 0, 0] > 0, "up", "down"))'


def settled(path: Path, study: str | None = None, **settings: object) -> tuple[Plan, Dataset]:
    made = draft(Request(study=study or str(path), settings=settings))
    dataset = load_dataset(made)
    return settle(made, dataset, locate(), Resources())[0], dataset


def mistakes(path: Path, study: str | None = None, **settings: object) -> str:
    with pytest.raises(UsageError) as caught:
        settled(path, study, **settings)
    return "\n".join([*caught.value.mistakes, caught.value.advice])


def test_a_class_of_load_is_refused_with_its_line_and_every_way_out(tmp_path: Path) -> None:
    path = write(tmp_path, (LABELS, RARE))
    said = mistakes(path)
    assert f"{path}:17: load(): class odd has 3 rows and needs at least 4 to be in the training" in said
    assert "blocks have none in the test part" in said
    assert "Add rows, or --set min_class_count=4 drops" in said
    assert "--set rare_classes=merge" in said


def test_what_is_asked_is_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, (LABELS, RARE))
    plan, dataset = settled(path, min_class_count=4)
    assert (dataset.classes, len(dataset.targets)) == (("down", "up"), 87)
    assert dataset.notes == (
        "class with fewer than min_class_count 4 rows left out: odd (3 rows); 3 of 90 rows are left out, 2 classes "
        "stay",
    )
    assert plan.dataset_fingerprint == dataset.fingerprint
    stored = plan.to_dict()
    assert (stored["min_class_count"], "rare_classes" in stored) == (4, False)
    assert Plan.from_dict(plan.name, stored).hash == plan.hash


def test_a_merged_class_is_as_rare_as_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path, (LABELS, RARE))
    said = mistakes(path, min_class_count=4, rare_classes="merge")
    assert "class other has 3 rows" in said
    assert "set a larger min_class_count, which merges more classes" in said


def test_a_table_has_the_same_rule(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    rows = [f"{n},{'cow' if n < 3 else 'ab'[n % 2]}" for n in range(60)]
    path.write_text("\n".join(["x,kind", *rows]))
    asked = {"dataset": f"csv:{path}", "target": "kind"}
    assert "class cow has 3 rows and needs at least 4" in mistakes(path, "depth_study", **asked)
    (tmp_path / "many.csv").write_text("\n".join(["x,kind", *(f"{n},{n}.25" for n in range(40))]))
    said = mistakes(path, "depth_study", dataset=f"csv:{tmp_path}/many.csv", target="kind")
    assert (
        "40 of 40 classes have too few rows, the rarest 1 row: a target names classes; for measurements"
        in said
    )


def test_a_small_train_size_is_named(tmp_path: Path) -> None:
    said = mistakes(tmp_path, "depth_study", **{"fixed.train_size": 0.005})
    assert "every block with train_size 0.005" in said
    assert "give a larger train_size" in said


@pytest.mark.parametrize("targets", ["np.arange(90) % 2", "[0, 0, 1, 1] + [2] * 86", "np.arange(90) // 2"])
def test_few_rows_are_told_before_anything_is_tried(tmp_path: Path, targets: str) -> None:
    path = write(tmp_path, (LABELS, targets))
    if "% 2" in targets:
        assert settled(path)
    else:
        assert "and needs at least" in mistakes(path)


def test_measurements_have_no_classes_to_leave_out(tmp_path: Path) -> None:
    study = Study(
        question="?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1), min_class_count=3
    )
    with pytest.raises(UsageError, match="min_class_count is for classes"):
        prepared(study, made(()))


def test_a_class_that_the_official_test_set_lacks_is_told() -> None:
    study = Study(question="?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1))
    assert prepared(study, made(("a", "b"))).notes == ("the official test set has no row of class b",)


def test_merging_needs_a_count() -> None:
    with pytest.raises(UsageError, match="set min_class_count, too"):
        Study(question="?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1), rare_classes="merge")


def made(classes: tuple[str, ...]) -> Dataset:
    targets = np.arange(40) % 2
    return Dataset(
        name="made up",
        about="",
        licence="",
        inputs=np.zeros((40, 1), np.float32),
        targets=targets if classes else targets.astype(float),
        classes=classes,
        official_test=np.arange(0, 20, 2),
    )
