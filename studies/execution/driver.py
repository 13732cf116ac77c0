"""One run of an unfinished study: starts Ray, trains what is left, and records how the run ended."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from studies.base.states import Outcome, StudyState, Until
from studies.base.steps import Tell
from studies.base.stop_signal import (
    RayLostError,
    RunInterruptedError,
    StopSignal,
    never_broken_off,
    watching_signals,
)
from studies.cluster import this_job
from studies.cluster.address import check_address
from studies.database.draining import open_spool
from studies.database.engines.problems import OutageError
from studies.database.lease import Lease
from studies.database.retry import retry
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.database.writer import Writer
from studies.execution.kernels_ahead import compiling_ahead
from studies.execution.listing import list_studies, tell_listing
from studies.execution.live_page import LivePage
from studies.planning.plan import Plan
from studies.planning.resources import Resources
from studies.results.report_ahead import ReportAhead
from studies.run_log import baseline, looks, provenance, run_events
from studies.run_log.log_file import RunLog
from studies.run_log.reused import describe_growth
from studies.search.progress import Progress, planned_progress
from studies.storage import remembered
from studies.storage.copier import Copying, NoCopying

if TYPE_CHECKING:
    from studies.cluster.cluster import Cluster
    from studies.cluster.node_check import Asked
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Splits


class Starting:
    """Starts or joins Ray in the background, when its cluster is needed or before; leaving shuts it down."""

    def __init__(
        self,
        resources: Resources,
        *,
        model: str,
        tell: Tell,
        last_words: str,
        name: str = "",
        asked: "Asked | None" = None,
    ) -> None:
        """Start nothing yet. Where nothing is joined, kernels for `model` are compiled meanwhile, which `tell` is told.

        If this process is killed later, a guard process prints `last_words`. Ray's dashboard lists the run as `name`.
        Nodes of a cluster that is joined are asked what `asked` says.
        """
        self._resources, self._last_words = resources, last_words
        self._name, self._asked = name, asked
        self._model, self._tell = model, tell
        self._stack = ExitStack()
        self._future: Future[Cluster] | None = None
        self._is_checked = False
        self._ending: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with never_broken_off():
            if self._ending is None:
                self._stack.close()
            else:
                self._ending.join()
        if self._failure is not None:
            raise self._failure

    def check(self) -> None:
        """Raise StudiesError if Ray cannot be joined at its address, or if a start that has begun has failed."""
        if self._future is None and self._resources.address is not None and not self._is_checked:
            check_address(self._resources.address)
            self._is_checked = True
        if self._future is not None and self._future.done():
            self._future.result()

    def begin(self) -> "Future[Cluster]":
        """Start or join Ray unless that has begun; return a future of the cluster."""
        self.check()
        if self._future is None:
            # Imported here, because only training needs it.
            from studies.cluster.cluster import starting_cluster

            started = starting_cluster(
                self._resources, last_words=self._last_words, name=self._name, asked=self._asked
            )
            with never_broken_off():
                if self._resources.address is None:
                    self._stack.enter_context(compiling_ahead(self._model, self._tell))
                self._future = self._stack.enter_context(started)
        return self._future

    @contextmanager
    def cluster(self) -> "Iterator[Future[Cluster]]":
        """Yield a future of the cluster, and begin to shut it down in the end, which leaving waits for."""
        try:
            yield self.begin()
        finally:
            self._ending = threading.Thread(target=self._end, name="ray-end", daemon=True)
            self._ending.start()

    def _end(self) -> None:
        try:
            self._stack.close()
        except BaseException as error:
            self._failure = error


SECONDS_BETWEEN_LOOKS = 0.05

MAX_DATA_NOTES = 5
"""Most lines about the data that are shown while a study runs."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """What finds the URL of Ray's dashboard, None while that starts, and the file with the token that it asks for."""

    find: Callable[[], str | None]
    token_path: Path | None

    def place(self) -> tuple[str, str | None] | None:
        """Return its URL and the shell command that prints its token; None while it starts."""
        url = self.find()
        return None if url is None else (url, None if self.token_path is None else f"cat {self.token_path}")


Begun = Callable[[str, Path], None]
"""Told the study's name and the log of a run that holds its study and has recorded its start."""


Show = Callable[[Progress, Plan, Dashboard | None], AbstractContextManager[None]]
"""Shows a run's progress while its context lasts."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that a run needs: `folder` is the study's own, `command` is the command that resumes it.

    `tell` is called with each step up to the first trial. `started` is the value of time.monotonic() when the command
    began; `starting` may have begun to start Ray by then, and `ahead`
    makes the report ready once trials run. `until` says after which look it stops, `budget_seconds` how
    long all runs of the study may take together: a later look begins only if it fits. `notes` are shown while the run
    lasts.
    """

    store: Store
    study: StudyRow
    lease: Lease
    plan: Plan
    dataset: "Dataset"
    splits: "Splits"
    folder: Path
    command: str
    resources: Resources
    starting: Starting
    ahead: ReportAhead
    show: Show
    tell: Tell
    started: float
    until: Until = Until.CLEAR
    budget_seconds: float | None = None
    notes: tuple[str, ...] = ()
    live: bool = True
    """Whether a page is kept up to date that tells how the run goes."""
    arguments: tuple[str, ...] = ()
    """The options with which other commands find the study."""
    output: str | None = None
    """What is recorded as the output of the run: an absolute path, or a URL; None for the folder above the study's."""
    copying: Copying = field(default_factory=NoCopying)
    """What copies the study's files to the place of its output."""
    log: RunLog = field(default_factory=RunLog)
    begun: Begun = lambda study, log: None


def train(run: Run) -> None:
    """Train what is left of the study, and record the run's start and end as events.

    Raises RunInterruptedError after Ctrl-C, SIGTERM or `studies.stop`, HeldError if another run took over, RayLostError
    if Ray died, and another StudiesError if Ray could not be started, a result not be recorded, or the storage stayed
    unreachable. In every case the same command resumes the study.
    """
    progress = retry(lambda: _progress_so_far(run))
    progress.log = run.log
    live = LivePage(
        run.plan,
        progress,
        folder=run.folder,
        lease=run.lease,
        resume_command=run.command,
        arguments=run.arguments,
        is_wanted=run.live,
    )
    with live.telling_the_end():
        _train(run, progress, live)


def _train(run: Run, progress: Progress, live: LivePage) -> None:
    study_id = run.study.id
    state, num_looks = StudyState.FAILED, 0
    with (
        watching_signals(lambda: run.lease.stop_requested) as stop_signal,
        _open_writer(run, progress, stop_signal) as writer,
    ):
        remembered.mark(run.folder, run.study)
        run.copying.begin(lambda text: _tell(progress, text), run.lease.confirm)
        run_events.note_start(writer, study_id, _details(run))
        writer.set_study_state(study_id, StudyState.RUNNING)
        if run.log.path is not None:
            run.begun(run.study.name, run.log.path)
        try:
            num_looks = _train_on_cluster(run, writer, progress, live, stop_signal)
            state = StudyState.COMPLETE
        except RayLostError as lost:
            state = StudyState.INTERRUPTED
            if not stop_signal:  # else Ray was ended together with this process, as by a job scheduler
                was_joined = run.resources.address is not None
                raise RayLostError(lost.loss, run.command, was_joined=was_joined) from None
        except KeyboardInterrupt:  # the second Ctrl-C; the first one is a request to stop
            assert stop_signal
        except OutageError:
            if not stop_signal:
                raise
        finally:
            state = StudyState.INTERRUPTED if stop_signal else state
            run_events.note_end(
                writer, study_id, state=state, looks=num_looks, seconds=_seconds(run, progress)
            )
            writer.set_study_state(study_id, state)
        is_settled = writer.settle()
    left = None if is_settled else writer.left_behind()
    if stop_signal.received is not None:
        if is_settled:  # else the storage may hang, and nobody waits for a page then
            tell_listing(run.store, run.folder.parent)
        kept = "everything recorded is kept" if left is None else left.message
        raise RunInterruptedError(
            stop_signal.received, run.command, is_asked=stop_signal.is_from_elsewhere, kept=kept
        )
    if left is not None:
        raise left


def _open_writer(run: Run, progress: Progress, stop_signal: StopSignal) -> Writer:
    """Return the run's writer; its messages about the storage are shown with the progress."""
    note = progress.note

    def tell(text: str) -> None:
        progress.note = text if note is None else f"{note}; {text}"

    spool = open_spool(run.store, run.study, run.folder)
    return Writer(run.store, run.study.id, spool, should_stop=lambda: bool(stop_signal), tell=tell)


def _tell(progress: Progress, text: str) -> None:
    """Show a message beside those that are shown already."""
    progress.note = "; ".join(filter(None, [progress.note, text]))


def _progress_so_far(run: Run) -> Progress:
    """Return the progress of earlier runs."""
    store, study_id = run.store, run.study.id
    trials = store.trials_so_far(study_id, mode=str(run.plan.study.direction))
    events = store.events(study_id)
    outcomes = store.outcomes(study_id)
    _, *later_looks = looks.cells_by_look(run.plan, trials.confirm, events)
    progress = planned_progress(
        run.plan,
        trials,
        later_looks=later_looks,
        num_networks=sum(outcomes.values()),
        num_diverged=outcomes[Outcome.DIVERGED],
    )
    progress.look = looks.summary(run.plan, looks.decisions(events))
    progress.command_started = run.started
    progress.num_classes = run.dataset.num_classes
    growth = describe_growth(run.plan, events)
    told = [note.removeprefix("note: ") for note in run.notes]  # which is what a note is shown as
    progress.note = "; ".join([*told, *([growth] if growth else []), *_data_notes(run.dataset)]) or None
    return progress


def _data_notes(dataset: "Dataset") -> list[str]:
    """Return the lines about the data that are shown during the run, at most MAX_DATA_NOTES and a count of the rest."""
    told = [f"data: {note}" for note in dataset.notes[:MAX_DATA_NOTES]]
    left = len(dataset.notes) - len(told)
    return [*told, *([f"data: {left} more, on the page and in the plan"] if left else [])]


def _train_on_cluster(
    run: Run, writer: Writer, progress: Progress, live: LivePage, stop_signal: StopSignal
) -> int:
    """Train until nothing is left or a signal asks to stop; return how many looks are complete at the end of that."""
    run.tell("loading torch and Ray Tune, while Ray starts")
    with run.starting.cluster() as future:
        # These modules bring Ray Tune, Optuna and torch, and are imported while Ray starts.
        from studies.execution.next_look import NextLook, looks_of_a_run
        from studies.raytune.checkpoints import Checkpoints
        from studies.raytune.experiment import open_queue, train_study

        store, study_id, lease = run.store, run.study.id, run.lease

        def should_stop() -> bool:
            return bool(stop_signal) or lease.lost is not None

        queue = retry(lambda: open_queue(run.plan, store, study_id), should_stop=should_stop)
        checkpoints = retry(
            lambda: Checkpoints.open(store, study_id, queue, run.folder), should_stop=should_stop
        )
        # The baseline is fitted while Ray starts, when the processor would be idle.
        run.tell("fitting the baseline, while Ray starts")
        events = retry(lambda: store.events(study_id), should_stop=should_stop)
        baseline.fit_missing(
            writer,
            study_id,
            dataset=run.dataset,
            splits=run.splits,
            events=events,
            should_stop=should_stop,
        )
        run.tell("waiting for Ray")
        live.begin()
        _list_studies(run, progress)
        cluster = _wait_for(future, stop_signal)
        if cluster is None:
            return 0
        nodes = _checked_nodes(run, cluster, writer, progress, should_stop)
        run_events.note_cluster(
            writer,
            run.study.id,
            workers=cluster.num_workers,
            threads=cluster.threads,
            ray_cluster=cluster.ray_cluster,
            nodes=nodes,
            places=_places(run, cluster),
        )
        decided = {each["look"] for each in looks.decisions(events)}
        spent = run_events.total_seconds(events)["wall"]

        def seconds_left() -> float | None:
            if run.budget_seconds is None:
                return None
            return run.budget_seconds - spent - (time.monotonic() - run.started)

        next_look = NextLook(
            plan=run.plan,
            store=store,
            study=run.study,
            writer=writer,
            queue=queue,
            progress=progress,
            most_looks=looks_of_a_run(run.plan, queue, until=run.until, decided=decided),
            num_workers=cluster.num_workers,
            seconds_left=seconds_left,
            should_stop=should_stop,
        )
        run.ahead.begin(when=lambda: progress.startup_seconds is not None)
        dashboard = _dashboard(cluster)
        with (
            live.kept_up_to_date(queue, None if dashboard is None else dashboard.place),
            stop_signal.may_break_off(),
            run.show(progress, run.plan, dashboard),
        ):
            train_study(
                run.plan,
                writer=writer,
                study_id=run.study.id,
                queue=queue,
                checkpoints=checkpoints,
                dataset=run.dataset,
                splits=run.splits,
                folder=run.folder,
                cluster=cluster,
                resources=run.resources,
                progress=progress,
                versions=provenance.versions(),
                go_on=next_look,
                copying=run.copying,
                should_stop=should_stop,
                held=lambda: store.held_studies(event=run_events.CLUSTER, own=study_id),
            )
            if lease.lost is not None:
                raise lease.lost
        return queue.num_looks


def _list_studies(run: Run, progress: Progress) -> None:
    """List the study as running, while Ray starts; what goes wrong is shown with the progress."""
    problem = list_studies(run.store, run.folder.parent)
    if problem is not None:
        progress.note = "; ".join(filter(None, [progress.note, problem]))


def _wait_for(future: "Future[Cluster]", stop_signal: StopSignal) -> "Cluster | None":
    """Return the cluster once it has started; None if a signal asks to stop before."""
    while not stop_signal and not wait([future], timeout=SECONDS_BETWEEN_LOOKS).done:
        stop_signal.listen()
    stop_signal.listen()
    return None if stop_signal else future.result()


def _checked_nodes(
    run: Run, cluster: "Cluster", writer: Writer, progress: Progress, should_stop: Callable[[], bool]
) -> Sequence[Mapping[str, Any]]:
    """Return the nodes of a cluster that was joined, with what they said; record it, and show what is to be known.

    Raises StudiesError that names them if nodes cannot train.
    """
    if cluster.node_check is None:
        return ()
    run.tell("asking the nodes")
    found = cluster.node_check.findings(should_stop=should_stop)
    run_events.note_nodes(
        writer, run.study.id, notes=[*found.problems, *found.notes], nodes=found.nodes, seconds=found.seconds
    )
    for note in found.notes:
        _tell(progress, note)
    found.refuse()
    return found.nodes


def _dashboard(cluster: "Cluster") -> Dashboard | None:
    if cluster.find_dashboard is None:
        return None
    return Dashboard(find=cluster.find_dashboard, token_path=cluster.token_path)


def _places(run: Run, cluster: "Cluster") -> dict[str, Any]:
    """Have the run's log shown by Ray's dashboard; return what of the cluster's places is known at once."""
    from studies.cluster.session_logs import show_log

    if run.log.path is not None:
        cluster.keep_log(run.log.path)
    if cluster.find_dashboard is None:
        return {}
    if run.log.path is not None and (shown := show_log(run.log.path, run.study.name)) is not None:
        run.log.note(f"the dashboard's page Logs has this log as {shown}")
    url = cluster.find_dashboard()  # or, in words, why there is none
    return {run_events.DASHBOARD: url} if url is not None and url.startswith("http") else {}


def _details(run: Run) -> dict[str, Any]:
    """Return what the event of the run's start records: command, versions, hardware and dataset."""
    dataset = run.dataset
    return {
        "command": run.command,
        "notes": list(run.notes),
        run_events.HOST: socket.gethostname(),
        run_events.PROCESS: os.getpid(),
        run_events.LOG: None if run.log.path is None else str(run.log.path),
        run_events.RAY_JOB: this_job.submission_id(),
        run_events.SUBMITTED_TO: this_job.metadata().get(run_events.SUBMITTED_TO),
        remembered.FIELD: run.output or str(run.folder.parent.absolute()),
        "plan_hash": run.study.plan_hash,
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
        "dataset": {
            "name": dataset.name,
            "about": dataset.about,
            "licence": dataset.licence,
            "examples": len(dataset.targets),
            "features": dataset.num_features,
            "num_classes": dataset.num_classes,
            "classes": list(dataset.classes),
            "examples_by_class": dataset.class_counts,
            "largest_class": max(dataset.class_counts, default=0) / len(dataset.targets),
            "official_test": dataset.official_test is not None,
            **({"notes": list(dataset.notes)} if dataset.notes else {}),
        },
    }


def _seconds(run: Run, progress: Progress) -> dict[str, float]:
    return {
        "wall": time.monotonic() - run.started,
        "busy": progress.busy_seconds,
        "measuring": progress.measuring_seconds,
        "recording": progress.recording_seconds,
        "startup": progress.startup_seconds or 0.0,
    }
