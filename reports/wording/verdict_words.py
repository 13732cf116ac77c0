"""The rules of the verdicts, and what they measure, in words for a reader."""

from collections.abc import Mapping

from reports.wording.words import small

RULES = {
    "DIVERGED": "a loss or gradient that is not finite",
    "BLOWN UP": "a training loss above {blown_up} times the initial one",
    "UNTRAINED": "a final training loss of {untrained} ln C or more",
    "EXPLODING": "total growth above {total_growth}, or above {growth_total} with growth above {growth} per layer",
    "VANISHING": "total growth below 1/{total_growth}, or below 1/{growth_total} with growth below 1/{growth}",
    "WATCH": "total growth above {watch} or below 1/{watch}",
    "SPIKY": "more than {spike_rate} of the steps with a gradient norm 10 times the median of the 50 before",
    "DEAD": "more than {dead_fraction} of a layer’s units dead or saturated",
    "STALLED": "a median update ratio below {stalled}",
    "HOT": "a median update ratio above {hot}",
    "STABLE": "none of these",
}
"""In their order: the first that holds is the verdict. Thresholds stand in braces, by their fields in the plan."""

THRESHOLDS = {
    "blown_up": "loss over initial loss",
    "untrained": "final loss over ln C",
    "total_growth": "total growth",
    "growth": "growth per layer",
    "growth_total": "total growth, with growth",
    "watch": "total growth, to watch",
    "spike_rate": "spike rate",
    "dead_fraction": "dead fraction",
    "stalled": "update ratio, stalled",
    "hot": "update ratio, hot",
}

MEASURES = {
    "num_nonfinite": "steps and epochs that are not finite",
    "loss_ratio": "largest training loss over the initial one",
    "final_loss_ratio": "final training loss over ln C",
    "growth": "growth per layer",
    "total_growth": "total growth",
    "spike_rate": "share of steps that spike",
    "dead_fraction": "dead or saturated share of the worst layer",
    "update_ratio": "median update ratio",
}


def rule_spoken(verdict: str, thresholds: Mapping[str, float]) -> str:
    """The rule of a verdict with its thresholds in it.

    >>> rule_spoken("WATCH", {"watch": 10.0})
    'total growth above 10 or below 1/10'
    """
    return RULES[verdict].format(**{name: f"{float(value):g}" for name, value in thresholds.items()})


def measured_spoken(measure: str, value: float, threshold: float, verdict: str) -> str:
    """A value against the threshold that it crossed: "total growth 12.4, above 10"."""
    reached = "at least" if verdict == "UNTRAINED" else "above" if value > threshold else "below"
    return f"{MEASURES[measure]} {small(value, 3)}, {reached} {small(threshold, 3)}"
