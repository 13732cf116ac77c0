"""What the file of a study imports: a study, its parts, and its metrics."""

from studies.definition.parts import (
    Confirm,
    ErrorShares,
    Metric,
    Nuisance,
    Search,
    SmallestEffect,
    Thresholds,
)
from studies.definition.study import Study

__all__ = ["Confirm", "ErrorShares", "Metric", "Nuisance", "Search", "SmallestEffect", "Study", "Thresholds"]
