"""Scores that a network does not have though it trained to the end: which they are, and what is left out for it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_SCORES, Measure, classifier_measure
from reports.wording.phrases import Sentence, capital, counted
from reports.wording.words import count

LOST = ("diverged", "failed")
"""How a network ended that scores as a failure; any other one without a score has an undefined one."""


def are_undefined(replicates: pd.DataFrame, measure: Measure) -> "pd.Series[Any]":
    """Mark the networks that were not lost and have no value of `measure`."""
    has_none = pd.to_numeric(replicates[measure.name]).astype(float).isna()
    return has_none & ~replicates["outcome"].isin(LOST)


def about_undefined(inputs: ReportInputs) -> Iterator[Sentence]:
    """Yield a sentence for each score that is undefined in some networks, and phase."""
    for phase in ("search", "confirm"):
        networks = inputs.replicates[inputs.replicates["phase"] == phase]
        for measure in _measures(inputs, phase):
            if measure.name in networks and networks[measure.name].notna().any():
                num = int(are_undefined(networks, measure).sum())
                if num:
                    yield _sentence(measure, phase, num, len(networks))


def _measures(inputs: ReportInputs, phase: str) -> Iterator[Measure]:
    """Yield what may be undefined and is used: the search's objective, and what the confirm phase is described by."""
    if phase == "search":
        measures = [inputs.objective]
    elif inputs.own:
        measures = [inputs.objective, *inputs.own[1:]]
    else:
        measures = [inputs.objective, *(classifier_measure(name, inputs.num_classes) for name in TEST_SCORES)]
    primary = {inputs.outcome.name, inputs.validation.name}
    seen = {each.name: each for each in measures if each.may_be_undefined and each.name not in primary}
    yield from seen.values()


def _sentence(measure: Measure, phase: str, num: int, total: int) -> Sentence:
    why = "train() gave no number" if measure.is_own else "a part with a single class has none"
    what = (
        "the mean that a trial is ranked by leaves them out"
        if phase == "search"
        else "means leave them out, and levels are not compared by it"
    )
    return Sentence(
        text=f"{capital(measure.title)} is undefined in {count(num)} of "
        f"{counted(total, 'network', 'networks')} of the {phase} phase ({why}): {what}.",
        gate=None,
        numbers={"num": num, "total": total},
    )
