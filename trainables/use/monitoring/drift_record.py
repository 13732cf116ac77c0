"""What a comparison of later rows with a model's reference found: plain values that JSON can hold."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trainables.use.monitoring.thresholds import Thresholds

QuestionName = Literal["inputs", "classifier", "predictions", "accuracy"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One of the questions that the false alarms are split over, and its answer.

    `p` is the smallest p value of its `num_tests` tests times their number; drift needs `p` of `alpha` at most, and of
    the same test an effect over its threshold. One that could not be asked has no tests.
    """

    name: QuestionName
    num_tests: int
    p: float
    alpha: float
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class FeatureDrift:
    """One feature before (in the reference) and after (in the rows that are watched).

    `effect` is D of a number, V of a category, the largest change of the share of texts with a word. `p_adjusted` is
    Benjamini and Hochberg's over all tests of inputs. `middle_*` are medians of a number. `changed` are the categories
    or words that changed most, with their shares before and after.
    """

    name: str
    kind: str
    test: str
    effect: float
    psi: float | None
    p: float
    p_adjusted: float
    missing_before: float
    missing_after: float
    missing_p: float
    missing_p_adjusted: float
    middle_before: float | None
    middle_after: float | None
    changed: tuple[tuple[str, float, float], ...]
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class ClassifierDrift:
    """How well a classifier tells the two samples apart; `auc` is None where there were too few rows.

    p is at least 1 / (1 + num_permutations), whatever the samples.
    """

    auc: float | None
    p: float
    num_before: int
    num_after: int
    num_permutations: int
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class ConfidenceStatistics:
    """The probability of the predicted class over rows; `spread` is the standard deviation."""

    mean: float
    least: float
    most: float
    spread: float
    num_low: int
    share_low: float


@dataclass(frozen=True, kw_only=True)
class ConfidenceDrift:
    """Confidence before and after, and the distance D of the two distributions."""

    before: ConfidenceStatistics
    after: ConfidenceStatistics
    distance: float
    p: float
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class PredictionDrift:
    """How often each class was predicted before and after."""

    classes: tuple[str, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    association: float
    psi: float
    p: float
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class AccuracyDrift:
    """How many predictions were right, before and after, and the change of their share."""

    right_before: int
    num_before: int
    right_after: int
    num_after: int
    change: float
    p: float
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class VocabularyDrift:
    """Terms of the vocabulary in texts: how many occur at all, and the overlap of how often they do.

    `overlap` is the sum over terms of the smaller share of texts that has it, divided by that of the larger one.
    Described, not tested.
    """

    num_terms: int
    seen_before: int
    seen_after: int
    overlap: float


@dataclass(frozen=True, kw_only=True)
class LeastFound:
    """What is found at least four times in five with so many rows; smaller changes could be missed.

    `distance` is D of one number, `deviations` the same as a shift of a normal one in standard deviations; `accuracy`
    a change of the share of right predictions, None without labels.
    """

    distance: float
    deviations: float
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Shares of rows in bins, before and after; `edges` bound the bins of a number, `labels` name categories."""

    name: str
    kind: str
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class DriftRecord:
    """The decision, what it rests on, and what was compared.

    `num_rows` were watched, `num_compared` of them (all, or a random part) were compared with `num_before` rows.
    `num_copies` of those are exact copies of others: the classifier uses each once, the other tests every one.
    """

    is_drift: bool
    num_rows: int
    num_compared: int
    num_before: int
    num_copies: int
    questions: tuple[Question, ...]
    features: tuple[FeatureDrift, ...]
    classifier: ClassifierDrift
    confidence: ConfidenceDrift
    predictions: PredictionDrift
    accuracy: AccuracyDrift | None
    vocabulary: VocabularyDrift | None
    least_found: LeastFound
    distributions: tuple[Distribution, ...]
    thresholds: Thresholds

    def as_json(self) -> dict[str, Any]:
        """Return it as what `json` writes; a number that is not finite becomes None."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
