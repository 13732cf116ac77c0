"""The confirm phase's results of a study by configuration, read from the database."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.inputs.measures import Measure, classifier_measure, objective_of, own_measures
from studies.base.states import Outcome, Phase, TrialState
from studies.database.frames import frames
from studies.database.rows import StudyRow, TrialRow, TrialsSoFar
from studies.database.store import Store
from studies.run_log import run_events
from trainables.base.metrics import TEST, VALIDATION

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A confirmed configuration, trained in one trial per look; scores are means over its networks.

    From plan version 4 on they are those of the first look, as in the report: later looks train some cells only.

    They are None before a network has ended, and if all of them diverged or failed; otherwise a network that diverged
    or failed scores as guessing. Losses are in nats, accuracies fractions. `objective` is the search's objective as
    measured in the confirm phase; `scores` are the metrics that the plan declares, if it does. `is_best` marks the
    configuration that the study recommends, `is_default` the stated default of a study without cells.
    """

    trials: Sequence[int]
    cell: int | None
    params: Mapping[str, Any]
    state: TrialState
    num_networks: int
    num_diverged: int
    objective: float | None
    val_loss: float | None
    test_loss: float | None
    val_accuracy: float | None
    test_accuracy: float | None
    scores: Mapping[str, float | None]
    is_best: bool
    is_default: bool


def confirmed(
    store: Store, study: StudyRow, trials: TrialsSoFar, replicates: "pd.DataFrame"
) -> list[Confirmed]:
    """Return the confirmed configurations in order; those without an ended network have no scores."""
    groups = _by_configuration(trials.confirm)
    if not groups:
        return []
    num_classes = _num_classes(store.events(study.id))
    scores = _scores(replicates, groups, num_classes, study.plan)
    best = _best(study.plan, trials.best, groups, scores)
    return [
        Confirmed(
            trials=[trial.number for trial in group],
            cell=group[0].cell,
            params=group[0].params,
            state=next(
                (trial.state for trial in group if trial.state is not TrialState.COMPLETE), group[0].state
            ),
            is_best=key == best,
            is_default=_is_default(group[0], study.plan),
            **scores[key],
        )
        for key, group in groups.items()
    ]


def read_trials(store: Store, study: StudyRow) -> "tuple[TrialsSoFar, pd.DataFrame]":
    """Return how a study's trials stand, and the networks of the confirm trials that have ended."""
    # Read in this order, so that no network of an ended trial is missed.
    trials = store.trials_so_far(study.id, mode=objective_of(study.plan).direction)
    return trials, frames.replicates(store, study.id, Phase.CONFIRM)


_Groups = Mapping[int, Sequence[TrialRow]]
"""The confirm phase's trials by cell; without cells by trial number."""


def _by_configuration(confirm: Sequence[TrialRow]) -> _Groups:
    groups: dict[int, list[TrialRow]] = {}
    for trial in confirm:
        groups.setdefault(trial.number if trial.cell is None else trial.cell, []).append(trial)
    return groups


def _scores(
    replicates: "pd.DataFrame", groups: _Groups, num_classes: int, plan: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    """Return counts and mean scores of each configuration, scored as in the report."""
    # Imported here, because pandas takes half a second to import.
    from reports.results.looks import trains_until_clear
    from reports.results.outcomes import contrast_rows

    key_of = {
        trial.number: key
        for key, group in groups.items()
        for trial in (group[:1] if trains_until_clear(plan) else group)
    }
    objective, own = objective_of(plan, num_classes), own_measures(plan)
    rows = contrast_rows(replicates, {}, num_classes, objective, own)
    by_key = dict(iter(rows.groupby(rows["trial_number"].map(key_of))))
    return {key: _score(by_key.get(key, rows.iloc[:0]), objective, own, num_classes) for key in groups}


def _score(
    rows: "pd.DataFrame", objective: Measure, own: Sequence[Measure], num_classes: int
) -> dict[str, Any]:
    from reports.results.outcomes import is_measured

    def mean(column: str, failure: float = math.nan) -> float | None:
        found = len(rows) and column in rows and is_measured(rows, column, failure)
        return float(rows[column].mean()) if found else None

    val_error, test_error = mean("val_error"), mean("test_error")
    chance = math.nan if own else classifier_measure("val_loss", num_classes).failure
    return {
        "num_networks": len(rows),
        "num_diverged": int((rows["outcome"] == Outcome.DIVERGED).sum()),
        "objective": mean(objective.name, objective.failure),
        "scores": {
            name: mean(name, each.failure)
            for each in own
            for name in (part + each.name.removeprefix(TEST) for part in (VALIDATION, TEST))
            if len(rows)
        },
        "val_loss": mean("val_loss", chance),
        "test_loss": mean("test_loss", chance),
        "val_accuracy": None if val_error is None else 1 - val_error,
        "test_accuracy": None if test_error is None else 1 - test_error,
    }


def _num_classes(events: Sequence[Any]) -> int:
    """Return the number of classes of the data that the study was run on."""
    return int(run_events.started_with(events)[-1]["dataset"]["num_classes"])


def _best(
    plan: Mapping[str, Any],
    best: TrialRow | None,
    groups: _Groups,
    scores: Mapping[int, Mapping[str, Any]],
) -> int | None:
    """Return the key of the best configuration, None if there is none.

    With cells it is the cell of `best`, the best search trial, without cells the best objective, the default excluded.
    """
    objective = objective_of(plan)
    if plan["search"]["trials"] is None:
        return None if best is None else best.cell
    ranked = [
        (scores[key]["objective"] is None, objective.sign * (scores[key]["objective"] or 0.0), key)
        for key, group in groups.items()
        if scores[key]["objective"] is not None and not _is_default(group[0], plan)
    ]
    return min(ranked)[-1] if ranked else None


def _is_default(trial: TrialRow, plan: Mapping[str, Any]) -> bool:
    default: Mapping[str, Any] = plan["confirm"]["default"]
    return bool(default) and all(trial.params.get(name, value) == value for name, value in default.items())
