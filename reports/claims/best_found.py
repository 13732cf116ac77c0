"""The verdict on the best configuration that a search found, against the default that the plan states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.claims.plain_words import (
    BEST,
    CLAIMED,
    FAILED,
    HERE,
    NO,
    OPEN,
    YES,
    Outcome,
    Row,
    Spoken,
    Verdict,
    assembled,
    better,
    changed,
    outcome_of,
    scored,
    trained_for,
)
from reports.inputs.inputs import ReportInputs
from reports.results.best import describe, nothing_to_take
from reports.results.results import Results
from reports.statistics.contrasts import contrasts
from reports.wording.phrases import capital
from reports.wording.words import count, plural

FACTOR = "configuration"
DEFAULT, FOUND = "the default", "the best found"


def against_default(
    inputs: ReportInputs,
    results: Results,
    best: Mapping[str, Any] | None,
    confirmed: Sequence[Mapping[str, Any]],
) -> dict[str, Any] | None:
    """The best configuration found minus the stated default, block by block: a row of `comparison.contrasts`.

    It is counted among all confirmed configurations, any of which could have been taken, in the share that comparisons
    of levels have where there are some. None without a default, before plan version 3, and where that share is spent
    on a linear model.
    """
    default = next((each for each in confirmed if each["is_default"]), None)
    found = [each for each in confirmed if not each["is_default"]]
    if best is None or default is None or not found or results.look.rules.holm or results.num_pairs:
        return None
    rows, outcome = results.rows, inputs.outcome.name
    both = pd.concat(
        [
            rows[rows["trial_number"].isin(each["trial_numbers"])][["block", outcome]].assign(
                **{FACTOR: name}
            )
            for name, each in ((DEFAULT, default), (FOUND, best))
        ],
        ignore_index=True,
    )
    if both[FACTOR].nunique() < 2:
        return None
    family = results.licensing.loss_at_best(len(found))
    (row,) = contrasts(
        both, [FACTOR], outcome, inputs.smallest_effect, rules=results.look.rules, family=family
    ).to_dict("records")
    return {str(name): value for name, value in row.items()}


def about_best_found(
    inputs: ReportInputs,
    results: Results,
    best: Mapping[str, Any] | None,
    confirmed: Sequence[Mapping[str, Any]],
) -> Verdict:
    """What the search found, whether it beats the stated default, and what the search took."""
    outcome = inputs.outcome
    if best is None or best.get(outcome.name) is None or nothing_to_take(best):
        text = f"Nothing to take away: every network of the best configuration {outcome.said_of_failures}."
        return assembled([Spoken(text=text)], [], FAILED, "confirmed" if confirmed else None)
    what, score = describe(best["params"]), scored(inputs, best)
    named = Spoken(
        text=f"The best configuration found is {what}.", numbers=[best["params"], _printed(best["params"])]
    )
    search = _spent(inputs)
    default = next((each for each in confirmed if each["is_default"] and each["num_blocks"]), None)
    row = against_default(inputs, results, best, confirmed)
    if default is None or row is None or default.get(outcome.name) is None:
        text = f"The best configuration found is {what}: {score.text} {HERE}."
        whole = Spoken(text=text, numbers=[best["params"], _printed(best["params"]), *score.numbers])
        lost = Spoken(text="")
        if default is not None and default.get(outcome.name) is None:
            lost = Spoken(text=f"Of the stated default every network {outcome.said_of_failures}.")
        elif default is not None:
            other = scored(inputs, default)
            lost = Spoken(text=f"The stated default: {other.text}.", numbers=other.numbers)
        return assembled([whole], [lost, search], BEST, "confirmed")
    word, status, text = _answer(row, outcome_of(row, outcome))
    other = scored(inputs, default)
    opening = Spoken(
        text=f"{word} {capital(f'{HERE}, {text}')} ({score.text}; the default: {other.text}).".strip(),
        numbers=[*score.numbers, *other.numbers],
    )
    amount = changed(row, outcome)
    epochs = trained_for(inputs)
    difference = Spoken(
        text=f"After {epochs.text}, with fresh seeds, its {outcome.title} ({better(outcome)}) less that of the "
        f"default is {amount.text}.",
        numbers=[*epochs.numbers, *amount.numbers],
    )
    return assembled([opening], [named, difference, search], status, "confirmed")


def _answer(row: Row, found: Outcome) -> tuple[str, str, str]:
    if found in CLAIMED and row["equivalent"]:
        which = found.value
        return (
            "No.",
            NO,
            f"the best configuration found does {which} than the default, but by less than matters here",
        )
    match found:
        case Outcome.BETTER:
            return "Yes.", YES, "the best configuration found does better than the default"
        case Outcome.WORSE:
            return "No.", NO, "the best configuration found does worse than the default"
        case Outcome.EQUAL:
            return "No.", NO, "the best configuration found does no better than the default"
        case Outcome.OPEN:
            return (
                "",
                OPEN,
                "it is not clear whether the best configuration found does better than the default",
            )
        case Outcome.EARLY:
            text = "it is too early to say whether the best configuration found does better than the default"
            return "", OPEN, text
    which = "better" if found is Outcome.POINTS_BETTER else "worse"
    text = f"what there is points to the best configuration found doing {which} than the default"
    return "Too early to say.", OPEN, text


def _spent(inputs: ReportInputs) -> Spoken:
    search = inputs.trials[inputs.trials["phase"] == "search"]
    reached = int((search["state"] == "complete").sum())
    return Spoken(
        text=f"The search tried {plural(len(search), 'configuration')}, of which {count(reached)} were trained to the "
        "end.",
        numbers=[len(search), reached],
    )


def _printed(params: Mapping[str, Any]) -> list[float]:
    """Rates as they are printed, with two digits."""
    return [float(f"{value:.2g}") for value in params.values() if isinstance(value, float)]
