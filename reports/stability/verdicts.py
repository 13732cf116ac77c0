"""What a network's gradients are called: the rules, in their order, on the measures of one network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

STABLE = "STABLE"
"""The verdict where no rule holds."""

ONE_LAYER = "growth is undefined with one hidden layer: EXPLODING, VANISHING and WATCH do not apply"
NO_SIGNAL = (
    "growth is undefined, as no finite gradient reached the last hidden layer: EXPLODING, VANISHING and WATCH do not "
    "apply"
)


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What the rules ask of one network; None where it is undefined or not asked, and the rule does not apply.

    In training, `_high` is the largest value held for two epochs in a row and `_low` the smallest; at the
    initialisation both are the value. `loss_ratio` is the largest training loss held for two epochs over the initial
    one, `final_loss_ratio` the last over ln C. `growth` is per hidden layer, `total_growth` is
    growth^(layers - 1). `update_ratio` is the median over layers and steps.
    """

    num_nonfinite: float
    loss_ratio: float | None = None
    final_loss_ratio: float | None = None
    growth_high: float | None = None
    growth_low: float | None = None
    total_growth_high: float | None = None
    total_growth_low: float | None = None
    spike_rate: float | None = None
    dead_fraction: float | None = None
    update_ratio_low: float | None = None
    update_ratio_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that holds: the measure that fired, its value, and the threshold that it crossed."""

    verdict: str
    measure: str
    value: float
    threshold: float


def judge(measures: Measures, thresholds: Mapping[str, float]) -> list[Finding]:
    """Return every rule that holds, in the order of the rules; the first is the verdict, STABLE if there is none.

    `thresholds` has a number for each field of a plan's thresholds.

    >>> thresholds = {"blown_up": 2, "untrained": 0.95, "total_growth": 100, "growth": 1.6, "growth_total": 10,
    ...     "watch": 10, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1}
    >>> measures = Measures(
    ...     num_nonfinite=0, growth_high=2, growth_low=2, total_growth_high=64, total_growth_low=64
    ... )
    >>> [(finding.verdict, finding.measure, finding.value) for finding in judge(measures, thresholds)]
    [('EXPLODING', 'growth', 2), ('WATCH', 'total_growth', 64)]
    """
    findings = (rule(measures, thresholds) for rule in _RULES)
    return [finding for finding in findings if finding is not None]


def verdict(findings: list[Finding]) -> str:
    """Return the verdict that findings in the order of the rules make."""
    return findings[0].verdict if findings else STABLE


Rule = Callable[[Measures, Mapping[str, float]], Finding | None]


def _first(*findings: Finding | None) -> Finding | None:
    return next((finding for finding in findings if finding is not None), None)


def _above(name: str, measure: str, value: float | None, threshold: float) -> Finding | None:
    if value is None or not value > threshold:
        return None
    return Finding(verdict=name, measure=measure, value=value, threshold=threshold)


def _below(name: str, measure: str, value: float | None, threshold: float) -> Finding | None:
    if value is None or not value < threshold:
        return None
    return Finding(verdict=name, measure=measure, value=value, threshold=threshold)


def _exploding(m: Measures, t: Mapping[str, float]) -> Finding | None:
    by_total = _above("EXPLODING", "total_growth", m.total_growth_high, t["total_growth"])
    by_layer = _above("EXPLODING", "growth", m.growth_high, t["growth"])
    in_all = _above("EXPLODING", "total_growth", m.total_growth_high, t["growth_total"])
    return _first(by_total, by_layer if in_all else None)


def _vanishing(m: Measures, t: Mapping[str, float]) -> Finding | None:
    by_total = _below("VANISHING", "total_growth", m.total_growth_low, 1 / t["total_growth"])
    by_layer = _below("VANISHING", "growth", m.growth_low, 1 / t["growth"])
    in_all = _below("VANISHING", "total_growth", m.total_growth_low, 1 / t["growth_total"])
    return _first(by_total, by_layer if in_all else None)


def _watch(m: Measures, t: Mapping[str, float]) -> Finding | None:
    return _first(
        _above("WATCH", "total_growth", m.total_growth_high, t["watch"]),
        _below("WATCH", "total_growth", m.total_growth_low, 1 / t["watch"]),
    )


def _untrained(m: Measures, t: Mapping[str, float]) -> Finding | None:
    """ "No better than" the threshold: a loss that equals it is untrained too."""
    ratio = m.final_loss_ratio
    if ratio is None or not ratio >= t["untrained"]:
        return None
    return Finding(verdict="UNTRAINED", measure="final_loss_ratio", value=ratio, threshold=t["untrained"])


_RULES: tuple[Rule, ...] = (
    lambda m, t: _above("DIVERGED", "num_nonfinite", m.num_nonfinite, 0.0),
    lambda m, t: _above("BLOWN UP", "loss_ratio", m.loss_ratio, t["blown_up"]),
    _untrained,
    _exploding,
    _vanishing,
    _watch,
    lambda m, t: _above("SPIKY", "spike_rate", m.spike_rate, t["spike_rate"]),
    lambda m, t: _above("DEAD", "dead_fraction", m.dead_fraction, t["dead_fraction"]),
    lambda m, t: _below("STALLED", "update_ratio", m.update_ratio_low, t["stalled"]),
    lambda m, t: _above("HOT", "update_ratio", m.update_ratio_high, t["hot"]),
)
