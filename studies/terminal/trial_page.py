"""The page of `studies.show NAME --trial N`: one trial, its losses at the rungs, and each of its networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from reports.cube import plain
from reports.early_stopping import BEST, STOPPED, kept, stops_early
from reports.measures import objective_of
from reports.words import number
from studies.database import frames
from studies.database.rows import RungRow, StudyRow, TrialRow
from studies.database.states import Decision, Phase
from studies.database.store import Store
from studies.errors import UsageError
from studies.terminal.output import heading, labelled, text
from studies.terminal.status import trial_json
from studies.terminal.words import (
    configuration,
    counted,
    duration,
    moment,
    objective,
    percent,
    phase_of,
    printable,
    trial_state,
)


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Everything recorded of one trial: its row, its networks, its epochs and what ASHA decided."""

    study: StudyRow
    trial: TrialRow
    replicates: pd.DataFrame
    epochs: pd.DataFrame
    rungs: Sequence[RungRow]


def read_trial(store: Store, study: StudyRow, number: int) -> TrialRecord:
    """Read one trial; raise UsageError that says which there are if it is not in the study."""
    trials = {trial.number: trial for trial in store.trials(study.id)}
    if number not in trials:
        known = f"its last one is trial {max(trials)}" if trials else "it has no trials yet"
        raise UsageError(
            [f"--trial {number}: no such trial in {study.name}; {known}"],
            f"See the results by cell: python -m studies.show {study.name}",
        )
    replicates, epochs = frames.replicates(store, study.id), frames.epochs(store, study.id)
    return TrialRecord(
        study=study,
        trial=trials[number],
        replicates=replicates[replicates["trial_number"] == number],
        epochs=epochs[epochs["trial_number"] == number],
        rungs=[rung for rung in store.rung_results(study.id) if rung.trial_number == number],
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
        parts += [heading("Its networks"), _network_table(record.replicates)]
    if trial.error:
        parts += [heading("The error"), text(trial.error.rstrip())]
    return Group(*parts)


def as_json(record: TrialRecord) -> dict[str, Any]:
    """Return the trial as JSON holds it: losses in nats, accuracies as fractions, times in UTC."""
    trial = record.trial
    return {
        "study": record.study.name,
        **trial_json(trial),
        "stop_reason": trial.stop_reason,
        "rung": trial.rung,
        "objective": trial.objective,
        "attempt": trial.attempt,
        "ended_at": None if trial.ended_at is None else trial.ended_at.isoformat(),
        "busy_seconds": trial.busy_seconds,
        "error": trial.error,
        "versions": None if trial.versions is None else dict(trial.versions),
        "replicates": _records(record.replicates[_columns(record.replicates)]),
        "rungs": _at_rungs(record),
    }


_OF_A_NETWORK = [
    *("replicate", "block", "outcome", "val_loss", "val_accuracy", "test_loss", "test_accuracy"),
    *("verdict_initial", "verdict_trained"),
]
_MEANS = ["train_loss", "val_loss", "train_accuracy", "val_accuracy"]


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
        rows.append(
            ("objective", f"{objective(objective_of(plan), trial.objective)}, mean over its networks")
        )
    if trial.started_at is not None:
        again = f", attempt {trial.attempt}" if trial.attempt > 1 else ""
        rows.append(("started", f"{moment(trial.started_at)}, {duration(trial.busy_seconds)} of work{again}"))
    return [*rows, *([("worker", trial.worker)] if trial.worker else [])]


def _trained(record: TrialRecord) -> int:
    """Return the epochs that were trained: a trial whose networks have all stopped early goes on without training."""
    if not stops_early(record.study.plan) or record.epochs.empty:
        return record.trial.epochs
    return int(record.epochs["epoch"].max())


def _columns(replicates: pd.DataFrame) -> list[str]:
    return [*_OF_A_NETWORK, *(name for name in (BEST, STOPPED) if name in replicates)]


def _at_rungs(record: TrialRecord) -> list[dict[str, Any]]:
    """Return the means over networks at each rung of the plan, and at the last epoch; ASHA's word where it had one."""
    rungs = {*record.study.plan["search"]["rungs"], record.trial.epochs}
    trial = pd.DataFrame({"number": [record.trial.number], "epochs": [record.trial.epochs]})
    epochs = kept(record.epochs, record.replicates, trial, int(record.study.plan["confirm"]["epochs"]))
    means = epochs[epochs["epoch"].isin(rungs)].groupby("epoch")[_MEANS].mean()
    decisions = {rung.epoch: rung.decision for rung in record.rungs}
    return [
        {
            "epoch": row["epoch"],
            **{name: row[name] for name in _MEANS},
            "decision": decisions.get(row["epoch"]),
        }
        for row in _records(means.reset_index())
    ]


def _rung_table(record: TrialRecord) -> Table:
    table = _numbers(("epoch", "train loss", "val. loss", "train acc.", "val. acc."), "")
    for row in _at_rungs(record):
        table.add_row(
            *(str(row["epoch"]), number(row["train_loss"]), number(row["val_loss"])),
            *(percent(row["train_accuracy"]), percent(row["val_accuracy"]), _asha_said(record, row)),
        )
    return table


def _asha_said(record: TrialRecord, row: Mapping[str, Any]) -> str:
    """Return ASHA's word on a rung; it has none on the last one, nor in the confirm phase."""
    is_last = row["epoch"] == record.study.plan["confirm"]["epochs"]
    if record.trial.phase is Phase.CONFIRM or is_last or row["decision"] is None:
        return ""
    return "ASHA stops it" if row["decision"] == Decision.STOP else "ASHA lets it go on"


def _network_table(replicates: pd.DataFrame) -> Table:
    table = _numbers(("network", "block", "val. loss", "test loss", "val. acc.", "test acc."), "outcome")
    for row in _records(replicates[_columns(replicates)]):
        verdict, end = row["verdict_trained"], row.get(STOPPED)
        early = f", stopped after epoch {end:.0f}" if end is not None else ""
        table.add_row(
            *(str(row["replicate"]), str(row["block"]), number(row["val_loss"]), number(row["test_loss"])),
            *(percent(row["val_accuracy"]), percent(row["test_accuracy"])),
            printable(row["outcome"] + (f" ({verdict.lower()})" if verdict else "") + early),
        )
    return table


def _numbers(columns: Sequence[str], last: str) -> Table:
    """Return an empty table of right-aligned columns and a last one of words."""
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
