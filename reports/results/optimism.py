"""Optimism: what the best configuration scored in the search that selected it, less what it scores with fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.results import Results
from reports.results.second_networks import second_networks
from reports.statistics.effects import Estimate, optimism
from reports.wording.phrases import Sentence, epochs_spoken
from reports.wording.words import decimals_for, number


def optimism_record(
    inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """For report.json: searched and confirmed (means over the same blocks, on the validation part), estimate, ci_low,
    ci_high, num_blocks, same_length, sentence and numbers; None without a score or with one block.

    Described, never claimed. Both scores are of networks whose data is the same: only seeds differ, and epochs where
    the search's last rung is not the confirm phase's last epoch.
    """
    if best is None or best[inputs.outcome.name] is None:
        return None
    pairs = second_networks(inputs, results)
    mine = pairs.rows[pairs.rows["trial_number"].isin(best["trial_numbers"])]
    gap = optimism(mine["searched"], mine["confirmed"])
    if not math.isfinite(gap.ci_low):
        return None
    searched, confirmed = float(mine["searched"].mean()), float(mine["confirmed"].mean())
    lengths = int(inputs.plan["search"]["rungs"][-1]), int(inputs.plan["confirm"]["epochs"])
    said = about_optimism(gap, searched, confirmed, inputs.validation, lengths)
    return {
        "searched": searched,
        "confirmed": confirmed,
        "estimate": gap.estimate,
        "ci_low": gap.ci_low,
        "ci_high": gap.ci_high,
        "num_blocks": gap.num_blocks,
        "same_length": pairs.same_length,
        "sentence": said.text,
        "numbers": dict(said.numbers),
    }


def about_optimism(
    gap: Estimate, searched: float, confirmed: float, validation: Measure, epochs: tuple[int, int]
) -> Sentence:
    """The two scores and their difference, worded by its interval; `epochs` are those of the search and of the confirm
    phase."""
    places = decimals_for((gap.ci_high - gap.ci_low) / 2)
    first, second = (number(value, places) for value in (searched, confirmed))
    low, high = number(gap.ci_low, places), number(gap.ci_high, places)
    difference = f"{validation.in_unit(number(gap.estimate, places))} [{low} to {high}]"
    return Sentence(
        text=f"In the search its validation {validation.kind} was {first} and with fresh seeds, over the same blocks, "
        f"it is {second}: the search’s less the confirmed one is {difference}, {_reading(gap, validation, epochs)}.",
        gate=None,
        numbers={
            **{"searched": searched, "confirmed": confirmed, "estimate": gap.estimate},
            **{"ci_low": gap.ci_low, "ci_high": gap.ci_high},
            **{"search_epochs": epochs[0], "confirm_epochs": epochs[1]},
        },
    )


def _reading(gap: Estimate, validation: Measure, epochs: tuple[int, int]) -> str:
    if epochs[0] != epochs[1]:
        return (
            f"in which luck is not told apart from training for {epochs_spoken(epochs[0])} there and "
            f"{epochs_spoken(epochs[1])} here"
        )
    ends = sorted((validation.sign * gap.ci_low, validation.sign * gap.ci_high))
    if ends[1] < 0:
        return "so the search flattered it: a winner is selected for luck, too"
    if ends[0] > 0:
        return "so the search did not flatter it"
    return "which leaves open whether the search flattered it"
