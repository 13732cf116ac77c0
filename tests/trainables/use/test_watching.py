"""Rows in batches against a model's reference: the same as all at once, with a bounded part kept."""

import numpy as np
import pytest

from tests.trainables.use.rows import reference, sample
from tests.trainables.use.watched_model import WatchedModel, batches
from trainables.data.dataset_files import DatasetError
from trainables.use import watching
from trainables.use.drift import drift
from trainables.use.watching import as_reference, watch, watched


def test_batches_give_what_all_rows_at_once_give() -> None:
    features, probabilities, targets = sample(430, 1, unit=1.05)
    assert watch(WatchedModel(), reference(), batches(430, 1, unit=1.05)) == drift(
        reference(), features, WatchedModel().predict_proba(features), targets
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
