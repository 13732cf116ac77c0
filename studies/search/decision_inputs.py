"""What is read from a study's record to decide what follows from a look, and what a report is made from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reports.inputs.inputs import ReportInputs
from studies.base.errors import StudiesError
from studies.database.frames import frames
from studies.database.rows import EventRow, StudyRow
from studies.database.store import Store
from studies.definition.plan_versions import older_rules
from studies.planning.plan import Plan
from studies.planning.rare_classes import prepared
from studies.run_log import run_events
from studies.run_log.baseline import linear_models
from studies.run_log.reused import describe_growth
from studies.storage import remembered
from trainables import datasets
from trainables.user_code.code import OWN


def decision_inputs(store: Store, study: StudyRow) -> ReportInputs:
    """Return what the decision after a look is made from: a report's inputs without epochs, gradients and files."""
    return inputs_of(frames.snapshot(store, study.id, only=frames.OF_DECISIONS))


def inputs_of(read: frames.Frames) -> ReportInputs:
    """Return what frames of one snapshot say, for a report; importance is not among it."""
    tables = _by_name(read)
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
        **{
            name: value
            for name, value in latest.items()
            if name not in (remembered.FIELD, *run_events.PLACES)
        },
        **grown,
        "runs": len(starts),
        "seed": plan.seed,
        "dataset_sha256": plan.dataset_fingerprint,
    }
