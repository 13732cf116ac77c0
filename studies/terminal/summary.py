"""A plan's sizes and predicted time, as plain data and as lines to read before it runs."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reports.inputs.early_stopping import stops_early
from studies.definition.plan_versions import older_rules
from studies.forecast.forecast import LaterLooks, Prediction
from studies.forecast.network_sizes import NetworkSizes
from studies.planning.plan import Plan
from studies.terminal.columns import column_rows

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset


def plan_summary(
    plan: Plan,
    prediction: Prediction,
    given_up: Sequence[str] = (),
    *,
    gpu_share: str | None = None,
    dataset: "Dataset | None" = None,
    sizes: NetworkSizes | None = None,
) -> dict[str, Any]:
    """Return a plan's name, hash, sizes, prediction and content as plain data.

    `stops_early` says whether networks may stop before the last epoch, so that epochs and times are upper limits;
    `given_up` lists what was cut to fit a budget, warnings and notes; `gpu_share` is the part of a GPU that a trial
    needs, if known; `older_rules` names the rules of a study recorded under an earlier plan version; `columns` are
    those of a user's own table; `data_notes` are the decisions made while the data was read; `parameters` are the
    fewest and the most of a network, `layers` those of the largest one, null for a user's own train().
    `expected_network_epochs` uses the mean number of trials that ASHA keeps. Of a plan with several looks
    `confirm_trials`, `trials`, `networks` and the expected epochs are those up to the first; `most_more_networks` is
    what the later ones may add, and `max_network_epochs` includes it.
    """
    study, first = plan.study, plan.up_to_look(1)
    return {
        "study": plan.name,
        "question": study.question,
        "plan_hash": plan.hash,
        "cells": len(plan.cells),
        "search_trials": plan.num_search_trials,
        "confirm_trials": first.num_confirm_trials,
        "trials": first.size.num_trials,
        "replicates": study.replicates,
        "networks": first.num_networks,
        "most_more_networks": plan.size.most_more,
        "rungs": list(study.search.rungs),
        "epochs": study.confirm.epochs,
        "max_network_epochs": first.max_network_epochs + plan.size.most_more * study.confirm.epochs,
        "expected_network_epochs": round(first.expected_network_epochs),
        "prediction": {
            **_predicted(prediction),
            "source": prediction.source,
            "later_looks": None if prediction.later is None else _later(prediction.later),
            "alternatives": [_predicted(other) for other in prediction.alternatives],
        },
        "stops_early": stops_early(plan.to_dict()),
        "given_up": list(given_up),
        "gpu_share": gpu_share,
        "older_rules": older_rules(plan.to_dict()),
        "columns": [] if dataset is None else column_rows(dataset.columns),
        "data_notes": [] if dataset is None else list(dataset.notes),
        "parameters": None if sizes is None else [sizes.fewest, sizes.most],
        "layers": None if sizes is None else sizes.layers,
        "plan": plan.to_dict(),
    }


def _predicted(prediction: Prediction) -> dict[str, Any]:
    widths = {name: round(width, 4) for name, width in prediction.half_widths.items() if math.isfinite(width)}
    return {
        "replicates": prediction.replicates,
        "seconds": round(prediction.seconds),
        "interval_half_width": widths,
    }


def _later(later: LaterLooks) -> dict[str, Any]:
    """Return what later looks may come to; differences are in smallest effects, chances are by each of the looks."""
    return {
        "looks": list(later.looks),
        "most_networks": later.most_networks,
        "most_seconds": round(later.most_seconds),
        "expected_networks": [
            {"true_difference": difference, "networks": round(networks, 1)}
            for difference, networks in later.expected_networks.items()
        ],
        "questions": [
            {
                "factor": question.factor,
                "level_a": question.level_a,
                "level_b": question.level_b,
                "spread": spread,
                "chances": [
                    {
                        "true_difference": difference,
                        "closed_by_look": [round(chance, 4) for chance in by_question[question]],
                    }
                    for difference, by_question in later.chances.items()
                ],
            }
            for question, spread in later.spreads.items()
        ],
    }
