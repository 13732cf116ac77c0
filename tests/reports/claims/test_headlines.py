"""Titles say what gates allow and nothing where they allow nothing."""

from typing import Any

from reports.sections.performance import counted_gates
from reports.sections.titles import largest_difference


def contrast(gate: str | None, estimate: float, **more: Any) -> dict[str, Any]:
    half = abs(estimate) / 10
    row = {"factor": "dropout", "level_a": 0.3, "level_b": 0.5, "estimate": estimate, "by_level": None}
    ends = {"simultaneous_low": estimate - half, "simultaneous_high": estimate + half}
    return {**row, **ends, "gate": gate, **more}


def test_the_largest_claimed_difference_becomes_the_title() -> None:
    rows = [contrast("MEANINGFUL", 0.2), contrast("DIRECTION", -0.42), contrast("UNRESOLVED", 3.0)]
    assert largest_difference(rows) == "Dropout 0.5 saves 0.42 nats of loss against 0.3"


def test_where_a_contrast_depends_on_another_factor_its_simple_effects_count() -> None:
    simple = contrast("MEANINGFUL", 1.21, by="depth", by_level=7, averages_over=["optimizer"])
    rows = [
        contrast("INTERACTION", 0.6, by_level=[simple, contrast("UNRESOLVED", 5.0, by="depth", by_level=3)])
    ]
    assert (
        largest_difference(rows)
        == "Dropout 0.5 adds 1.21 nats of loss against 0.3 at depth 7, averaged over the rest"
    )


def test_nothing_claimed_gives_no_title() -> None:
    assert largest_difference([contrast("UNRESOLVED", 1.0), contrast(None, 2.0)]) is None
    assert largest_difference([]) is None


def test_gates_are_counted_in_words() -> None:
    rows = [contrast("EQUIVALENT", 0.1)] * 5 + [contrast("UNRESOLVED", 0.1)]
    assert counted_gates(rows) == "of 6 differences 5 are practically equal, 1 is not resolved"
    assert counted_gates(rows[-1:]) == "of 1 difference 1 is not resolved"
    assert counted_gates([contrast(None, 0.1)]) is None
