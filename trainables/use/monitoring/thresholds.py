"""What counts as drift: how much of the false alarms each question may spend, and how large a change has to be."""

import difflib
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path

from trainables.data.dataset_files import DatasetError

_SHARES = ("share_inputs", "share_classifier", "share_predictions", "share_accuracy")


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """A change is drift if it is both beyond chance and large enough to matter.

    Beyond chance: of comparisons of fresh samples of the same data, at most `false_alarms` find drift. It is split
    (Bonferroni) over four questions by `share_*`, which sum to 1 at most; what a question that is not asked leaves
    stays unspent. `false_discoveries` is the rate at which Benjamini and Hochberg name features once drift of inputs
    is found.

    Large enough: `distance` of two distributions of a number (Kolmogorov-Smirnov's D), `psi` (either suffices),
    `association` of sample and category (Cramer's V with both samples weighing the same), `missing` values (change of
    their share), `words` (change of the share of texts that have a word), `auc` of a classifier that tells the
    samples apart, `confidence_distance` (D), `class_association` (V of predicted classes), `accuracy` (change).
    A prediction below `low_confidence` is counted as unsure.
    """

    false_alarms: float = 0.05
    share_inputs: float = 0.4
    share_classifier: float = 0.2
    share_predictions: float = 0.2
    share_accuracy: float = 0.2
    false_discoveries: float = 0.05
    distance: float = 0.05
    psi: float = 0.1
    association: float = 0.05
    missing: float = 0.01
    words: float = 0.05
    auc: float = 0.55
    confidence_distance: float = 0.05
    class_association: float = 0.05
    accuracy: float = 0.01
    low_confidence: float = 0.7

    def __post_init__(self) -> None:
        """Raise DatasetError that lists every value that is out of its range."""
        wrong = []
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = (0.5, 1.0) if field.name == "auc" else (0.0, math.inf if field.name == "psi" else 1.0)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not low <= value <= high or not math.isfinite(value):
                rule = f"at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
                wrong.append(f"{field.name} must be a number {rule}; got {json.dumps(value, default=repr)}")
        if not wrong and sum(getattr(self, name) for name in _SHARES) > 1 + 1e-9:
            wrong.append(f"{', '.join(_SHARES)} must sum to 1 at most")
        if wrong:
            raise DatasetError(
                "; ".join(wrong), "Correct the thresholds, or leave out those that need no change."
            )

    def alpha(self, question: str) -> float:
        """Return how often one question may find drift where there is none."""
        share: float = getattr(self, f"share_{question}")
        return self.false_alarms * share


def read_thresholds(path: Path) -> Thresholds:
    """Read a JSON object of thresholds by name; those it does not name keep their defaults.

    Raises DatasetError for what is no such object, for unknown names (with the right ones) and for wrong values.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror})", "See who may read it.") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is no JSON ({error})", 'For example: {"distance": 0.1}') from error
    if not isinstance(found, dict):
        raise DatasetError(f"{path} holds no JSON object", 'For example: {"distance": 0.1}')
    names = [field.name for field in fields(Thresholds)]
    unknown = [name for name in found if name not in names]
    if unknown:
        told = []
        for name in unknown:
            close = difflib.get_close_matches(name.lower()[:100], names, n=1)
            told.append(f"{name}{f' (did you mean {close[0]}?)' if close else ''}")
        raise DatasetError(f"{path}: no such threshold: {', '.join(told)}", f"There are: {', '.join(names)}.")
    try:
        return Thresholds(**found)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error.message}", error.advice) from error
