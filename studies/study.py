"""What a study's file imports: Study, its parts, and Metric."""

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
