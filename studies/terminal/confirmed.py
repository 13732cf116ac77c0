"""The confirm phase's results of a study, one for each trial in it, read from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studies import runs
from studies.database import frames
from studies.database.rows import StudyRow, TrialRow
from studies.database.states import Outcome, Phase, TrialState
from studies.database.store import Store
from studies.terminal.standing import best_search_trial

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A confirmed configuration: means over its networks, None before it has ended.

    Losses in nats, accuracies as fractions; a network that diverged or failed scores as guessing. `is_best` marks the
    configuration that the study recommends, `is_default` the stated default of a study without cells.
    """

    trial: int
    cell: int | None
    params: Mapping[str, Any]
    state: TrialState
    num_networks: int
    num_diverged: int
    val_loss: float | None
    test_loss: float | None
    val_accuracy: float | None
    test_accuracy: float | None
    is_best: bool
    is_default: bool


def confirmed(
    store: Store, study: StudyRow, trials: Sequence[TrialRow], replicates: "pd.DataFrame"
) -> list[Confirmed]:
    """Return the confirm phase's trials in order, with the scores of those that have ended."""
    in_phase = [trial for trial in trials if trial.phase is Phase.CONFIRM]
    if not in_phase:
        return []
    scores = _scores(replicates, _num_classes(store.events(study.id)))
    lost = replicates[replicates["outcome"] == Outcome.DIVERGED].groupby("trial_number").size()
    best = _best(study.plan, trials, scores)
    return [
        Confirmed(
            trial=trial.number,
            cell=trial.cell,
            params=trial.params,
            state=trial.state,
            num_networks=int((replicates["trial_number"] == trial.number).sum()),
            num_diverged=int(lost.get(trial.number, 0)),
            is_best=trial.number == best,
            is_default=_is_default(trial, study.plan),
            **scores.get(trial.number, dict.fromkeys(_SCORES)),
        )
        for trial in in_phase
    ]


def read_trials(store: Store, study: StudyRow) -> "tuple[list[TrialRow], pd.DataFrame]":
    """Return a study's trials and the networks of those that have ended."""
    # In this order: networks of a trial that ends in between are there already, and none of an ended one is missed.
    return store.trials(study.id), frames.replicates(store, study.id)


_SCORES = ("val_loss", "test_loss", "val_accuracy", "test_accuracy")


def _scores(replicates: "pd.DataFrame", num_classes: int) -> dict[int, dict[str, float | None]]:
    """Return the mean scores of each trial of the confirm phase, as the report scores networks."""
    from reports.outcomes import contrast_rows  # pandas takes half a second

    rows = contrast_rows(replicates, {}, num_classes).groupby("trial_number")
    columns = ["val_loss", "test_loss", "val_error", "test_error"]
    return {
        int(str(number)): {
            "val_loss": float(row["val_loss"]),
            "test_loss": float(row["test_loss"]),
            "val_accuracy": 1 - float(row["val_error"]),
            "test_accuracy": 1 - float(row["test_error"]),
        }
        for number, row in rows[columns].mean().iterrows()
    }


def _num_classes(events: Sequence[Any]) -> int:
    """Return the number of classes of the data that the study was run on."""
    return int(runs.started_with(events)[-1]["dataset"]["num_classes"])


def _best(
    plan: Mapping[str, Any], trials: Sequence[TrialRow], scores: Mapping[int, Mapping[str, float | None]]
) -> int | None:
    """Return the trial of the best configuration.

    With cells that of the cell whose search trial is best, without the lowest validation loss, the default apart.
    """
    in_phase = [trial for trial in trials if trial.phase is Phase.CONFIRM]
    if plan["search"]["trials"] is None:
        best = best_search_trial(trials, plan["objective"])
        cell = None if best is None else best.cell
        return next((trial.number for trial in in_phase if trial.cell == cell), None)
    ranked = [
        (scores[trial.number]["val_loss"] or 0.0, trial.number)
        for trial in in_phase
        if trial.number in scores and not _is_default(trial, plan)
    ]
    return min(ranked)[1] if ranked else None


def _is_default(trial: TrialRow, plan: Mapping[str, Any]) -> bool:
    default: Mapping[str, Any] = plan["confirm"]["default"]
    return bool(default) and all(trial.params.get(name, value) == value for name, value in default.items())
