"""The progress of a study as the screens show it, taken from a running driver or from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.inputs.measures import Measure, objective_of
from studies.base.states import Phase, TrialState
from studies.database.rows import StudyRow, TrialRow
from studies.planning.plan_size import PlanSize
from studies.search.best_trials import best_complete
from studies.search.progress import Best, Progress, RunningTrial


@dataclass(frozen=True, kw_only=True)
class ProgressSnapshot:
    """Counts of ended trials and their networks, the running trials, and the best one.

    `elapsed_seconds` is the time of this run; `seconds_left` is None while no pace is known.
    """

    name: str
    question: str
    objective: Measure
    planned: Mapping[Phase, int]
    ended: Mapping[Phase, Mapping[TrialState, int]]
    num_networks: int
    planned_networks: int
    num_diverged: int
    running: Sequence[RunningTrial] = ()
    best: Best | None = None
    elapsed_seconds: float | None = None
    seconds_left: float | None = None
    note: str | None = None

    def num_ended(self, phase: Phase) -> int:
        """Return how many trials of a phase have ended, in any state."""
        return sum(self.ended[phase].get(state, 0) for state in TrialState if state.has_ended)

    def total(self, state: TrialState) -> int:
        """Return how many trials of both phases are in a state."""
        return sum(self.ended[phase].get(state, 0) for phase in Phase)


def from_progress(
    progress: Progress, *, name: str, question: str, objective: Measure, elapsed_seconds: float
) -> ProgressSnapshot:
    """Return a snapshot of a driver's progress; safe to call in another thread than the driver's."""
    return ProgressSnapshot(
        name=name,
        question=question,
        objective=objective,
        planned=dict(progress.planned),
        ended={phase: dict(counts) for phase, counts in progress.ended.items()},
        num_networks=progress.num_networks,
        planned_networks=progress.planned_networks,
        num_diverged=progress.num_diverged,
        running=tuple(progress.running.values()),
        best=progress.best,
        elapsed_seconds=elapsed_seconds,
        seconds_left=progress.seconds_left,
        note=progress.note,
    )


def from_record(
    study: StudyRow,
    trials: Sequence[TrialRow],
    *,
    num_networks: int,
    num_diverged: int,
    num_classes: int | None = None,
) -> ProgressSnapshot:
    """Return a snapshot from the rows of a study; `num_classes` is that of its data, for the score of guessing."""
    states = [(trial.phase, trial.state) for trial in trials]
    objective = objective_of(study.plan, num_classes)
    size = PlanSize.of_record(study.plan)
    best = best_complete(trials, mode=objective.direction)
    return ProgressSnapshot(
        name=study.name,
        question=study.question,
        objective=objective,
        planned=size.trials,
        ended={phase: {state: states.count((phase, state)) for state in TrialState} for phase in Phase},
        num_networks=num_networks,
        planned_networks=size.num_networks,
        num_diverged=num_diverged,
        running=[
            RunningTrial(number=trial.number, phase=trial.phase, params=trial.params, epoch=trial.epochs)
            for trial in trials
            if trial.state is TrialState.RUNNING
        ],
        best=None
        if best is None or best.objective is None
        else Best(number=best.number, objective=best.objective, params=best.params),
    )
