"""The sentences about drift, from the records behind them."""

import numpy as np
import pytest

from reports.wording.drift_words import answer, drifted, facts, lines
from tests.reports.monitored import compared
from trainables.use.monitoring.drift import drift
from trainables.use.monitoring.reference import Reference


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_drift_of_columns() -> None:
    record = compared(unit=0.4)
    assert plain(answer(record, "table")) == "Drift: 1 of 3 columns has changed."
    assert plain(facts(record, "table")[0]) == "Changed most: size (median 170 before, 67.8 now)."
    assert [each["name"] for each in drifted(record)] == ["size"]


def test_missing_values_are_told_where_they_are_what_changed() -> None:
    record = compared(gaps=0.2)
    assert plain(answer(record, "table")) == "Drift: 1 of 3 columns has changed."
    share = 100 * record["features"][0]["missing_after"]
    assert f"age (missing: 0.0 % before, {share:.1f} % now)" in plain(facts(record, "table")[0])


def test_accuracy_and_confidence_with_their_direction() -> None:
    record = {
        **compared(confidence=0.2),
        "accuracy": {
            "right_before": 90,
            "num_before": 100,
            "right_after": 70,
            "num_after": 100,
            "change": -0.2,
            "p": 0.0006,
            "is_drift": True,
        },
    }
    text = plain(answer(record, "table"))
    assert text.startswith("Drift: mean confidence fell from 0.6")
    assert text.endswith("accuracy fell from 90.0 % to 70.0 %.")


def test_no_drift_names_what_could_be_missed_and_lines_start_with_the_answer() -> None:
    record = compared()
    least = record["least_found"]
    text = plain(answer(record, "table"))
    assert text.startswith("No drift found at 300 rows; ")
    assert f"{least['deviations']:.2f} standard deviations" in text
    assert f"{100 * least['accuracy']:.1f} points" in text
    assert lines(record, "table")[0] == answer(record, "table")
    assert "None of 3 columns has changed beyond chance and threshold." in facts(record, "table")[0]


def test_without_labels_nothing_is_said_of_accuracy() -> None:
    record = compared(labelled=False)
    assert "accuracy" not in plain(answer(record, "table"))
    assert not any("are right" in fact for fact in facts(record, "table"))


@pytest.mark.parametrize(
    ("kind", "nouns"),
    [("image", "measures of the images"), ("text", "measures of the texts"), ("array", "columns")],
)
def test_features_are_called_what_they_are(kind: str, nouns: str) -> None:
    assert nouns in facts(compared(), kind)[0]


def test_the_classifier_is_told_where_it_alone_finds_drift() -> None:
    random = np.random.default_rng(9)
    before, after = random.normal(size=(1_500, 2)), random.normal(size=(1_500, 2))
    after[:, 1] = 0.9 * after[:, 0] + np.sqrt(0.19) * after[:, 1]
    even = np.full((1_500, 2), 0.5)
    record = drift(Reference.of(kind="array", features=before, probabilities=even), after, even).as_json()
    assert answer(record, "array").startswith("Drift: rows can be told from the reference’s (AUC 0.")
    assert "p = 0.005 or less" in plain(facts(record, "array")[1])


def test_too_few_rows_for_a_classifier_are_told() -> None:
    assert facts(compared(num=3), "table")[1].startswith("Too few rows")
