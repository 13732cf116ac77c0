"""The page of `studies show NAME`: the plan, and the confirm phase's results as one table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table

from reports.inputs.measures import Measure, own_measures
from reports.wording.words import factor_name, number
from studies.base.states import Phase, TrialState
from studies.base.wording import configuration, count, counted, level, moment, trial_state
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.plan_versions import older_rules
from studies.planning.plan_size import PlanSize
from studies.results.made_report import MadeReport, find_report
from studies.storage.paths import Locations
from studies.storage.remembered import found_folder
from studies.terminal.confirmed import Confirmed, confirmed, read_trials
from studies.terminal.output import heading, text
from studies.terminal.plan_page import plan_page
from trainables.base.metrics import TEST, VALIDATION


@dataclass(frozen=True, kw_only=True)
class Results:
    """A study, the number of ended search trials, its confirmed configurations, its folder and report if it has one."""

    study: StudyRow
    folder: Path | None
    report: MadeReport | None
    num_searched: int
    confirmed: Sequence[Confirmed]


def read_results(store: Store, study: StudyRow, locations: Locations) -> Results:
    """Read the results of a study so far."""
    trials, replicates = read_trials(store, study)
    searched = [amount for state, amount in trials.counts[Phase.SEARCH].items() if state.has_ended]
    folder = found_folder(study, locations)
    return Results(
        study=study,
        folder=folder,
        report=None if folder is None else find_report(folder, study),
        num_searched=sum(searched),
        confirmed=confirmed(store, study, trials, replicates),
    )


def study_page(results: Results) -> RenderableType:
    """Return the whole page."""
    study = results.study
    return Group(
        plan_page(study, results.folder),
        *_answer(results),
        heading(f"Results ({study.state})"),
        *_found(results),
    )


def as_json(results: Results) -> dict[str, Any]:
    """Return the plan, the report's verdict and the results as JSON data: losses in nats, accuracies as fractions.

    `verdict` is null without a report; `is_current` says whether nothing was recorded after the report was made.
    """
    study = results.study
    return {
        "study": study.name,
        "question": study.question,
        "state": study.state,
        "created_at": study.created_at.isoformat(),
        "plan_hash": study.plan_hash,
        "plan": study.plan,
        "older_rules": older_rules(study.plan),
        "folder": None if results.folder is None else str(results.folder),
        "verdict": None if results.report is None else _verdict_json(results.report),
        "results": [asdict(result) for result in results.confirmed],
    }


def _answer(results: Results) -> list[RenderableType]:
    """Return the verdict and its facts as the report has them, and how to make the report if it is missing or old."""
    report, command = results.report, f"studies report {results.study.name}"
    if report is None:
        if not any(each.num_networks for each in results.confirmed):
            return []
        return [heading("Answer"), text(f"In the report, which is not here: {command}", "dim")]
    lines: list[RenderableType] = [heading("Answer"), text(report.verdict.sentence)]
    if report.verdict.facts:
        facts = Table.grid(padding=(0, 1))
        for fact in report.verdict.facts:
            facts.add_row("-", text(fact))
        lines.append(facts)
    if not report.is_current:
        since = f"As of {moment(report.made_at)}; more has been recorded since, make it again: {command}"
        lines.append(text(since, "dim"))
    return lines


def _verdict_json(report: MadeReport) -> dict[str, Any]:
    verdict = report.verdict
    return {
        "sentence": verdict.sentence,
        "facts": list(verdict.facts),
        "status": verdict.status,
        "made_at": report.made_at.isoformat(),
        "is_current": report.is_current,
    }


def _found(results: Results) -> list[RenderableType]:
    study = results.study
    if not any(each.num_networks for each in results.confirmed):
        planned = counted(PlanSize.of_record(study.plan).trials[Phase.SEARCH], "trial")
        so_far = f"{count(results.num_searched)} of {planned} of the search have ended"
        return [
            text(f"None yet: {so_far}; what it chooses is trained again with fresh seeds and shown here.")
        ]
    return [
        _Table(results.confirmed, own_measures(study.plan)),
        "",
        text(_legend(study, results.confirmed), "dim"),
    ]


class _Table:
    """The results, with a column for each hyperparameter or, where that is too wide, one for the configuration."""

    def __init__(self, results: Sequence[Confirmed], own: Sequence[Measure]) -> None:
        self._results, self._own = results, own

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = _table(self._results, self._own, has_columns=True)
        fits = Measurement.get(console, options.update(width=1000), wide).maximum <= options.max_width
        yield wide if fits else _table(self._results, self._own, has_columns=False)


def _table(results: Sequence[Confirmed], own: Sequence[Measure], *, has_columns: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", collapse_padding=True)
    has_cells = results[0].cell is not None
    table.add_column("", no_wrap=True)
    table.add_column("cell" if has_cells else "trial", justify="right", no_wrap=True, vertical="bottom")
    names = list(results[0].params)
    for name in names if has_columns else ["configuration"]:
        is_number = has_columns and _is_number(results, name)
        table.add_column("\n".join(factor_name(name).split()), justify="right" if is_number else "left")
    scores = ["val.\nloss", "test\nloss", "val.\nacc.", "test\nacc."]
    if own:
        scores = [f"{part}\n{each.kind}" for each in own for part in ("val.", "test")]
    for title in (*scores, "di-\nverged"):
        table.add_column(title, justify="right", no_wrap=True)
    for result in results:
        mark = "*" if result.is_best else "d" if result.is_default else ""
        what = (
            [level(result.params[name]) for name in names] if has_columns else [configuration(result.params)]
        )
        style = "bold" if result.is_best else ""
        place = result.cell if has_cells else result.trials[0]
        table.add_row(mark, str(place), *what, *_scores(result, own), style=style)
    return table


def _scores(result: Confirmed, own: Sequence[Measure]) -> list[str]:
    if not result.num_networks:
        return [trial_state(result.state), *[""] * (2 * len(own) or 4)]
    accuracies = [
        number(None if each is None else 100 * each, 1)
        for each in (result.val_accuracy, result.test_accuracy)
    ]
    lost = f"{result.num_diverged}" if result.state is not TrialState.FAILED else "failed"
    if own:
        names = [part + each.name.removeprefix(TEST) for each in own for part in (VALIDATION, TEST)]
        return [*(number(result.scores[name]) for name in names), lost]
    return [number(result.val_loss), number(result.test_loss), *accuracies, lost]


def _is_number(results: Sequence[Confirmed], name: str) -> bool:
    values = [result.params[name] for result in results]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _units(study: StudyRow) -> str:
    """Return the scores' units and whether lower or higher is better."""
    own = own_measures(study.plan)
    if not own:
        return "Losses are log-losses in nats (lower is better), accuracies are in %"
    parts = [
        f"{each.kind}{f' is in {each.unit}' if each.unit else ''} "
        f"({'lower' if each.lower_is_better else 'higher'} is better)"
        for each in own
    ]
    return ", ".join(parts)


def _any_without_scores(results: Sequence[Confirmed]) -> bool:
    return any(result.num_networks and result.num_diverged == result.num_networks for result in results)


def _legend(study: StudyRow, results: Sequence[Confirmed]) -> str:
    networks = counted(max(result.num_networks for result in results), "network")
    lines = [
        f"Each row is a configuration trained again with fresh seeds, its scores means over {networks}. "
        f"{_units(study)}; val. is the validation part. "
        f"A network that diverged or failed scores as {'the plan says' if own_measures(study.plan) else 'guessing'}"
        f"{', and where all did there is no score' if _any_without_scores(results) else ''}."
    ]
    if any(result.is_best for result in results):
        lines.append(
            "* chosen as best in the search" if study.plan["search"]["trials"] is None else "* best found"
        )
    if any(result.is_default for result in results):
        lines.append("d the stated default, for comparison")
    return "\n".join(
        [*lines, f"One trial in detail: studies show {study.name} --trial {results[0].trials[0]}"]
    )
