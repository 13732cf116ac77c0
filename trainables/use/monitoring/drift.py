"""Have the data changed? Later rows against a model's reference: inputs, predictions, accuracy, and one decision."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trainables.data.dataset_files import DatasetError
from trainables.use.monitoring.distributions import distributions
from trainables.use.monitoring.drift_record import (
    AccuracyDrift,
    ClassifierDrift,
    ConfidenceDrift,
    ConfidenceStatistics,
    DriftRecord,
    FeatureDrift,
    LeastFound,
    PredictionDrift,
    Question,
    QuestionName,
    VocabularyDrift,
)
from trainables.use.monitoring.reference import ColumnGroup, Reference, checked_rows
from trainables.use.monitoring.sample_classifier import num_copies, separation
from trainables.use.monitoring.thresholds import Thresholds
from trainables.use.monitoring.two_samples import (
    NOTHING,
    Comparison,
    adjusted,
    association,
    categories,
    kolmogorov_smirnov,
    shares,
    stability_index,
    word_shares,
)

MAX_COMPARED: Final = 100_000
"""More rows say nothing that the thresholds would not call too small to matter."""

MOST_CHANGED: Final = 8
POWER: Final = 0.8


def drift(
    reference: Reference,
    features: ArrayLike,
    probabilities: ArrayLike,
    targets: ArrayLike | None = None,
    thresholds: Thresholds | None = None,
    *,
    document_counts: ArrayLike | None = None,
    num_rows: int | None = None,
    seed: int = 0,
) -> DriftRecord:
    """Compare rows with a reference; arguments as in `Reference.of`.

    `document_counts` says how many of all watched texts have each of the vocabulary's terms; `num_rows` how many rows
    were watched where these are a random part of them.

    Of comparisons with fresh samples of the same data, at most `thresholds.false_alarms` find drift, over random draws
    of the reference and of the rows: each test is valid whatever the features' dependence, tests of one question are
    corrected by Bonferroni, and questions share the false alarms the same way. That the samples are independent rows
    is assumed. Raises DatasetError for rows that cannot be compared (see `checked_rows`).
    """
    limits = Thresholds() if thresholds is None else thresholds
    rows = np.asarray(features, np.float32)
    if rows.ndim != 2:
        raise DatasetError(f"features have the shape {rows.shape}", "Give one row an example.")
    answers, truth = checked_rows(rows, probabilities, targets, reference.names)
    if answers.shape[1] != len(reference.classes):
        raise DatasetError(
            f"the model has {answers.shape[1]} classes, and its reference has {len(reference.classes)}",
            "Compare with data that the same model has predicted.",
        )
    watched = len(rows) if num_rows is None else num_rows
    if len(rows) > MAX_COMPARED:
        kept = np.sort(np.random.default_rng(seed).choice(len(rows), MAX_COMPARED, replace=False))
        rows, answers, truth = rows[kept], answers[kept], None if truth is None else truth[kept]

    found = [_compared(group, reference, rows, limits) for group in reference.groups]
    inputs = _inputs(found, limits)
    classifier = _classifier(reference, rows, limits, seed)
    confidence, predictions, told = _predictions(reference, answers, limits)
    accuracy = _accuracy(reference, answers, truth, limits)
    questions = (
        inputs,
        _question(
            "classifier", [classifier.p] if classifier.auc is not None else [], classifier.is_drift, limits
        ),
        told,
        _question("accuracy", [accuracy.p] if accuracy else [], bool(accuracy and accuracy.is_drift), limits),
    )
    named = _features(found, limits, inputs.is_drift)
    return DriftRecord(
        is_drift=any(question.is_drift for question in questions),
        num_rows=watched,
        num_compared=len(rows),
        num_before=len(reference),
        num_copies=num_copies(rows),
        questions=questions,
        features=named,
        classifier=classifier,
        confidence=confidence,
        predictions=predictions,
        accuracy=accuracy,
        vocabulary=_vocabulary(reference, document_counts, watched),
        least_found=_least_found(len(reference), len(rows), inputs.num_tests, accuracy, limits),
        distributions=distributions(reference, rows, answers, named),
        thresholds=limits,
    )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """One group of columns, compared: its main test, that of missing values, and whether each effect is large."""

    group: ColumnGroup
    main: Comparison
    missing: Comparison
    is_large: bool
    is_more_missing: bool
    missing_shares: tuple[float, float]
    psi: float | None
    middles: tuple[float | None, float | None]
    changed: tuple[tuple[str, float, float], ...]


def _compared(
    group: ColumnGroup, reference: Reference, rows: NDArray[np.float32], limits: Thresholds
) -> _Compared:
    before, after = reference.features[:, group.columns], rows[:, group.columns]
    gone_before, gone_after = _is_missing(before), _is_missing(after)
    missing = shares((int(gone_before.sum()), len(gone_before)), (int(gone_after.sum()), len(gone_after)))
    known_before, known_after = before[~gone_before], after[~gone_after]
    psi: float | None = None
    middles: tuple[float | None, float | None] = (None, None)
    changed: tuple[tuple[str, float, float], ...] = ()
    if not len(known_before) or not len(known_after):
        main, is_large = NOTHING, False
    elif group.kind == "number":
        main = kolmogorov_smirnov(known_before[:, 0], known_after[:, 0])
        edges = reference.edges(group)
        psi = stability_index(*(_binned(values[:, 0], edges) for values in (known_before, known_after)))
        middles = float(np.median(known_before)), float(np.median(known_after))
        is_large = main.effect >= limits.distance or psi >= limits.psi
    elif group.kind == "category":
        names, old, new = _category_counts(group, reference.names, known_before, known_after)
        main, psi = categories(old, new), stability_index(old, new)
        changed = _most_changed(names, old / old.sum(), new / new.sum())
        is_large = main.effect >= limits.association or psi >= limits.psi
    else:
        main, changed = _words(reference.names[group.columns], known_before > 0, known_after > 0)
        is_large = main.effect >= limits.words
    return _Compared(
        group=group,
        main=main,
        missing=missing,
        is_large=is_large,
        is_more_missing=abs(missing.effect) >= limits.missing,
        missing_shares=(float(gone_before.mean()), float(gone_after.mean())),
        psi=psi,
        middles=middles,
        changed=changed,
    )


def _is_missing(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(values).any(axis=1), np.bool_)


def _binned(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the values in the bins between `edges`, each of which holds its upper edge."""
    places = np.searchsorted(edges, values.astype(float), side="left")
    return np.bincount(places, minlength=len(edges) + 1)


def _category_counts(
    group: ColumnGroup, names: Sequence[str], before: NDArray[np.float32], after: NDArray[np.float32]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the categories' names, and how many rows of each sample are in each of them."""
    if before.shape[1] == 1:
        values, codes = np.unique(np.concatenate([before[:, 0], after[:, 0]]), return_inverse=True)
        told = [f"{value:g}" for value in values]
        old, new = codes[: len(before)], codes[len(before) :]
    else:
        told = [name.removeprefix(f"{group.name}=") for name in names[group.columns]] + ["none of these"]
        old, new = (
            np.where((values > 0.5).any(axis=1), values.argmax(axis=1), values.shape[1])
            for values in (before, after)
        )
    return told, np.bincount(old, minlength=len(told)), np.bincount(new, minlength=len(told))


def _words(
    names: Sequence[str], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> tuple[Comparison, tuple[tuple[str, float, float], ...]]:
    """Compare which words texts have: the smallest of the words' p values, corrected for their number.

    The effect is the largest change among words whose own corrected p is 0.001 at most, so that an accident is not
    taken for a large change; of no such word, the change of the one with the smallest p.
    """
    old, new = before.sum(axis=0), after.sum(axis=0)
    p_values, changes = word_shares(old, len(before), new, len(after))
    p_values = np.minimum(p_values * len(p_values), 1.0)
    candidates = np.flatnonzero(p_values <= max(float(p_values.min()), 1e-3))
    effect = float(np.abs(changes[candidates]).max())
    told = _most_changed(list(names), old / len(before), new / len(after))
    return Comparison(p=float(p_values.min()), effect=effect, test="hypergeometric"), told


def _most_changed(
    names: Sequence[str], before: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[tuple[str, float, float], ...]:
    order = np.argsort(-np.abs(after - before), kind="stable")[:MOST_CHANGED]
    return tuple((names[place], float(before[place]), float(after[place])) for place in order)


def _says(each: _Compared, test: Comparison) -> bool:
    """Whether a test could find anything: what is constant, or never missing, gives no false alarm and costs none."""
    return test.test != "none" and (test is not each.missing or sum(each.missing_shares) > 0)


def _inputs(found: Sequence[_Compared], limits: Thresholds) -> Question:
    """Decide about inputs: some test is beyond chance, corrected for their number, and its effect is large."""
    tests = [
        (test.p, is_large)
        for each in found
        for test, is_large in ((each.main, each.is_large), (each.missing, each.is_more_missing))
        if _says(each, test)
    ]
    alpha = limits.alpha("inputs")
    smallest = min((p for p, _ in tests), default=1.0)
    is_drift = any(is_large and p * len(tests) <= alpha for p, is_large in tests)
    return Question(
        name="inputs", num_tests=len(tests), p=min(1.0, smallest * len(tests)), alpha=alpha, is_drift=is_drift
    )


def _features(found: Sequence[_Compared], limits: Thresholds, inputs_drift: bool) -> tuple[FeatureDrift, ...]:
    """Return every feature; once inputs have drifted, those whose adjusted p and effect say so are named."""
    p_values = np.ones((len(found), 2))
    tested = np.array([(_says(each, each.main), _says(each, each.missing)) for each in found], bool).reshape(
        -1, 2
    )
    p_values[tested] = adjusted(
        [test.p for each in found for test in (each.main, each.missing) if _says(each, test)]
    )
    return tuple(
        FeatureDrift(
            name=each.group.name,
            kind=each.group.kind,
            test=each.main.test,
            effect=each.main.effect,
            psi=each.psi,
            p=each.main.p,
            p_adjusted=float(main_p),
            missing_before=each.missing_shares[0],
            missing_after=each.missing_shares[1],
            missing_p=each.missing.p,
            missing_p_adjusted=float(missing_p),
            middle_before=each.middles[0],
            middle_after=each.middles[1],
            changed=each.changed,
            is_drift=inputs_drift
            and bool(
                (main_p <= limits.false_discoveries and each.is_large)
                or (missing_p <= limits.false_discoveries and each.is_more_missing)
            ),
        )
        for each, (main_p, missing_p) in zip(found, p_values, strict=True)
    )


def _classifier(
    reference: Reference, rows: NDArray[np.float32], limits: Thresholds, seed: int
) -> ClassifierDrift:
    alpha = limits.alpha("classifier")
    found = separation(reference.features, rows, reference.groups, alpha=alpha, seed=seed)
    is_drift = found.auc is not None and found.auc >= limits.auc and found.p <= alpha
    return ClassifierDrift(
        auc=found.auc,
        p=found.p,
        num_before=found.num_before,
        num_after=found.num_after,
        num_permutations=found.num_permutations,
        is_drift=is_drift,
    )


def _predictions(
    reference: Reference, answers: NDArray[np.float32], limits: Thresholds
) -> tuple[ConfidenceDrift, PredictionDrift, Question]:
    """Compare confidence and predicted classes, and answer the question of both."""
    before, after = reference.probabilities.max(axis=1), answers.max(axis=1)
    confidence = kolmogorov_smirnov(before, after)
    old, new = (
        np.bincount(values.argmax(axis=1), minlength=len(reference.classes))
        for values in (reference.probabilities, answers)
    )
    classes = categories(old, new)
    tests = [test for test in (confidence, classes) if test.test != "none"]
    alpha = limits.alpha("predictions")
    by_confidence = confidence.p * len(tests) <= alpha and confidence.effect >= limits.confidence_distance
    by_class = classes.p * len(tests) <= alpha and classes.effect >= limits.class_association
    return (
        ConfidenceDrift(
            before=_statistics(before, limits),
            after=_statistics(after, limits),
            distance=confidence.effect,
            p=confidence.p,
            is_drift=by_confidence,
        ),
        PredictionDrift(
            classes=reference.classes,
            before=tuple(map(int, old)),
            after=tuple(map(int, new)),
            association=association(old, new),
            psi=stability_index(old, new),
            p=classes.p,
            is_drift=by_class,
        ),
        _question("predictions", [test.p for test in tests], by_confidence or by_class, limits),
    )


def _question(name: QuestionName, p_values: Sequence[float], is_drift: bool, limits: Thresholds) -> Question:
    return Question(
        name=name,
        num_tests=len(p_values),
        p=min(1.0, min(p_values, default=1.0) * len(p_values)) if p_values else 1.0,
        alpha=limits.alpha(name),
        is_drift=is_drift,
    )


def _statistics(confidence: NDArray[np.float32], limits: Thresholds) -> ConfidenceStatistics:
    low = int(np.sum(confidence < limits.low_confidence))
    return ConfidenceStatistics(
        mean=float(confidence.mean(dtype=float)),
        least=float(confidence.min()),
        most=float(confidence.max()),
        spread=float(confidence.std(dtype=float)),
        num_low=low,
        share_low=low / len(confidence),
    )


def _accuracy(
    reference: Reference, answers: NDArray[np.float32], truth: NDArray[np.int64] | None, limits: Thresholds
) -> AccuracyDrift | None:
    if truth is None or reference.targets is None:
        return None
    before = int(np.sum(reference.probabilities.argmax(axis=1) == reference.targets))
    after = int(np.sum(answers.argmax(axis=1) == truth))
    found = shares((before, len(reference)), (after, len(truth)))
    return AccuracyDrift(
        right_before=before,
        num_before=len(reference),
        right_after=after,
        num_after=len(truth),
        change=found.effect,
        p=found.p,
        is_drift=found.p <= limits.alpha("accuracy") and abs(found.effect) >= limits.accuracy,
    )


def _vocabulary(
    reference: Reference, document_counts: ArrayLike | None, num_rows: int
) -> VocabularyDrift | None:
    if document_counts is None or reference.document_counts is None:
        return None
    old, new = reference.document_counts, np.asarray(document_counts, np.int64)
    before, after = old / reference.num_rows, new / num_rows
    larger = float(np.maximum(before, after).sum())
    return VocabularyDrift(
        num_terms=len(old),
        seen_before=int(np.sum(old > 0)),
        seen_after=int(np.sum(new > 0)),
        overlap=float(np.minimum(before, after).sum()) / larger if larger else 1.0,
    )


def _least_found(
    num_before: int, num_after: int, num_tests: int, accuracy: AccuracyDrift | None, limits: Thresholds
) -> LeastFound:
    """Say what is found with a probability of POWER or more, from the tests' limiting distributions."""
    scale = math.sqrt(1 / num_before + 1 / num_after)
    enough = float(stats.norm.ppf(POWER))
    alpha = max(limits.alpha("inputs"), 1e-12) / max(num_tests, 1)
    # Kolmogorov's tail is 2 exp(-2 x^2) for small p; the two ECDFs' distance has a deviation of a half at the middle.
    distance = (math.sqrt(-math.log(alpha / 2) / 2) + enough / 2) * scale
    distance = min(1.0, max(distance, limits.distance))
    change = None
    if accuracy is not None:
        right = accuracy.right_before / accuracy.num_before
        beyond = float(stats.norm.isf(max(limits.alpha("accuracy"), 1e-12) / 2)) + enough
        change = min(1.0, max(limits.accuracy, beyond * math.sqrt(max(right * (1 - right), 1e-4)) * scale))
    deviations = 2 * float(stats.norm.ppf((1 + min(distance, 0.9999)) / 2))
    return LeastFound(distance=distance, deviations=deviations, accuracy=change)
