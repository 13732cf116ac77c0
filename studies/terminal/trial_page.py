"""The page of `studies show NAME --trial N`: one trial, its scores at the rungs, and each of its networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from reports.inputs.cube import plain
from reports.inputs.early_stopping import BEST, STOPPED, kept, stops_early
from reports.inputs.measures import Measure, objective_of, own_measures
from reports.wording.words import number
from studies.base.durations import format_duration
from studies.base.errors import UsageError
from studies.base.states import Decision, Phase
from studies.base.wording import (
    configuration,
    counted,
    moment,
    objective,
    percent,
    phase_of,
    printable,
    trial_state,
)
from studies.database.frames import frames
from studies.database.rows import RungRow, StudyRow, TrialRow
from studies.database.store import Store
from studies.run_log import run_events
from studies.terminal.output import heading, labelled, text
from studies.terminal.status import trial_json


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Everything recorded for one trial: its row, networks, epochs and ASHA's decisions."""

    study: StudyRow
    trial: TrialRow
    replicates: pd.DataFrame
    epochs: pd.DataFrame
    rungs: Sequence[RungRow]
    objective: Measure


def read_trial(store: Store, study: StudyRow, number: int) -> TrialRecord:
    """Read one trial; raise UsageError that names the last trial if the study has no such one."""
    trial = store.trial(study.id, number)
    if trial is None:
        last = store.last_number(study.id)
        known = f"its last one is trial {last}" if last else "it has no trials yet"
        raise UsageError(
            [f"--trial {number}: no such trial in {study.name}; {known}"],
            f"See the results by cell: studies show {study.name}",
        )
    replicates, epochs = frames.of_trial(store, study.id, number)
    return TrialRecord(
        study=study,
        trial=trial,
        replicates=replicates,
        epochs=epochs,
        rungs=store.rung_results(study.id, trial_number=number),
        objective=objective_of(
            study.plan, run_events.num_classes(run_events.started_with(store.events(study.id)))
        ),
    )


def trial_page(record: TrialRecord) -> RenderableType:
    """Return the whole page."""
    trial = record.trial
    parts: list[RenderableType] = [
        text(f"Trial {trial.number} of {record.study.name}", "bold"),
        labelled(_facts(record), label_width=15),
    ]
    if len(record.epochs):
        parts += [heading("At the rungs, means over its networks"), _rung_table(record)]
    if len(record.replicates):
        parts += [heading("Its networks"), _network_table(record)]
    if trial.error:
        parts += [heading("The error"), text(trial.error.rstrip())]
    return Group(*parts)


def as_json(record: TrialRecord) -> dict[str, Any]:
    """Return the trial as JSON data: losses in nats, accuracies as fractions, times in UTC."""
    trial, scores = record.trial, _of_a_network(record.study.plan)
    return {
        "study": record.study.name,
        **trial_json(trial),
        "stop_reason": trial.stop_reason,
        "rung": trial.rung,
        "objective": None if record.objective.is_failure(trial.objective) else trial.objective,
        "attempt": trial.attempt,
        "ended_at": None if trial.ended_at is None else trial.ended_at.isoformat(),
        "busy_seconds": trial.busy_seconds,
        "error": trial.error,
        "versions": None if trial.versions is None else dict(trial.versions),
        "replicates": _records(record.replicates[_columns(record, scores)]),
        "rungs": _at_rungs(record),
    }


_LABELS = ("replicate", "block", "outcome")
_VERDICTS = ("verdict_initial", "verdict_trained")
_Shown = tuple[str, str, Callable[[float | None], str]]
"""A score: its column, its heading, and a function that formats it."""


def _of_a_network(plan: Mapping[str, Any]) -> list[_Shown]:
    own = own_measures(plan)
    if own:
        return [
            (f"{part}_{each.kind.replace(' ', '_')}", f"{short} {each.kind}", number)
            for each in own
            for part, short in (("val", "val."), ("test", "test"))
        ]
    return [
        ("val_loss", "val. loss", number),
        ("test_loss", "test loss", number),
        ("val_accuracy", "val. acc.", percent),
        ("test_accuracy", "test acc.", percent),
    ]


def _of_an_epoch(plan: Mapping[str, Any]) -> list[_Shown]:
    own = own_measures(plan, "val")
    if own:
        return [(each.name, f"val. {each.kind}", number) for each in own]
    return [
        ("train_loss", "train loss", number),
        ("val_loss", "val. loss", number),
        ("train_accuracy", "train acc.", percent),
        ("val_accuracy", "val. acc.", percent),
    ]


def _facts(record: TrialRecord) -> list[tuple[str, RenderableType]]:
    trial, plan = record.trial, record.study.plan
    state = trial_state(trial.state) + (f" ({trial.stop_reason})" if trial.stop_reason else "")
    rows: list[tuple[str, RenderableType]] = [
        ("phase", phase_of(trial.phase, trial.cell)),
        ("state", f"{state}, {counted(_trained(record), 'epoch')} trained"),
        ("configuration", configuration(trial.params)),
        ("the same in all", configuration(plan["fixed"])),
    ]
    if trial.objective is not None:
        rows.append(("objective", f"{objective(record.objective, trial.objective)}, mean over its networks"))
    if trial.started_at is not None:
        again = f", attempt {trial.attempt}" if trial.attempt > 1 else ""
        rows.append(
            ("started", f"{moment(trial.started_at)}, {format_duration(trial.busy_seconds)} of work{again}")
        )
    if trial.worker:
        rows.append(("workers" if ", " in trial.worker else "worker", trial.worker))
    return rows


def _trained(record: TrialRecord) -> int:
    """Return the trained epochs: a trial whose networks have all stopped early continues without training."""
    if not stops_early(record.study.plan) or record.epochs.empty:
        return record.trial.epochs
    return int(record.epochs["epoch"].max())


def _columns(record: TrialRecord, scores: Sequence[_Shown]) -> list[str]:
    """Return the columns shown for a network, the epochs of early stopping included if there are any."""
    ends = [name for name in (BEST, STOPPED) if name in record.replicates]
    return [*_LABELS, *(name for name, *_ in scores), *_VERDICTS, *ends]


def _at_rungs(record: TrialRecord) -> list[dict[str, Any]]:
    """Return means over networks at each rung and the last epoch, with ASHA's decision if it made one."""
    rungs = {*record.study.plan["search"]["rungs"], record.trial.epochs}
    names = [name for name, *_ in _of_an_epoch(record.study.plan)]
    trial = pd.DataFrame({"number": [record.trial.number], "epochs": [record.trial.epochs]})
    epochs = kept(record.epochs, record.replicates, trial, int(record.study.plan["confirm"]["epochs"]))
    means = epochs[epochs["epoch"].isin(rungs)].groupby("epoch")[names].mean()
    decisions = {rung.epoch: rung.decision for rung in record.rungs}
    return [
        {
            "epoch": row["epoch"],
            **{name: row[name] for name in names},
            "decision": decisions.get(row["epoch"]),
        }
        for row in _records(means.reset_index())
    ]


def _rung_table(record: TrialRecord) -> Table:
    shown = _of_an_epoch(record.study.plan)
    table = _numbers(("epoch", *(head for _, head, _ in shown)), "")
    for row in _at_rungs(record):
        scores = (write(row[name]) for name, _, write in shown)
        table.add_row(str(row["epoch"]), *scores, _asha_said(record, row))
    return table


def _asha_said(record: TrialRecord, row: Mapping[str, Any]) -> str:
    """Return ASHA's decision as text; empty at the last rung and in the confirm phase, where it makes none."""
    is_last = row["epoch"] == record.study.plan["confirm"]["epochs"]
    if record.trial.phase is Phase.CONFIRM or is_last or row["decision"] is None:
        return ""
    return "ASHA stops it" if row["decision"] == Decision.STOP else "ASHA lets it go on"


def _network_table(record: TrialRecord) -> Table:
    shown = _of_a_network(record.study.plan)
    table = _numbers(("network", "block", *(head for _, head, _ in shown)), "outcome")
    for row in _records(record.replicates[_columns(record, shown)]):
        verdict, end = row["verdict_trained"], row.get(STOPPED)
        early = f", stopped after epoch {end:.0f}" if end is not None else ""
        table.add_row(
            *(str(row["replicate"]), str(row["block"]), *(write(row[name]) for name, _, write in shown)),
            printable(row["outcome"] + (f" ({verdict.lower()})" if verdict else "") + early),
        )
    return table


def _numbers(columns: Sequence[str], last: str) -> Table:
    """Return an empty table with right-aligned columns and a last column of text."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column(last)
    return table


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as plain values, None where one is missing."""
    return [_plain_row(row) for row in frame.to_dict("records")]


def _plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): None if pd.isna(value) else plain(value) for name, value in row.items()}
