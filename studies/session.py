"""A run from the request to the report: checks, the study's rows, the cluster, both phases, the answer."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies import provenance, runs
from studies.database.rows import StudyRow
from studies.database.states import StudyState
from studies.database.store import Store
from studies.errors import UsageError
from studies.interruption import RunInterruptedError, Wish, watching_signals
from studies.locations import Locations, check_writable
from studies.planning import Plan, differences
from studies.request import Draft, Request, draft
from studies.tuning.progress import Progress
from studies.tuning.resources import Resources
from trainables.datasets import Dataset

Show = Callable[[Progress, Plan, "Dashboard | None"], AbstractContextManager[None]]
"""Shows a run's progress while it lasts."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Where Ray's dashboard is, and the file that holds the token it asks for."""

    url: str
    token_path: Path | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run came to. `report` is report.json's content, `best` its best configuration."""

    name: str
    report_path: Path
    report: dict[str, Any]
    was_complete: bool
    """Whether the study was finished before, so that only its report was made again."""
    next_look: int | None
    """The number of blocks that the same command would go on to; None after the last planned look."""

    @property
    def best(self) -> dict[str, Any]:
        """The best configuration with its scores."""
        best: dict[str, Any] = self.report["best"]
        return best


def run(
    request: Request,
    *,
    locations: Locations,
    resources: Resources,
    show: Show = lambda progress, plan, dashboard: nullcontext(),
) -> Result:
    """Run or resume what `request` asks for, and make its report.

    Raises UsageError before anything is written where the request cannot be met, RunInterruptedError after Ctrl-C or
    SIGTERM, another StudiesError where training or recording failed; all but the first leave a resumable study.
    """
    started = time.monotonic()
    drafted = draft(request)
    check_writable(locations.output)
    dataset = load_dataset(drafted)
    plan = drafted.freeze(dataset)
    locations.folder(plan.name)
    locations.make_folders()
    with Store.open(locations.storage) as store:
        study = _find_or_create(store, plan, request)
        was_complete = study.state is StudyState.COMPLETE and _next_look(store, study, plan) is None
        if not was_complete:
            _train(store, study, plan, dataset, request, locations, resources, show, started)
        return _report(store, plan, locations, was_complete=was_complete)


def load_dataset(drafted: Draft) -> Dataset:
    """Load the draft's dataset; a missing or damaged file is a UsageError."""
    from trainables import datasets

    try:
        return datasets.load(drafted.study.dataset)
    except (OSError, ValueError) as error:
        raise UsageError([f"dataset {drafted.study.dataset}: {error}"], "Nothing was trained.") from error


def _find_or_create(store: Store, plan: Plan, request: Request) -> StudyRow:
    """Return the study's row; a row of the same name with another plan is a UsageError with the differences."""
    study = store.find_study(plan.name)
    if study is None:
        return store.create_study(
            name=plan.name,
            question=plan.study.question,
            plan=plan.to_dict(),
            plan_hash=plan.hash,
            seed=plan.seed,
        )
    if study.plan_hash == plan.hash:
        return study
    changed = "\n".join(f"  {line}" for line in differences(study.plan, plan.to_dict()))
    other = Request(
        study=request.study,
        profile=request.profile,
        settings=request.settings,
        seed=request.seed,
        name=f"{plan.name[:59]}-{plan.hash[:4]}",
    )
    raise UsageError(
        [f"study {plan.name} exists with another plan (recorded -> asked for):\n{changed}"],
        f"See the recorded one: python -m studies.show {plan.name}\n"
        f"Resume it: give the command that started it.\n"
        f"Run this one beside it: {other.command('run')}",
    )


def _train(
    store: Store,
    study: StudyRow,
    plan: Plan,
    dataset: Dataset,
    request: Request,
    locations: Locations,
    resources: Resources,
    show: Show,
    started: float,
) -> None:
    """Train what is left of the study and note how the run went, however it ends."""
    from studies.tuning.cluster import starting_cluster

    with watching_signals() as wish, _scratch() as scratch, starting_cluster(resources) as future:
        from studies.tuning.experiment import open_agenda, planned_progress, train_study

        agenda = open_agenda(plan, store, study.id)
        progress = planned_progress(plan, store, study.id)
        cluster = future.result()
        progress.startup_seconds = time.monotonic() - started
        runs.note_start(store, study.id, _details(request, dataset, cluster.num_workers, cluster.threads))
        store.set_study_state(study.id, StudyState.RUNNING)
        dashboard = (
            Dashboard(url=cluster.dashboard_url, token_path=cluster.token_path)
            if cluster.dashboard_url
            else None
        )
        state = StudyState.FAILED
        try:
            with show(progress, plan, dashboard):
                train_study(
                    plan,
                    store=store,
                    study_id=study.id,
                    agenda=agenda,
                    dataset=dataset,
                    folder=locations.folder(plan.name),
                    cluster=cluster,
                    resources=resources,
                    progress=progress,
                    versions=provenance.versions(),
                    should_stop=lambda: bool(wish),
                    scratch=scratch,
                )
            state = StudyState.INTERRUPTED if wish else StudyState.COMPLETE
        except KeyboardInterrupt:
            state = StudyState.INTERRUPTED
        finally:
            seconds = _seconds(progress, started)
            runs.note_end(store, study.id, state=state, looks=agenda.num_looks, seconds=seconds)
            store.set_study_state(study.id, state)
        _raise_if_interrupted(wish, request)


def _raise_if_interrupted(wish: Wish, request: Request) -> None:
    if wish.received is not None:
        raise RunInterruptedError(wish.received, request.command("run"))


def _details(request: Request, dataset: Dataset, num_workers: int, threads: int) -> dict[str, Any]:
    """Return what a run is made with."""
    return {
        "command": request.command("run"),
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
        "workers": num_workers,
        "threads_per_worker": threads,
        "dataset": {
            "name": dataset.name,
            "about": dataset.about,
            "licence": dataset.licence,
            "examples": len(dataset.inputs),
            "num_classes": dataset.num_classes,
            "classes": list(dataset.classes),
        },
    }


def _seconds(progress: Progress, started: float) -> dict[str, float]:
    return {
        "wall": time.monotonic() - started,
        "busy": progress.busy_seconds,
        "recording": progress.recording_seconds,
        "startup": progress.startup_seconds or 0.0,
    }


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give Tune a private folder for the snapshots that nobody reads, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="studies-tune-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _next_look(store: Store, study: StudyRow, plan: Plan) -> int | None:
    """Return the number of blocks of the planned look after those that are complete, None after the last."""
    left = plan.study.all_looks[runs.looks_done(store.events(study.id)) :]
    return left[0] if left else None


def _report(store: Store, plan: Plan, locations: Locations, *, was_complete: bool) -> Result:
    from studies.reporting import load_report, make_report

    study = store.find_study(plan.name)
    assert study is not None, f"study {plan.name} vanished"
    path = make_report(store, study, locations)
    return Result(
        name=plan.name,
        report_path=path,
        report=load_report(path),
        was_complete=was_complete,
        next_look=_next_look(store, study, plan),
    )
