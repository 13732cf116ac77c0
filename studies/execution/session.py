"""Runs a study from request to report: validation, registration, training and the answer."""

import importlib
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.base.durations import parse_budget
from studies.base.errors import StudiesError, UsageError, disk_error
from studies.base.states import StudyState, TrialState, Until
from studies.base.steps import Tell, silent
from studies.base.stop_signal import (
    AGAIN,
    RunInterruptedError,
    RunKilledError,
    handling_signals,
    never_broken_off,
)
from studies.base.wording import configuration, error_line
from studies.cluster.node_check import Asked
from studies.database.draining import drain
from studies.database.engines.problems import OutageError
from studies.database.lease import Lease
from studies.database.retry import retry
from studies.database.rows import StudyRow
from studies.database.spool_problems import SpoolError
from studies.database.store import Store
from studies.execution import run_files
from studies.execution.driver import Begun, Run, Show, Starting, train
from studies.execution.listing import tell_listing
from studies.execution.live_page import finish_page
from studies.execution.older_studies import (
    OlderStudy,
    afresh,
    data_as_recorded,
    describe_older,
    find_older,
    in_its_version,
    other_data,
    refuse_other_data,
    refuse_other_numbers,
    with_older_named,
)
from studies.execution.other_plan import command_to_next_look
from studies.execution.preparation import load_dataset, settle
from studies.execution.registration import (
    grow_as_asked,
    is_complete,
    next_look,
    next_look_fits,
    register,
    will_train,
)
from studies.planning.in_python import in_python, told_in_python
from studies.planning.plan import Plan
from studies.planning.rare_classes import splits_with_every_class
from studies.planning.request import Draft, Request, draft
from studies.planning.resources import Resources
from studies.results.report_ahead import ReportAhead
from studies.run_log import provenance
from studies.run_log.log_file import RunLog
from studies.storage.copier import Copying
from studies.storage.paths import Locations, locate
from studies.storage.remembered import resuming_in
from studies.user_files.from_python import keep_source

if TYPE_CHECKING:
    import pandas as pd

    from studies.results.recorded import RecordedStudy
    from studies.results.report_inputs import Findings
    from studies.results.shown import Card, StudyFigures
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Splits


@dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """The outcome of a run: `report` is report.json's content, `best` its best configuration, `study` the record.

    >>> import studies
    >>> result = studies.run_study("depth_study", profile="smoke", output="runs")
    >>> result.name, result.report["state"], result.next_look, 0 < result.best["test_accuracy"] <= 1
    ('depth_study-smoke', 'complete', None, True)
    """

    name: str
    report_path: Path
    report: dict[str, Any]
    was_complete: bool
    """Whether the study was complete before, so that only its report was made again."""
    next_look: int | None
    """The number of blocks of the next planned look; None after the last one, or if every question is answered."""
    next_command: str | None = None
    """The command that goes on to the next look."""
    notes: tuple[str, ...] = ()
    """Lines to show beside the answer."""
    arguments: tuple[str, ...] = ()
    """The options with which other commands find the study."""
    storage: str | None = None
    """The URL of the storage that has the study; None for the default one."""

    def __repr__(self) -> str:
        return self._card().text("result of")

    def _repr_html_(self) -> str:
        return self._card().html()

    @cached_property
    def study(self) -> "RecordedStudy":
        """What is recorded of the study: frames, figures, and `best()`, the model.

        Raises UsageError if it is no longer in its storage.

        >>> import studies
        >>> result = studies.run_study("depth_study", profile="smoke", output="runs")
        >>> len(result.study.trials())
        32
        """
        from studies.results.recorded import load_from

        with told_in_python():
            return load_from(self.storage or locate().storage, self.name)

    @property
    def figures(self) -> "StudyFigures":
        """The figures of the study's page, by their names there: fresh matplotlib figures that may be changed.

        >>> import studies
        >>> result = studies.run_study("depth_study", profile="smoke", output="runs")
        >>> figure = result.figures["forest_averaged"]
        >>> figure.axes[0].set_xlabel("log-loss, nats").get_text()
        'log-loss, nats'
        """
        return self.study.figures

    def contrasts(self, *, at_best: bool = False) -> "pd.DataFrame":
        """Return one row for each contrast of report.json: levels averaged over the other factors, or `at_best`.

        An `estimate` is the outcome of `level_b` minus that of `level_a`; losses in nats, error rates fractions.

        >>> import studies
        >>> result = studies.run_study("depth_study", profile="smoke", output="runs")
        >>> of_depth = result.contrasts().query("outcome == 'test_loss' and factor == 'depth'")
        >>> of_depth[["level_a", "level_b", "num_blocks"]].values.tolist()
        [[3, 7, 3]]
        """
        from studies.results.shown import contrasts_frame

        return contrasts_frame(self.report, at_best=at_best)

    @property
    def best(self) -> dict[str, Any]:
        """The best configuration with its scores."""
        best: dict[str, Any] = self.report["best"]
        return best

    def _card(self) -> "Card":
        from reports.pages.told_verdict import ToldVerdict
        from studies.results.shown import Card

        rows = [] if self.best is None else [("best", configuration(self.best["params"]))]
        rows += [("note", in_python(note)) for note in self.notes]
        if self.next_look is not None:
            rows.append(
                ("next", f"the planned look at {self.next_look} blocks: {AGAIN} without until= and budget=")
            )
        return Card(
            name=self.name,
            state=self.report["state"],
            question=self.report["question"],
            verdict=ToldVerdict.of(self.report),
            rows=rows,
            folder=self.report_path.parent,
        )


def run(
    request: Request,
    *,
    locations: Locations,
    resources: Resources,
    showing: Show = lambda progress, plan, dashboard: nullcontext(),
    telling: Tell = silent,
    take_over: bool = False,
    log: RunLog | None = None,
    begun: Begun = lambda study, log: None,
) -> Result:
    """Run or resume what `request` asks for, and make its report; `take_over` takes it from a run that holds it.

    Raises UsageError before anything is written if the request is not valid, HeldError if another run holds the study
    or took it over, RunInterruptedError after Ctrl-C, SIGTERM or `studies.stop`, and another StudiesError if training
    or recording failed; all but the first leave a study that can be resumed. If every trial failed, the report is made
    before StudiesError is raised. `telling` is called with each step up to the first trial, then `showing` with the
    progress. A run that trains writes `log`; `begun` is called once it holds the study.
    """
    log = RunLog() if log is None else log
    command = request.command("run", *locations.arguments, *resources.arguments())
    try:
        with handling_signals(), log.to_the_end():
            return _run(
                request,
                command,
                locations=locations,
                resources=resources,
                showing=showing,
                telling=log.telling(telling),
                take_over=take_over,
                log=log,
                begun=begun,
            )
    except KeyboardInterrupt as interrupt:
        raise RunInterruptedError.by(interrupt, command) from None


def _run(
    request: Request,
    command: str,
    *,
    locations: Locations,
    resources: Resources,
    showing: Show,
    telling: Tell,
    take_over: bool,
    log: RunLog,
    begun: Begun,
) -> Result:
    started = time.monotonic()
    try:
        drafted = draft(request)
    except UsageError as error:
        raise with_older_named(error, request, locations) from error
    locations.check()
    older = find_older(drafted, locations.storage)
    if older is not None and older.is_complete:
        return _report_older(older, drafted, locations, resources=resources, take_over=take_over)
    drafted = in_its_version(drafted, older)
    last_words = f"error: {RunKilledError(command)}"
    asked = None if resources.address is None else Asked.of(drafted.code, locations)
    name = request.name or drafted.base
    with Starting(
        resources, model=drafted.study.model, tell=telling, last_words=last_words, name=name, asked=asked
    ) as starting:
        refuse_other_numbers(older, drafted, locations)
        trains = will_train(drafted, locations.storage, take_over=take_over)
        if trains:
            telling("starting Ray" if resources.address is None else f"asking Ray at {resources.address}")
            starting.check()
        # With a budget Ray starts later: a pilot measures the speed of training, and must not be disturbed.
        if trains and request.budget is None:
            starting.begin()
        with data_as_recorded(older, drafted, locations):
            telling(f"loading {drafted.study.dataset}, while Ray starts" if trains else "loading the data")
            _load_libraries(drafted)
            dataset = load_dataset(drafted)
            starting.check()
            refuse_other_data(older, dataset, drafted, locations)
            telling("planning")
            plan, notes = settle(drafted, dataset, locations, resources)
            splits = splits_with_every_class(plan, dataset)
        starting.check()
        locations = resuming_in(locations, plan.name)
        locations.folder(plan.name)
        locations.make_storage_folder()

        def run_of(store: Store, study: StudyRow, lease: Lease, ahead: ReportAhead) -> Run:
            folder = locations.make_folder(plan.name)
            log.begin(folder, *_first_lines(command))
            return Run(
                store=store,
                study=study,
                lease=lease,
                plan=plan,
                dataset=dataset,
                splits=splits,
                folder=folder,
                command=command,
                resources=resources,
                starting=starting,
                ahead=ahead,
                show=showing,
                tell=telling,
                started=started,
                until=Until(request.until),
                budget_seconds=None if request.budget is None else parse_budget(request.budget),
                notes=(*describe_older(older), *notes),
                live=request.live,
                arguments=locations.arguments,
                output=locations.recorded(),
                log=log,
                begun=begun,
            )

        return _carry_out(
            plan,
            request,
            locations,
            run_of,
            resources=resources,
            telling=telling,
            take_over=take_over,
            data=(dataset, splits),
        )


def _first_lines(command: str) -> list[str]:
    """Return what a run's log says first."""
    versions = provenance.versions()
    return [
        f"run: {command}",
        f"process {os.getpid()} on {socket.gethostname()}, in {os.getcwd()}",
        f"Studies {versions['studies']}, Python {versions['python']}, Ray {versions['ray']}",
    ]


def _keep_model(
    store: Store,
    plan: Plan,
    locations: Locations,
    data: "tuple[Dataset, Splits]",
    findings: "Findings",
    copying: Copying,
) -> Exception | None:
    """Make a complete study's model; return what prevents it, so that the report of a long study is made all the same.

    Raises what is wrong with the storage, from which no report could be made either.
    """
    from studies.results.best_model import keep_best_model

    def keep() -> None:
        dataset, splits = data
        keep_best_model(
            store,
            _found(store, plan),
            plan,
            locations.make_folder(plan.name),
            findings=findings,
            dataset=dataset,
            splits=splits,
            copy=copying.copy_models,
        )

    try:
        retry(keep)
    except StudiesError:
        raise
    except Exception as error:  # whatever it is, as a user's own module may raise
        return error
    return None


def _without_model(error: Exception, report: Path) -> StudiesError:
    """Return the error of a study that is complete, with a report, but without its model."""
    if isinstance(error, OSError) and error.filename is not None:
        told = disk_error(error)
        return StudiesError(
            f"the model was not made: {told.message}", f"{told.advice}\nThe report is {report}."
        )
    return StudiesError(
        f"the model was not made: {type(error).__name__}: {error_line(str(error))}",
        f"The report is {report}. See where it failed with --debug; once that is mended, the same command makes the "
        "model of the finished study.",
    )


def _load_libraries(drafted: Draft) -> None:
    """Import the libraries for data; a signal must not interrupt that, as a half-imported library stays unusable."""
    own = () if drafted.code is None else ("trainables.user_code.loop",)  # which brings torch
    with never_broken_off():
        for module in ("trainables.datasets", "trainables.data.splits", *own):
            importlib.import_module(module)


def _carry_out(
    plan: Plan,
    request: Request,
    locations: Locations,
    run_of: Callable[[Store, StudyRow, Lease, ReportAhead], Run],
    *,
    resources: Resources,
    take_over: bool,
    telling: Tell = silent,
    data: "tuple[Dataset, Splits] | None" = None,
) -> Result:
    """Hold the plan's study, train what is left of it, and make its report and, with its `data`, its model."""
    # A study that grows from another needs an existing storage, so a missing one is then an error.
    with Store.open(locations.storage, create=request.grow_from is None) as store:
        study = register(store, plan, request, locations)
        with (
            store.hold(study.id, take_over=take_over) as lease,
            run_files.opened(study, locations, lease, telling) as copying,
        ):
            moved = retry(lambda: run_files.tell_moved(store, study, locations.folder(plan.name)))
            study = retry(lambda: drain(store, study, locations.folder(plan.name)))
            if request.made is not None and request.made.code is not None:
                keep_source(request.made.code)
            grow_as_asked(store, study, plan, request, locations)
            was_complete = retry(
                lambda: (
                    is_complete(store, _found(store, plan), plan)
                    or not next_look_fits(store, study, plan, budget=request.budget, resources=resources)
                )
            )
            with ReportAhead() as ahead:
                if not was_complete:
                    run = run_of(store, study, lease, ahead)
                    _train(replace(run, notes=(*run.notes, *moved), copying=copying))
                ahead.begin()
                telling("making the model and the report")
                failure, findings = None, retry(lambda: _findings(store, plan))
                if data is not None and _found(store, plan).state is StudyState.COMPLETE:
                    failure = _keep_model(store, plan, locations, data, findings, copying)
                unread = run_files.fetch_reports(store, locations)
                result = retry(
                    lambda: _report(
                        store, plan, request, locations, findings, ahead, was_complete=was_complete
                    )
                )
            finish_page(plan, result.report_path, is_wanted=request.live)
            if locations.place is not None:
                telling(f"copying to {locations.shown(plan.name)}")
                result = _copied(result, locations, copying, unread)
            refuse_failure(store, study, result.report_path, locations)
            if failure is not None:
                raise _without_model(failure, result.report_path) from failure
            return result


def _copied(result: Result, locations: Locations, copying: Copying, unread: str | None) -> Result:
    """Copy what is left to the place of the output, and return the result with notes about that.

    Raises StudiesError that says what is not there, and how it is copied later.
    """
    left = copying.finish()
    if left is not None:
        raise StudiesError(left.message, f"{left.advice}\nThe report is {result.report_path}.")
    place = f"it and all files of the study are copied to {locations.shown(result.name)}"
    notes = (unread, run_files.publish_index(locations), place)
    return replace(result, notes=(*result.notes, *filter(None, notes)))


def _train(run: Run) -> None:
    """Train; if that fails, list the study as it then stands, unless the storage may not be readable."""
    try:
        train(run)
    except (OutageError, SpoolError, RunInterruptedError):
        raise
    except StudiesError:
        tell_listing(run.store, run.folder.parent)
        raise


def _report_older(
    older: OlderStudy, drafted: Draft, locations: Locations, *, resources: Resources, take_over: bool
) -> Result:
    """Make the report of a finished study of an earlier version again, with a note if today's data differ."""
    note, locations = None, resuming_in(locations, older.study.name)
    try:
        note = other_data(older, load_dataset(drafted))
    except UsageError as error:
        note = f"today's rules refuse its data: {error.message}"

    def run_of(store: Store, study: StudyRow, lease: Lease, ahead: ReportAhead) -> Run:
        raise AssertionError(f"{study.name} was complete, and is not")

    result = _carry_out(
        older.plan, drafted.request, locations, run_of, resources=resources, take_over=take_over
    )
    if note is None:
        return replace(result, notes=describe_older(older))
    told = (
        f"The report is of what was recorded; {note}. To train on them: {afresh(older, drafted, locations)}"
    )
    return replace(result, notes=(*describe_older(older), told))


def _found(store: Store, plan: Plan) -> StudyRow:
    """Return the study's current row: another run may have finished the study while this one started."""
    study = store.find_study(plan.name)
    assert study is not None, f"study {plan.name} vanished"
    return study


def _findings(store: Store, plan: Plan) -> "Findings":
    from studies.results.report_inputs import Findings

    return Findings.of(store, _found(store, plan))


def _report(
    store: Store,
    plan: Plan,
    request: Request,
    locations: Locations,
    findings: "Findings",
    ahead: ReportAhead,
    *,
    was_complete: bool,
) -> Result:
    from studies.results.report_inputs import load_report, make_report

    study, drawers = _found(store, plan), ahead.drawers()
    path = make_report(store, study, locations, findings=findings.with_model(store, study), drawers=drawers)
    if drawers is not None and drawers.problem is not None:
        print(f"note: {drawers.problem}", file=sys.stderr)
    blocks = next_look(store, study, plan)
    return Result(
        name=plan.name,
        report_path=path,
        report=load_report(path),
        was_complete=was_complete,
        next_look=blocks,
        next_command=None if blocks is None else command_to_next_look(study, request, locations),
        arguments=locations.arguments,
        storage=locations.storage,
    )


def refuse_failure(store: Store, study: StudyRow, report: Path, locations: Locations) -> None:
    """Raise StudiesError with the first error, and where to see all of it, if every trial failed."""
    counts = retry(lambda: store.trial_summary(study.id))
    amounts = {state: sum(by_state[state] for by_state in counts.values()) for state in TrialState}
    if not amounts[TrialState.FAILED] or sum(amounts.values()) > amounts[TrialState.FAILED]:
        return
    first = retry(lambda: store.trial(study.id, store.first_number(study.id)))
    assert first is not None, "it was counted just now"
    show = ("studies", "show", study.name, "--trial", str(first.number), *locations.arguments)
    raise StudiesError(
        f"every trial of {study.name} failed, trial {first.number} with: {error_line(first.error)}",
        f"See the whole error: {shlex.join(show)}\n"
        f"The report is {report}. Once the cause is mended, run the study under another --name.",
    )
