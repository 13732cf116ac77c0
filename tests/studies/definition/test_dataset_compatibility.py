"""What a study cannot do with its dataset is told before anything is trained, every mistake of it."""

from dataclasses import replace

import numpy as np
import pytest

from studies.base.errors import UsageError
from studies.definition.dataset_compatibility import check_suits
from studies.definition.parts import Confirm, Metric, Search
from studies.definition.study import Study
from trainables import datasets

STUDY = Study(
    question="Does it help?", fixed={"augmentation": "shift+rotation"}, search=Search(trials_per_cell=1)
)


def test_augmentations_that_keep_the_labels_suit() -> None:
    check_suits(STUDY, datasets.load("digits"))


def test_mistakes_of_every_role_are_told_at_once() -> None:
    study = replace(
        STUDY,
        factors={"augmentation": ("none", "flip", "shift+flip")},
        nuisances={"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
        fixed={},
    )
    with pytest.raises(UsageError) as raised:
        check_suits(study, datasets.load("digits"))
    assert list(raised.value.mistakes) == [
        'factors.augmentation: only shift, rotation, zoom, shear keep the labels of dataset digits; got "flip", which '
        "has flip",
        'factors.augmentation: only shift, rotation, zoom, shear keep the labels of dataset digits; got "shift+flip", '
        "which has flip",
    ]
    assert "nothing was trained" in raised.value.advice


def test_what_is_tuned_or_a_default_is_looked_at_too() -> None:
    study = Study(
        question="Which is best?",
        nuisances={"augmentation": {"choices": ["none", "zoom"]}},
        search=Search(trials_per_cell=None, trials=2, sampler="tpe"),
        confirm=Confirm(best=1, default={"augmentation": "shift"}),
    )
    with pytest.raises(UsageError) as raised:
        check_suits(study, datasets.load("synthetic"))
    assert [mistake.split(":")[0] for mistake in raised.value.mistakes] == [
        "nuisances.augmentation",
        "confirm.default.augmentation",
    ]


@pytest.mark.parametrize(
    "depth", [{"factors": {"depth": (2, 4)}}, {"nuisances": {"depth": {"low": 1, "high": 4}}}]
)
def test_a_cnn_has_no_more_blocks_than_its_pictures_can_be_halved(
    depth: dict[str, dict[str, object]],
) -> None:
    study = Study(question="Deeper?", model="cnn", search=Search(trials_per_cell=1), **depth)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at most 3 for 8 x 8 pixels; got 4"):
        check_suits(study, datasets.load("digits"))


def test_a_cnn_needs_pictures() -> None:
    study = Study(question="Tables?", model="cnn", search=Search(trials_per_cell=1))
    check_suits(study, datasets.load("digits"))
    with pytest.raises(UsageError, match="needs images"):
        check_suits(study, datasets.load("synthetic"))


def test_an_objective_is_one_that_so_many_classes_have() -> None:
    study = replace(STUDY, objective="val_roc_auc", fixed={"augmentation": "flip"})
    with pytest.raises(UsageError) as raised:
        check_suits(study, datasets.load("digits"))
    objective, augmentation = raised.value.mistakes
    assert objective.startswith(
        "objective val_roc_auc is for two classes, and dataset digits has 10: choose one of val_"
    )
    assert augmentation.startswith("fixed.augmentation: only shift")
    digits = datasets.load("digits")
    even_or_odd = replace(digits, targets=digits.targets % 2, classes=("even", "odd"))
    check_suits(replace(study, fixed={}), even_or_odd)


def test_real_numbers_are_nothing_to_classify() -> None:
    synthetic = datasets.load("synthetic")
    measured = replace(synthetic, targets=synthetic.targets.astype(np.float64), classes=())
    study = replace(STUDY, fixed={})
    with pytest.raises(UsageError, match=r"real numbers for targets.*write a train\(\)"):
        check_suits(study, measured)
    error = Metric(name="RMSE", direction="min", failure=9.0, primary=True)
    check_suits(replace(study, metrics=(error,)), measured)
