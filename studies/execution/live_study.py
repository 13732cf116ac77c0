"""What the live page says of a study, from what its driver has in memory: no query, no frame."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reports.inputs.measures import Measure
from reports.pages import live_page
from reports.pages.live_page import (
    Leader,
    LiveStudy,
    OpenQuestions,
    PhaseProgress,
    Stage,
    TrainingTrial,
)
from search_spaces import Value
from studies.base.states import Phase, TrialState
from studies.base.wording import configuration, count, counted, printable
from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.run_log.looks import LookSummary
from studies.search.best_trials import rank, rank_key
from studies.search.progress import Progress, Trouble

MAX_LEADERS = 10
MAX_RUNNING = 20


def live_study(
    plan: Plan,
    progress: Progress,
    trials: Sequence[PlannedTrial],
    *,
    stage: Stage,
    as_of: datetime,
    measure: Measure,
    report: Path,
    dashboard: tuple[str, str | None] | None,
    why: str | None,
    resume_command: str,
    arguments: Sequence[str],
) -> LiveStudy:
    """Return what the page says at the moment `as_of`; safe to call in another thread than the driver's.

    `trials` are those of the queue so far, `measure` is what the search is after. `arguments` are the options with
    which other commands find the study.
    """
    leaders = _leaders(plan, trials, measure)
    running = sorted(progress.running.values(), key=lambda trial: trial.number)
    failed = sum(progress.num_ended(phase, TrialState.FAILED) for phase in Phase)

    def command(door: str) -> str:
        return printable(shlex.join(["studies", door, plan.name, *arguments]))

    return LiveStudy(
        study=printable(plan.name),
        question=printable(plan.study.question),
        stage=stage,
        as_of=as_of,
        phases=[
            PhaseProgress(name=str(phase), ended=progress.num_ended(phase), planned=progress.planned[phase])
            for phase in Phase
        ],
        trials=_counts(progress, failed),
        networks=(progress.num_networks, progress.planned_networks, progress.num_diverged),
        elapsed_seconds=progress.clock() - progress.command_started,
        seconds_left=progress.seconds_left,
        questions=_questions(progress.look),
        score=printable(measure.title),
        has_cells=bool(plan.cells),
        leaders=[make() for make in leaders[:MAX_LEADERS]],
        num_leaders=len(leaders),
        running=[
            TrainingTrial(
                number=trial.number,
                phase=str(trial.phase),
                epoch=trial.epoch,
                configuration=configuration(trial.params),
            )
            for trial in running[:MAX_RUNNING]
        ],
        num_running=len(running),
        failures=_troubles(progress.failures),
        num_failures=failed,
        losses=_troubles(progress.losses),
        num_losses=progress.num_losses,
        note=None if progress.live_note is None else printable(progress.live_note),
        dashboard=dashboard,
        report=printable(str(report)),
        reported_at=_made_at(report),
        why=None if why is None else printable(why),
        stop_command=command("stop"),
        resume_command=printable(resume_command),
        status_command=command("status"),
        show_command=command("show"),
        report_command=command("report"),
    )


def _counts(progress: Progress, failed: int) -> str:
    complete, stopped = (
        sum(progress.num_ended(phase, state) for phase in Phase)
        for state in (TrialState.COMPLETE, TrialState.PRUNED)
    )
    return f"{count(complete)} complete, {count(stopped)} stopped early, {count(failed)} failed"


def _questions(look: LookSummary | None) -> OpenQuestions | None:
    if look is None:
        return None
    goes_on = None
    if look.open and look.next_blocks is not None:
        cells = counted(look.num_cells, "cell")
        are = "is" if look.num_cells == 1 else "are"
        goes_on = f"For the open ones {cells} {are} trained on, to {look.next_blocks} blocks."
    answered = f"{count(len(look.closed))} of {counted(look.num_questions, 'question')} answered"
    return OpenQuestions(
        after=f"After look {look.look} of {look.num_looks}, at {counted(look.num_blocks, 'block')}: {answered}.",
        answered=tuple(map(printable, look.closed)),
        open=tuple(map(printable, look.open)),
        withheld=tuple(map(printable, look.withheld)),
        unresolved=tuple(map(printable, look.unresolved)),
        goes_on=goes_on,
    )


def _leaders(plan: Plan, trials: Iterable[PlannedTrial], measure: Measure) -> list[Callable[[], Leader]]:
    """Return what makes each leader, best first: only those that are shown need words."""
    mode, trials = str(plan.study.direction), list(trials)
    search = [trial for trial in trials if trial.phase is Phase.SEARCH]
    confirm = [trial for trial in trials if trial.phase is Phase.CONFIRM and trial.look == 0]
    if not plan.cells:
        scores = [(trial.params, trial.objective) for trial in confirm if trial.state is TrialState.COMPLETE]

        def again(trial: PlannedTrial) -> float | None:
            return next((score for params, score in scores if dict(params) == dict(trial.params)), None)

        return [
            lambda trial=trial: _leader(trial, measure, confirmed=again(trial))  # type: ignore[misc]
            for trial in rank(search, mode=mode)
        ]
    best: dict[int, PlannedTrial] = {}
    for trial in search:
        if trial.cell is None or trial.objective is None or trial.state is TrialState.FAILED:
            continue
        leading = best.get(trial.cell.number)
        if leading is None or rank_key(trial, mode=mode) < rank_key(leading, mode=mode):
            best[trial.cell.number] = trial
    by_cell = {
        trial.cell.number: trial.objective
        for trial in confirm
        if trial.cell is not None and trial.state is TrialState.COMPLETE
    }
    return [
        lambda trial=trial: _leader(trial, measure, confirmed=by_cell.get(trial.cell.number))  # type: ignore[misc]
        for trial in sorted(best.values(), key=lambda trial: rank_key(trial, mode=mode))
    ]


def _leader(trial: PlannedTrial, measure: Measure, *, confirmed: float | None) -> Leader:
    levels: Mapping[str, Value] = trial.params if trial.cell is None else trial.cell.levels
    tuned = {name: value for name, value in trial.params.items() if name not in levels}
    return Leader(
        name=configuration(levels),
        tuned=configuration(tuned),
        score=_score(measure, trial.objective),
        epoch=trial.rung,
        confirmed=None if confirmed is None else _score(measure, confirmed),
    )


def _score(measure: Measure, value: float | None) -> str:
    return printable(
        measure.failing.partition(" (")[0] if measure.is_failure(value) else measure.value(value)
    )


def _troubles(troubles: Sequence[Trouble]) -> list[live_page.Trouble]:
    return [live_page.Trouble(number=each.number, words=printable(each.words)) for each in list(troubles)]


def _made_at(report: Path) -> datetime | None:
    """Return when the report that lies there was made, None where there is none."""
    try:
        return datetime.fromtimestamp(report.stat().st_mtime, UTC)
    except OSError:
        return None
