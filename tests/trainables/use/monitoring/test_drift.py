"""The comparison of later rows with a reference: each kind of drift, its decision, odd inputs, JSON."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.trainables.use.monitoring.rows import GROUPS, NAMES, reference, sample
from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring.drift import MAX_COMPARED, drift
from trainables.use.monitoring.drift_record import DriftRecord
from trainables.use.monitoring.reference import ColumnGroup, Reference
from trainables.use.monitoring.two_samples import kolmogorov_smirnov


def asked(record: DriftRecord) -> dict[str, bool]:
    return {question.name: question.is_drift for question in record.questions}


def test_a_fresh_sample_is_no_drift() -> None:
    record = drift(reference(), *sample(500, 1))
    assert not record.is_drift
    assert asked(record) == dict.fromkeys(("inputs", "classifier", "predictions", "accuracy"), False)
    assert not any(feature.is_drift for feature in record.features)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), num=st.integers(1, 200))
def test_the_same_rows_are_never_drift(seed: int, num: int) -> None:
    features, probabilities, targets = sample(num, seed, gaps=0.1)
    made = Reference.of(
        kind="table",
        features=features,
        probabilities=probabilities,
        targets=targets,
        names=NAMES,
        groups=GROUPS,
    )
    assert not drift(made, features, probabilities, targets).is_drift


def test_a_unit_changed_in_one_column_is_found_there_and_nowhere_else() -> None:
    record = drift(reference(), *sample(200, 2, unit=1 / 2.54))
    assert asked(record)["inputs"]
    assert [feature.name for feature in record.features if feature.is_drift] == ["size"]
    size = record.features[1]
    assert size.middle_before == pytest.approx(170, abs=2)
    assert size.middle_after == pytest.approx(67, abs=1)
    assert size.effect == 1
    assert size.psi is not None
    assert size.psi > 1
    assert [each.name for each in record.distributions] == ["confidence", "size"]


def test_more_missing_values_and_other_categories_are_found() -> None:
    record = drift(reference(), *sample(400, 3, gaps=0.1, town=(0.3, 0.6, 0.1)))
    assert [feature.name for feature in record.features if feature.is_drift] == ["age", "town"]
    age, town = record.features[0], record.features[2]
    assert (age.missing_before, age.p_adjusted > 0.05) == (0, True)
    assert age.missing_after == pytest.approx(0.1, abs=0.05)
    assert {name for name, _, _ in town.changed[:2]} == {"A", "B"}
    assert town.test == "chi-square"


def test_a_category_that_the_reference_lacks_is_one_of_its_own() -> None:
    features, probabilities, targets = sample(300, 4)
    features[:100, 2:] = 0
    record = drift(reference(), features, probabilities, targets)
    name, before, after = record.features[2].changed[0]
    assert (name, before) == ("none of these", 0)
    assert after == pytest.approx(1 / 3)


def test_confidence_is_told_beside_that_of_the_reference() -> None:
    features, probabilities, _ = sample(300, 5)
    flat = 0.5 + (probabilities - 0.5) / 4
    record = drift(reference(), features, flat)
    confidence = flat.max(axis=1)
    after = record.confidence.after
    assert asked(record)["predictions"]
    assert record.confidence.is_drift
    assert not record.predictions.is_drift
    assert after.mean == pytest.approx(confidence.mean())
    assert (after.least, after.most) == (confidence.min(), confidence.max())
    assert after.spread == pytest.approx(confidence.std())
    assert after.num_low == int(np.sum(confidence < 0.7))
    assert after.share_low == after.num_low / 300


def test_other_shares_of_predicted_classes_are_found() -> None:
    features, probabilities, _ = sample(600, 6)
    likely = np.argsort(probabilities[:, 1])[150:]
    record = drift(reference(), features[likely], probabilities[likely])
    assert record.predictions.is_drift
    assert sum(record.predictions.after) == 450


def test_swapped_labels_are_found_by_accuracy_alone() -> None:
    features, probabilities, targets = sample(500, 7)
    record = drift(reference(), features, probabilities, 1 - targets)
    assert [name for name, is_drift in asked(record).items() if is_drift] == ["accuracy"]
    accuracy = record.accuracy
    assert accuracy is not None
    assert accuracy.right_before / 1_000 > 0.6
    assert accuracy.right_after / 500 < 0.4
    table = [
        [accuracy.right_before, 1_000 - accuracy.right_before],
        [accuracy.right_after, 500 - accuracy.right_after],
    ]
    assert accuracy.p == pytest.approx(stats.fisher_exact(table).pvalue)


def test_without_labels_accuracy_is_not_asked_and_its_share_stays_unspent() -> None:
    features, probabilities, _ = sample(100, 8)
    record = drift(reference(), features, probabilities)
    assert record.accuracy is None
    assert record.least_found.accuracy is None
    question = record.questions[-1]
    assert (question.num_tests, question.is_drift) == (0, False)
    assert record.questions[0].alpha == pytest.approx(0.02)


def test_features_that_only_go_together_otherwise_are_found_by_the_classifier() -> None:
    random = np.random.default_rng(9)
    before, after = random.normal(size=(1_500, 2)), random.normal(size=(1_500, 2))
    after[:, 1] = 0.9 * after[:, 0] + np.sqrt(0.19) * after[:, 1]
    even = np.full((1_500, 2), 0.5)
    record = drift(Reference.of(kind="array", features=before, probabilities=even), after, even)
    assert [name for name, is_drift in asked(record).items() if is_drift] == ["classifier"]


def test_a_shift_too_small_to_matter_is_no_drift_however_many_rows_there_are() -> None:
    random = np.random.default_rng(10)
    even = np.full((60_000, 2), 0.5)
    before = random.normal(size=(10_000, 1))
    record = drift(
        Reference.of(kind="array", features=before, probabilities=even[:10_000]),
        random.normal(0.08, 1, (60_000, 1)),
        even,
    )
    feature = record.features[0]
    assert feature.p < 1e-6
    assert feature.effect < 0.05
    assert not record.is_drift
    lower = replace(record.thresholds, distance=0.0)
    again = drift(
        Reference.of(kind="array", features=before, probabilities=even[:10_000]),
        random.normal(0.08, 1, (60_000, 1)),
        even,
        thresholds=lower,
    )
    assert asked(again)["inputs"]


def test_the_order_of_rows_changes_nothing() -> None:
    rows = sample(300, 11, unit=1.02)
    order = np.random.default_rng(0).permutation(300)
    mixed: tuple[Any, ...] = tuple(each[order] for each in rows)
    assert comparable(drift(reference(), *mixed)) == comparable(drift(reference(), *rows))


def comparable(record: DriftRecord) -> Any:
    """A record without the last digits, which depend on the order in which a mean is summed."""
    return json.loads(json.dumps(record.as_json()), parse_float=lambda text: round(float(text), 6))


def test_adjusted_p_values_are_those_of_all_tests_of_inputs() -> None:
    record = drift(reference(), *sample(300, 12, gaps=0.05))
    p = [record.features[0].p, record.features[0].missing_p, record.features[1].p, record.features[2].p]
    known = multipletests(p, method="fdr_bh")[1]
    found = record.features
    assert [found[0].p_adjusted, found[0].missing_p_adjusted, found[1].p_adjusted, found[2].p_adjusted] == (
        pytest.approx(list(known))
    )
    assert record.questions[0].num_tests == 4
    assert record.questions[0].p == pytest.approx(min(1, 4 * min(p)))


def test_words_are_told_by_name() -> None:
    random = np.random.default_rng(13)
    groups = (ColumnGroup(name="frequent words", kind="words", first=0, last=2),)
    names = ("film", "good", "plot")
    before = (random.random((800, 3)) < (0.5, 0.3, 0.1)).astype(float)
    after = (random.random((300, 3)) < (0.5, 0.6, 0.1)).astype(float)
    made = Reference.of(
        kind="text",
        features=before,
        probabilities=np.full((800, 2), 0.5),
        names=names,
        groups=groups,
        terms=names,
        document_counts=before.sum(axis=0),
    )
    record = drift(made, after, np.full((300, 2), 0.5), document_counts=after.sum(axis=0))
    words = record.features[0]
    assert words.is_drift
    assert words.changed[0][0] == "good"
    assert words.effect == pytest.approx(after[:, 1].mean() - before[:, 1].mean())
    assert record.vocabulary is not None
    assert (record.vocabulary.num_terms, record.vocabulary.seen_after) == (3, 3)
    shares = before.mean(axis=0), after.mean(axis=0)
    overlap = np.minimum(*shares).sum() / np.maximum(*shares).sum()
    assert record.vocabulary.overlap == pytest.approx(overlap)


CELLS = st.sampled_from([0.0, 1.0, -3.5, 2.0, 1e30, -1e30, math.nan])


@settings(max_examples=60)
@given(
    before=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30),
    after=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30),
)
def test_odd_rows_give_a_record_that_json_holds(
    before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    groups = (
        ColumnGroup(name="a", kind="number", first=0, last=0),
        ColumnGroup(name="b", kind="category", first=1, last=1),
    )
    made = Reference.of(
        kind="table",
        features=np.array(before),
        probabilities=np.full((len(before), 2), 0.5),
        names=("a", "b"),
        groups=groups,
    )
    record = drift(made, np.array(after), np.full((len(after), 2), 0.5))
    text = json.dumps(record.as_json(), allow_nan=False)
    assert json.loads(text)["num_rows"] == len(after)
    for feature in record.features:
        assert 0 <= feature.p <= 1
        assert 0 <= feature.p_adjusted <= 1
        assert math.isfinite(feature.effect)


def test_what_is_always_missing_now_is_drift() -> None:
    features, probabilities, targets = sample(100, 14)
    features[:, 0] = np.nan
    record = drift(reference(), features, probabilities, targets)
    assert [feature.name for feature in record.features if feature.is_drift] == ["age"]


def test_one_row_is_compared() -> None:
    record = drift(reference(), *sample(1, 15))
    assert not record.is_drift
    assert record.classifier.auc is None
    assert record.least_found.distance == 1


def test_an_infinite_value_is_refused_with_its_row_and_column() -> None:
    features, probabilities, targets = sample(5, 16)
    features[3, 1] = -np.inf
    with pytest.raises(DatasetError, match="row 4, column size: the value is infinite"):
        drift(reference(), features, probabilities, targets)


@pytest.mark.parametrize("columns", [(4, 2), (5, 3)])
def test_other_shapes_are_refused(columns: tuple[int, int]) -> None:
    with pytest.raises(DatasetError):
        drift(reference(), np.zeros((3, columns[0])), np.full((3, columns[1]), 0.3))


def test_a_random_part_of_very_many_rows_is_compared() -> None:
    random = np.random.default_rng(17)
    many = MAX_COMPARED + 5_000
    even = np.full((many, 2), 0.5)
    made = Reference.of(kind="array", features=random.normal(size=(500, 1)), probabilities=even[:500])
    record = drift(made, random.normal(size=(many, 1)), even)
    assert (record.num_rows, record.num_compared) == (many, MAX_COMPARED)
    assert record.confidence.after.num_low == MAX_COMPARED


def test_copies_of_rows_are_counted() -> None:
    features, probabilities, targets = sample(50, 18)
    twice = [np.concatenate([each, each]) for each in (features, probabilities, targets)]
    assert drift(reference(), twice[0], twice[1], twice[2]).num_copies == 50


@pytest.mark.parametrize(("num_before", "num_after"), [(1_000, 200), (10_000, 1_000)])
def test_what_is_said_to_be_found_four_times_in_five_is(num_before: int, num_after: int) -> None:
    random = np.random.default_rng(19)
    even = np.full((num_before, 2), 0.5)
    before = random.normal(size=(num_before, 1))
    made = Reference.of(kind="array", features=before, probabilities=even)
    record = drift(made, random.normal(size=(num_after, 1)), even[:num_after])
    least = record.least_found
    assert least.distance == pytest.approx(2 * stats.norm.cdf(least.deviations / 2) - 1)
    found = 0
    for _ in range(300):
        old, new = random.normal(size=num_before), random.normal(least.deviations, 1, num_after)
        test = kolmogorov_smirnov(old, new)
        found += test.p <= record.questions[0].alpha and test.effect >= record.thresholds.distance
    assert found / 300 >= 0.8
    assert found / 300 < 0.995
