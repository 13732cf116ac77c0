"""The progress of a study as the screens show it, taken from a running driver or from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.inputs.measures import Measure, objective_of
from studies.base.states import Phase, TrialState
from studies.database.rows import EventRow, StudyRow, TrialsSoFar
from studies.planning.plan import Plan
from studies.run_log import looks
from studies.run_log.looks import LookSummary
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
    look: LookSummary | None = None
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
        look=progress.look,
        note=progress.told_note,
    )


def from_record(
    study: StudyRow,
    trials: TrialsSoFar,
    *,
    num_networks: int,
    num_diverged: int,
    num_classes: int | None = None,
    events: Sequence[EventRow] = (),
) -> ProgressSnapshot:
    """Return a snapshot from the trials of a study; `num_classes` is that of its data, for the score of guessing.

    What is planned are the search, the first look, and the later looks that have begun, as the `events` decided them.
    """
    plan = Plan.from_dict(study.name, study.plan)
    _, *later = looks.cells_by_look(plan, trials.confirm, events)
    num_confirm = plan.up_to_look(1).num_confirm_trials + sum(map(len, later))
    added = sum(len(cells) * plan.num_replicates(look) for look, cells in enumerate(later, start=1))
    objective, best = objective_of(study.plan, num_classes), trials.best
    return ProgressSnapshot(
        name=study.name,
        question=study.question,
        objective=objective,
        planned={Phase.SEARCH: plan.num_search_trials, Phase.CONFIRM: num_confirm},
        ended=trials.counts,
        num_networks=num_networks,
        planned_networks=plan.up_to_look(1).num_networks + added,
        num_diverged=num_diverged,
        look=looks.summary(plan, looks.decisions(events)),
        running=[
            RunningTrial(number=trial.number, phase=trial.phase, params=trial.params, epoch=trial.epochs)
            for trial in trials.running
        ],
        best=None
        if best is None or best.objective is None
        else Best(number=best.number, objective=best.objective, params=best.params),
    )
