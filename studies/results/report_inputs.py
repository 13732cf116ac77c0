"""Makes reports from the database alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.pages.page import write_report
from reports.pages.trial_page import write_trial_page
from reports.pages.two_studies import write_comparison
from reports.results.accounting import AccountingError
from studies.base.errors import StudiesError, UsageError
from studies.database.frames import frames
from studies.database.rows import EventRow, StudyRow
from studies.database.store import Store
from studies.definition.plan_versions import older_rules
from studies.planning.plan import Plan
from studies.planning.rare_classes import prepared
from studies.results.study_index import index_studies
from studies.run_log import run_events
from studies.run_log.baseline import linear_models
from studies.run_log.reused import describe_growth
from studies.search.importance import search_importance
from studies.storage import remembered
from studies.storage.paths import Locations
from trainables import datasets
from trainables.user_code.code import OWN


def make_report(store: Store, study: StudyRow, locations: Locations) -> Path:
    """Write the report of a study and the index of all studies; return the report's path."""
    inputs, folder = report_inputs(store, study), locations.make_folder(study.name)
    with explaining_contradictions(study.name):
        path = write_report(inputs, folder)
    index_studies(store, locations)
    return path


@contextmanager
def explaining_contradictions(*names: str) -> Iterator[None]:
    """Turn a record of these studies that contradicts itself into an error that says how to look into it."""
    try:
        yield
    except AccountingError as error:
        checks = " and ".join(f"studies verify {name}" for name in names)
        raise StudiesError(
            f"no report of {' and '.join(names)}: {error}", f"Check what is recorded: {checks}"
        ) from error


def make_trial_page(store: Store, study: StudyRow, number: int, locations: Locations) -> Path:
    """Write the page of one trial; return its path. Raise UsageError that says which trials there are."""
    numbers = [trial.number for trial in store.trials(study.id)]
    if number not in numbers:
        known = f"it has trials {min(numbers)} to {max(numbers)}" if numbers else "it has no trials yet"
        raise UsageError(
            [f"--trial {number}: no such trial in {study.name}; {known}"],
            f"See the results by cell: studies show {study.name}",
        )
    inputs = report_inputs(store, study)
    details, rows = frames.verdicts(store, study.id, number), inputs.replicates
    mine = rows["trial_number"] == number
    judged = [
        details.get(replicate) if is_mine else None
        for replicate, is_mine in zip(rows["replicate"], mine, strict=True)
    ]
    with_details = rows.assign(verdicts=pd.Series(judged, index=rows.index, dtype=object))
    return write_trial_page(
        replace(inputs, replicates=with_details), number, locations.make_folder(study.name)
    )


def make_comparison(store: Store, study: StudyRow, other: StudyRow, locations: Locations) -> Path:
    """Write the page that compares two studies, into a folder of its own; return its path."""
    if study.id == other.id:
        raise UsageError([f"{study.name} is named twice"], "Name two studies, or one for its own report.")
    first, second = report_inputs(store, study), report_inputs(store, other)
    folder = locations.make_folder(study.name, other.name)
    with explaining_contradictions(study.name, other.name):
        return write_comparison(first, second, folder)


def report_inputs(store: Store, study: StudyRow) -> ReportInputs:
    """Return everything that a study's report is made from, read from one snapshot: the study may be running."""
    tables = _by_name(frames.snapshot(store, study.id))
    inputs = _inputs(tables)
    plan = Plan.from_dict(inputs.study, inputs.plan)
    return replace(inputs, importance=search_importance(plan, inputs.trials))


def decision_inputs(store: Store, study: StudyRow) -> ReportInputs:
    """Return what the decision after a look is made from: a report's inputs without epochs, gradients and files."""
    return _inputs(_by_name(frames.snapshot(store, study.id, only=frames.OF_DECISIONS)))


def _inputs(tables: dict[str, Any]) -> ReportInputs:
    study, events = tables.pop("study"), frames.as_events(tables["events"])
    plan = Plan.from_dict(study.name, study.plan)
    starts = run_events.started_with(events)
    return ReportInputs(
        study=study.name,
        question=study.question,
        plan=study.plan,
        plan_hash=study.plan_hash,
        state=str(study.state),
        created_at=study.created_at,
        factors=plan.study.factors,
        num_classes=_num_classes(plan, starts),
        provenance=_provenance(plan, events),
        seconds=run_events.total_seconds(events),
        measuring_share=run_events.measuring_share(events),
        generated_at=datetime.now(UTC),
        command=f"studies report {study.name}",
        linear_models=linear_models(events),
        older_rules=older_rules(study.plan),
        **tables,
    )


def _num_classes(plan: Plan, starts: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of classes that the last run recorded; before the first run, that of the dataset."""
    if starts:
        return int(starts[-1]["dataset"]["num_classes"])
    if plan.study.dataset == OWN:
        raise StudiesError(
            f"study {plan.name} has no run yet, and its data are what its own file loads",
            "Run it first: a report is made from what was recorded.",
        )
    dataset = datasets.load(plan.study.dataset, table=plan.study.table)
    return prepared(plan.study, dataset).num_classes


def _by_name(tables: frames.Frames) -> dict[str, Any]:
    """Return the frames by name, without copying them."""
    return {name: getattr(tables, name) for name in tables.__dataclass_fields__}


def _provenance(plan: Plan, events: Sequence[EventRow]) -> dict[str, Any]:
    """Return the report's provenance: the latest run's machine and versions, the number of runs, seed and data."""
    starts = run_events.started_with(events)
    latest = starts[-1] if starts else {}
    growth = describe_growth(plan, events)
    grown = {} if growth is None else {"grown": growth}
    return {
        **{name: value for name, value in latest.items() if name != remembered.FIELD},
        **grown,
        "runs": len(starts),
        "seed": plan.seed,
        "dataset_sha256": plan.dataset_fingerprint,
    }


def load_report(path: Path) -> dict[str, Any]:
    """Return report.json beside the page at `path`."""
    report: dict[str, Any] = json.loads(path.with_name("report.json").read_text(encoding="utf-8"))
    return report
