"""Where the variation of the outcome comes from, and what more blocks would buy."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.effects import Components, variance_components, with_more_blocks
from reports.wording.phrases import Sentence, capital
from reports.wording.words import decimals_for, number

MORE = 10


def variation_record(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """Variance components, their standard deviations, the sentence about them, and more blocks' intervals.

    None where no network is confirmed, or every one failed; components are null where the design
    does not identify them.
    """
    rows = results.rows
    if rows.empty or all_failed(rows):
        return None
    outcome = inputs.outcome
    levels = list(inputs.factors) if inputs.has_cells else []
    frame = rows if levels else rows.assign(configuration=rows["trial_number"])
    components = variance_components(
        frame[[*(levels or ["configuration"]), "block", outcome.name]], outcome.name
    )
    said = about_components(components, outcome)
    return {
        "components": asdict(components),
        "sd": {name: math.sqrt(getattr(components, name)) for name in ("cell", "block", "cell_by_block")},
        "sentence": None if said is None else said.text,
        "numbers": {} if said is None else dict(said.numbers),
        "more_blocks": with_more_blocks(results.contrasts, MORE).to_dict("records"),
    }


def about_components(components: Components, outcome: Measure = TEST_LOG_LOSS) -> Sentence | None:
    """How much configurations, blocks and the rest contribute, as standard deviations; None where not identified."""
    if not math.isfinite(components.cell_by_block):
        return None
    cell, block, rest = (
        math.sqrt(each) for each in (components.cell, components.block, components.cell_by_block)
    )
    places = max(
        2, min(5, decimals_for(min((each for each in (cell, block, rest) if each > 0), default=0.0)))
    )
    return Sentence(
        text=f"{capital(outcome.title)} varies between configurations with a standard deviation of "
        f"{f'{number(cell, places)} {outcome.unit}'.rstrip()}, "
        f"between blocks with {number(block, places)} (comparing within blocks removes it), and within a block from "
        f"configuration to configuration by {number(rest, places)} more, retraining included: a second network for "
        "each configuration and block would be needed to tell retraining apart.",
        gate=None,
        numbers={"cell": cell, "block": block, "cell_by_block": rest},
    )
