"""What a study cannot do with its dataset is told before anything is trained, every mistake of it."""

from dataclasses import replace

import pytest

from studies.errors import UsageError
from studies.study import Confirm, Search, Study
from studies.suitability import check_suits
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
    with pytest.raises(UsageError, match="needs pictures"):
        check_suits(study, datasets.load("synthetic"))
