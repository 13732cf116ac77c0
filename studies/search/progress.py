"""Progress of a study as its driver counts it, for the terminal."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from search_spaces import Value
from studies.base.states import Outcome, Phase, TrialState
from studies.base.wording import error_line
from studies.database.rows import TrialsSoFar
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.planning.trial_numbers import Numbering
from studies.run_log.log_file import RunLog
from studies.run_log.looks import LookSummary
from trainables.base.records import TrialReport


@dataclass(frozen=True, kw_only=True)
class RunningTrial:
    """A trial in a worker, its last reported epoch, and the epoch that its attempt resumed from."""

    number: int
    phase: Phase
    params: Mapping[str, Value]
    epoch: int = 0
    began_after: int = 0


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best trial of the search so far."""

    number: int
    objective: float
    params: Mapping[str, Value]


MAX_TOLD = 20
"""Of how many trials that failed, and of how many lost workers, the words are kept; all are counted."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A trial that failed, or whose worker was lost, and what happened in one line."""

    number: int
    words: str


def best_of(trial: PlannedTrial | None) -> Best | None:
    """Return the best search trial for display, None while none has a result."""
    if trial is None or trial.objective is None:
        return None
    return Best(number=trial.number, objective=trial.objective, params=trial.params)


@dataclass(kw_only=True)
class Progress:
    """Counts of one run: `planned` trials by phase; `ended` by phase and state, earlier runs included.

    `command_started` is the clock's value when the command began, `startup_seconds` the time from then to the first
    trained epoch (None until that is reported). `num_classes` is the dataset's, from which the score of guessing
    follows.
    """

    planned: dict[Phase, int]
    planned_networks: int
    expected_network_epochs: float
    ended: dict[Phase, dict[TrialState, int]] = field(
        default_factory=lambda: {phase: dict.fromkeys(TrialState, 0) for phase in Phase}
    )
    running: dict[int, RunningTrial] = field(default_factory=dict)
    best: Best | None = None
    num_networks: int = 0
    num_diverged: int = 0
    network_epochs: int = 0
    resumed_network_epochs: int = 0
    busy_seconds: float = 0.0
    measuring_seconds: float = 0.0
    recording_seconds: float = 0.0
    num_classes: int | None = None
    command_started: float = field(default_factory=time.monotonic)
    startup_seconds: float | None = None
    training_started: float | None = None
    look: LookSummary | None = None
    """How the questions stood after the last look."""
    note: str | None = None
    waiting: str | None = None
    """What of the cluster the run waits for, None where it waits for nothing."""
    sharing: str | None = None
    """The part of the cluster that the study has beside others, None while it has the cluster alone."""
    failures: list[Trouble] = field(default_factory=list)
    """The first trials that failed, earlier runs included."""
    losses: list[Trouble] = field(default_factory=list)
    """The latest workers that this run lost."""
    num_losses: int = 0
    live_page: Path | None = None
    """The page that tells how the run goes, None where none is written."""
    page_problem: str | None = None
    """What kept that page from being written the last time."""
    cluster_problem: str | None = None
    """What is wrong with the cluster that the run waits for, None where nothing is."""
    log: RunLog | None = None
    """The run's log, to which progress goes in plain lines, whatever else shows it."""
    clock: Callable[[], float] = time.monotonic

    def begin(self, trial: PlannedTrial, *, epoch: int, replicates: int) -> None:
        """Record that an attempt at a trial starts, which continues after `epoch`."""
        if self.training_started is None:
            self.training_started = self.clock()
        self.running[trial.number] = RunningTrial(
            number=trial.number, phase=trial.phase, params=trial.params, epoch=epoch, began_after=epoch
        )
        self.network_epochs += epoch * replicates
        self.resumed_network_epochs += epoch * replicates

    def advance(self, trial: PlannedTrial, report: TrialReport, state: TrialState | None) -> None:
        """Record a trial's report; `state` is its final state, or None while it goes on."""
        before = self.running.pop(trial.number, None)  # None if the trial failed before a worker started it
        self.busy_seconds += report.busy_seconds
        if self.startup_seconds is None and report.first_epoch_seconds is not None:
            since_then = report.busy_seconds - report.first_epoch_seconds
            self.startup_seconds = self.clock() - since_then - self.command_started
        self.measuring_seconds += report.measuring_seconds
        if before is not None and report.error is None:
            self.network_epochs += (report.epoch - before.epoch) * len(report.replicates)
            if state is None:
                self.running[trial.number] = replace(before, epoch=report.epoch)
        if state is None:
            return
        self.ended[trial.phase][state] += 1
        if state is TrialState.FAILED and len(self.failures) < MAX_TOLD:
            self.failures.append(Trouble(number=trial.number, words=error_line(report.error)))
        self.num_networks += len(report.replicates)
        self.num_diverged += sum(record.outcome is Outcome.DIVERGED for record in report.replicates)

    def lose(self, number: int, *, replicates: int, why: str = "") -> None:
        """Record that a trial's worker was lost: its epochs are no longer counted, as they are trained again."""
        self.num_losses += 1
        self.losses = [*self.losses, Trouble(number=number, words=error_line(why))][-MAX_TOLD:]
        lost = self.running.pop(number, None)
        if lost is not None:
            self.network_epochs -= lost.epoch * replicates
            self.resumed_network_epochs -= lost.began_after * replicates

    def open_look(self, plan: Plan, num_cells: int, *, look: int) -> None:
        """Count the trials of a later look, from 0, as planned: one for each of so many cells."""
        networks = num_cells * plan.num_replicates(look)
        self.planned = {**self.planned, Phase.CONFIRM: self.planned[Phase.CONFIRM] + num_cells}
        self.planned_networks += networks
        self.expected_network_epochs += networks * plan.study.confirm.epochs

    def num_ended(self, phase: Phase, *states: TrialState) -> int:
        """Return how many trials of a phase ended, in one of `states` if any are named."""
        counts = self.ended[phase]
        return sum(counts[state] for state in states) if states else sum(counts.values())

    @property
    def told_note(self) -> str | None:
        """Return what a reader is told beside the progress, None where there is nothing."""
        return "; ".join(filter(None, [self.run_note, self.page_problem])) or None

    @property
    def run_note(self) -> str | None:
        """Return what is told of the run itself, None where there is nothing."""
        told = [self.cluster_problem, self.sharing, self.waiting, self.note]
        return "; ".join(filter(None, told)) or None

    @property
    def seconds_left(self) -> float | None:
        """Return the expected time left in seconds, from the pace of this run; None before there is one."""
        done = self.network_epochs - self.resumed_network_epochs
        if self.training_started is None or done <= 0:
            return None
        pace = (self.clock() - self.training_started) / done
        return max(0.0, self.expected_network_epochs - self.network_epochs) * pace


def planned_progress(
    plan: Plan,
    trials: TrialsSoFar,
    *,
    later_looks: Sequence[Collection[int]] = (),
    num_networks: int,
    num_diverged: int,
) -> Progress:
    """Return the progress of a study, counted from its trials.

    `later_looks` are the cells that each look after the first trains, for those that have begun. `num_networks` and
    `num_diverged` are those of ended trials.
    """
    part, numbering = plan.up_to_look(1), Numbering.of(plan)
    progress = Progress(
        planned={Phase.SEARCH: part.num_search_trials, Phase.CONFIRM: part.num_confirm_trials},
        planned_networks=part.num_networks,
        expected_network_epochs=part.expected_network_epochs,
        num_networks=num_networks,
        num_diverged=num_diverged,
    )
    for look, cells in enumerate(later_looks, start=1):
        progress.open_look(plan, len(cells), look=look)
    for phase, counts in trials.counts.items():
        progress.ended[phase] |= {state: amount for state, amount in counts.items() if state.has_ended}
    progress.network_epochs = trials.search_epochs * plan.num_replicates(0) + sum(
        trial.epochs * plan.num_replicates(numbering.look(trial.number))
        for trial in trials.confirm
        if trial.state.has_ended
    )
    progress.resumed_network_epochs = progress.network_epochs
    progress.failures = [
        Trouble(number=trial.number, words=error_line(trial.error)) for trial in trials.failed[:MAX_TOLD]
    ]
    return progress
