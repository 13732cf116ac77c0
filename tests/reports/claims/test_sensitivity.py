"""What thresholds change is counted over all networks, marked where a ranking flips, and printed in words."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from reports.claims.paragraphs.stability_record import sensitivity
from reports.inputs.inputs import ReportInputs
from reports.sections.stability.thresholds import DEPENDS, about_thresholds, rules_table, sensitivity_table
from reports.wording.verdict_words import RULES, measured_spoken, rule_spoken
from tests.reports.odd_inputs import SMALL
from tests.reports.sample import sample_inputs
from tests.reports.sample_networks import THRESHOLDS


def judged(total_growth: float) -> dict[str, Any]:
    ends = {"total_growth_high": total_growth, "total_growth_low": total_growth}
    return {"trained": {"measures": {"num_nonfinite": 0, **ends}}, "initial": None}


def inputs_with(growths: dict[int, list[float]]) -> ReportInputs:
    """One network for each depth and total growth."""
    base = sample_inputs({"depth": tuple(growths)}, num_blocks=1, rates=1)
    rows = [
        {"phase": "confirm", "depth": depth, "verdicts": judged(value)}
        for depth, values in growths.items()
        for value in values
    ]
    return replace(base, replicates=pd.DataFrame(rows))


def test_shares_are_counted_for_every_threshold_halved_and_doubled() -> None:
    found = sensitivity(inputs_with({3: [6, 1], 7: [150, 12]}))
    assert set(found) == {"trained"}
    counts = {(each["threshold"], each["multiple"]): each["counts"] for each in found["trained"]["variants"]}
    assert len(counts) == 1 + 2 * len(THRESHOLDS)
    assert counts["as planned", 1.0] == {"EXPLODING": 1, "WATCH": 1, "STABLE": 2}
    assert counts["watch", 0.5] == {"EXPLODING": 1, "WATCH": 2, "STABLE": 1}
    assert counts["total_growth", 2.0] == {"EXPLODING": 0, "WATCH": 2, "STABLE": 2}
    assert counts["hot", 2.0] == counts["as planned", 1.0]


def test_a_ranking_that_flips_is_marked_in_table_and_sentence() -> None:
    # Above 10: one of three at depth 3, none at depth 7; above 5: one, and all.
    found = sensitivity(inputs_with({3: [12, 1, 1], 7: [6, 6, 6]}))
    marked = {
        (each["threshold"], each["multiple"]) for each in found["trained"]["variants"] if each["depends"]
    }
    assert marked == {("watch", 0.5)}
    table = sensitivity_table(found["trained"], "in training")
    assert [row[-1].text for row in table.rows].count(DEPENDS) == 1
    assert "WATCH (by depth)" in about_thresholds(found)


def test_no_flip_is_said_too() -> None:
    found = sensitivity(inputs_with({3: [1, 1], 7: [1000, 1000]}))
    assert "reverses no ranking" in about_thresholds(found)
    assert found["trained"]["flips"] == []


def test_networks_without_details_give_no_table() -> None:
    base = sample_inputs(SMALL, num_blocks=1, rates=1)
    assert sensitivity(replace(base, replicates=base.replicates.drop(columns="verdicts"))) == {}
    assert sensitivity(replace(base, replicates=base.replicates.assign(verdicts=None))) == {}
    assert sensitivity(replace(base, replicates=base.replicates.iloc[:0])) == {}


def test_every_rule_is_printed_with_the_plans_thresholds() -> None:
    table = rules_table({**THRESHOLDS, "watch": 7.0})
    assert [row[0].text for row in table.rows] == list(RULES)
    assert "above 7 or below 1/7" in table.rows[5][1].text
    assert all("{" not in row[1].text for row in table.rows)
    assert rules_table({}).rows == []


@pytest.mark.parametrize(
    ("measure", "value", "threshold", "verdict", "said"),
    [
        ("total_growth", 123.4, 100.0, "EXPLODING", "total growth 123, above 100"),
        ("update_ratio", 2e-6, 1e-5, "STALLED", "median update ratio 2e−06, below 1e−05"),
        ("final_loss_ratio", 0.95, 0.95, "UNTRAINED", "final training loss over ln C 0.95, at least 0.95"),
    ],
)
def test_a_value_is_held_against_its_threshold(
    measure: str, value: float, threshold: float, verdict: str, said: str
) -> None:
    assert measured_spoken(measure, value, threshold, verdict) == said
    assert rule_spoken(verdict, THRESHOLDS)
