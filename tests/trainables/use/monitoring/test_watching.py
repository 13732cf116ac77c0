"""Rows in batches against a model's reference: the same as all at once, with a bounded part kept."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainables.use.monitoring.rows import GROUPS, NAMES, reference, sample
from tests.trainables.use.monitoring.watched_model import WatchedModel, batches
from trainables.base.errors import InputError
from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring import watching
from trainables.use.monitoring.drift import drift
from trainables.use.monitoring.watching import as_reference, model_reference, watch, watched


def test_batches_give_what_all_rows_at_once_give() -> None:
    features, probabilities, targets = sample(430, 1, unit=1.05)
    assert watch(WatchedModel(), reference(), batches(430, 1, unit=1.05)) == drift(
        reference(), features, WatchedModel().probabilities(features), targets
    )
    assert probabilities.shape == (430, 2)


def test_a_baseline_stands_for_the_reference() -> None:
    changed = as_reference(WatchedModel(), reference(), batches(600, 2, unit=0.4))
    assert not watch(WatchedModel(), changed, batches(300, 3, unit=0.4)).is_drift
    assert watch(WatchedModel(), changed, batches(300, 3)).is_drift
    assert changed.classes == ("no", "yes")


def test_a_random_part_is_kept_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_COMPARED", 50)
    found = watched(WatchedModel(), reference(), batches(400, 4, size=30))
    features, _, targets = sample(400, 4)
    assert (found.num_rows, len(found.features)) == (400, 50)
    places = [int(np.flatnonzero((features == row).all(axis=1))[0]) for row in found.features]
    assert places == sorted(places)
    assert places[0] < 60
    assert places[-1] > 340
    assert found.targets is not None
    assert list(found.targets) == list(targets[places])


def test_without_labels_there_are_no_targets() -> None:
    assert watched(WatchedModel(), reference(), batches(20, 5, labelled=False)).targets is None


def test_no_rows_unknown_classes_and_infinite_values_are_refused_with_their_row() -> None:
    with pytest.raises(DatasetError, match="there are no rows"):
        watched(WatchedModel(), reference(), [])
    rows = list(batches(30, 6, size=10))
    rows[2][1][4] = "maybe"
    with pytest.raises(DatasetError, match="row 25: the class 'maybe' is none of the model's") as error:
        watched(WatchedModel(), reference(), rows)
    assert "no, yes" in error.value.advice
    rows = list(batches(30, 6, size=10))
    rows[1][0][2, 0] = np.inf
    with pytest.raises(DatasetError, match="row 13, column age: the value is infinite"):
        watched(WatchedModel(), reference(), rows)


class Reader:
    """A model of texts that thinks long ones good."""

    kind = "text"
    classes_ = ("bad", "good")

    def encode(self, X: list[str], *, first_row: int = 1) -> None:  # noqa: N803
        raise AssertionError("texts are compared as they are")

    def probabilities(self, X: list[str], *, first_row: int = 1) -> np.ndarray:  # noqa: N803
        good = np.array([min(len(text), 99) / 100 for text in X])
        return np.stack([1 - good, good], axis=1)


def texts(num: int, seed: int, words: tuple[str, ...] = ("film", "good", "plot", "bad")) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(words, random.integers(1, 9))) + "." for _ in range(num)]


def test_texts_are_described_by_the_vocabulary_of_the_reference() -> None:
    made = model_reference(
        Reader(),
        texts(400, 1),
        None,
        terms=("film", "good", "good film", "plot"),
        words=("film", "good", "plot"),
    )
    assert made.terms == ("film", "good", "good film", "plot")
    assert not watch(Reader(), made, [(texts(60, 2), None), (texts(60, 3), None)]).is_drift
    other = watch(Reader(), made, [(texts(100, 4, ("film", "zzz", "yyy", "xxx")), None)])
    assert {"unknown words", "frequent words"} <= {each.name for each in other.features if each.is_drift}
    assert other.vocabulary is not None
    assert other.vocabulary.seen_after == 1


class Seer(WatchedModel):
    """A model of images that thinks bright ones good."""

    kind = "image"

    def encode(self, X: np.ndarray, *, first_row: int = 1) -> np.ndarray:  # noqa: N803
        return np.asarray(X[:, None])

    def probabilities(self, X: np.ndarray, *, first_row: int = 1) -> np.ndarray:  # noqa: N803
        yes = np.clip(X.mean(axis=(1, 2)), 0, 1)
        return np.stack([1 - yes, yes], axis=1)


def test_images_are_described_by_what_is_measured_of_them() -> None:
    random = np.random.default_rng(5)
    made = model_reference(Seer(), random.random((300, 8, 8)), random.integers(0, 2, 300))
    assert made.names[:2] == ("brightness", "contrast")
    assert not watch(Seer(), made, [(random.random((100, 8, 8)), None)]).is_drift
    dark = watch(Seer(), made, [(0.8 * random.random((100, 8, 8)), None)])
    assert "brightness" in {each.name for each in dark.features if each.is_drift}


def test_columns_keep_the_names_and_groups_that_are_given() -> None:
    features, _, targets = sample(200, 6)
    made = model_reference(WatchedModel(), features, targets, names=NAMES, groups=GROUPS)
    assert made.groups == GROUPS
    assert made.classes == ("no", "yes")
    plain = model_reference(WatchedModel(), features, targets)
    assert plain.names[0] == "feature 1"
    assert len(plain.groups) == 5


def test_mistakes_in_a_later_batch_are_told_by_the_row_of_the_file() -> None:
    class Counting(WatchedModel):
        def encode(self, X: NDArray[np.float32], *, first_row: int = 1) -> NDArray[np.float32]:  # noqa: N803
            if first_row > 1:
                raise InputError([f"row {first_row}: no number"], "Correct it.")
            return X

    with pytest.raises(InputError, match="row 101: no number"):
        watched(Counting(), reference(), batches(300, 1, size=100))


def test_a_row_without_a_class_is_told() -> None:
    features, _, _ = sample(3, 1)
    for missing in (None, float("nan")):
        with pytest.raises(DatasetError, match="row 2 has no class"):
            watched(WatchedModel(), reference(), [(features, ["yes", missing, "no"])])
