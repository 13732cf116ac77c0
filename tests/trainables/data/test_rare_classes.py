"""Rare classes are left out or merged, rows, official test set and texts with them, and told."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trainables.corpus import corpus, texts
from trainables.data.dataset import Dataset
from trainables.data.rare_classes import without_rare_classes

CORPUS = corpus(*texts())
TARGETS = np.array([0, 1, 0, 2, 0, 3, 0, 2, 1, 0, 1, 0])
DATA = Dataset(
    name="made up",
    about="",
    licence="",
    inputs=np.arange(12, dtype=np.float32)[:, None],
    targets=TARGETS,
    classes=("a", "b", "c", "d"),
    official_test=np.array([0, 3, 10]),
    notes=("read with a decimal comma",),
)


def test_their_rows_are_left_out_of_the_official_test_set_too() -> None:
    found = without_rare_classes(DATA, 2)
    assert found.inputs[:, 0].tolist() == [0, 1, 2, 4, 6, 8, 9, 10, 11]
    assert (found.classes, found.targets.tolist()) == (("a", "b"), [0, 1, 0, 0, 0, 1, 0, 1, 0])
    assert found.official_test is not None
    assert found.inputs[found.official_test, 0].tolist() == [0, 10], "rows of the kept classes"
    assert found.notes == (
        "read with a decimal comma",
        "2 classes with fewer than min_class_count 2 rows left out: c (1 row), d (1 row); 3 of 12 rows are left out, 2 "
        "classes stay",
    )
    assert found.fingerprint != DATA.fingerprint


def test_they_are_made_one_class_the_last() -> None:
    found = without_rare_classes(DATA, 3, merge=True)
    assert found.classes == ("a", "other")
    assert found.targets.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0]
    assert found.official_test is DATA.official_test
    assert found.notes[-1] == (
        "3 classes with fewer than min_class_count 3 rows made one class, other, of 6 rows: b (2 rows), c (1 row), d "
        "(1 row)"
    )


def test_a_class_called_other_takes_them_in() -> None:
    named = replace(DATA, classes=("other", "b", "c", "d"))
    found = without_rare_classes(named, 2, merge=True)
    assert (found.classes, found.class_counts) == (("other", "b"), [9, 3])


def test_where_none_is_rare_all_are_kept() -> None:
    found = without_rare_classes(DATA, 1)
    assert found.fingerprint == DATA.fingerprint
    assert found.notes[-1] == "min_class_count 1: no class has fewer rows, all are kept"


@pytest.mark.parametrize("merge", [False, True])
def test_a_single_class_is_refused(merge: bool) -> None:
    with pytest.raises(
        ValueError, match=r"min_class_count 9 leaves (1|no) class of 4.*a \(5 rows\), b \(2 rows\)"
    ):
        without_rare_classes(DATA, 9, merge=merge)


def test_texts_go_with_their_rows() -> None:
    assert CORPUS.texts is not None
    rare = CORPUS.targets.copy()
    rare[:2] = CORPUS.num_classes
    found = without_rare_classes(replace(CORPUS, targets=rare, classes=(*CORPUS.classes, "rare")), 3)
    assert found.texts is not None
    assert len(found.texts) == len(CORPUS.texts) - 2
    rows = np.arange(2, len(CORPUS.texts))
    assert (found.texts.columns == CORPUS.texts.columns[CORPUS.texts.entries(rows)]).all()
    assert (found.texts.entries(np.array([0])) == np.arange(found.texts.starts[1])).all()
    assert (np.diff(found.texts.starts) == np.diff(CORPUS.texts.starts)[2:]).all()
