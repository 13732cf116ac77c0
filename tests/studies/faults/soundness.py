"""What must hold of a study whatever was killed: everything acknowledged is there, once, and it adds up."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from studies.base.states import TrialState
from studies.database.schema import tables
from studies.database.spool_lines import Numbered, parse
from studies.database.store import Store
from studies.database.writes import RecordResult
from tests.studies.database.recorded import contents
from tests.studies.faults.traces import Report

WITHOUT_TIMES = (
    *("id", "study_id", "sequence", "created_at", "updated_at", "started_at", "ended_at"),
    *("attempt", "attempt_epochs", "busy_seconds", "worker", "versions", "fencing_token"),
)
"""Columns in which a study that was interrupted may differ from one that was not."""
REPEATED = ("trial", "replicate", "evaluation", "epoch", "layer_gradient", "artifact")


def recorded_reports(store: Store, study_id: int) -> Counter[tuple[int, int, int]]:
    """Return how often each epoch of each network is in the database: trial, replicate, epoch."""
    table = tables.epoch
    query = select(table.c.trial_number, table.c.replicate, table.c.epoch).where(table.c.study_id == study_id)
    with store.reading() as connection:
        return Counter((row[0], row[1], row[2]) for row in connection.execute(query))


def spooled_reports(spool: Path) -> Iterator[tuple[int, int, int]]:
    """Yield each epoch of each network that waits in a spool, or waited there: trial, replicate, epoch."""
    lines = spool.read_bytes().splitlines(keepends=True) if spool.exists() else []
    for line in lines:
        parsed = parse(line) if line.endswith(b"\n") else None
        write = parsed.read() if isinstance(parsed, Numbered) else None
        if isinstance(write, RecordResult):
            yield from ((write.number, record.replicate, record.epoch) for record in write.result.epochs)


def lost(
    store: Store, study_id: int, spool: Path, acknowledged: Iterable[Report], num_replicates: int
) -> set[Report]:
    """Return the acknowledged reports of which an epoch is neither in the database nor in the spool."""
    recorded = {*recorded_reports(store, study_id), *spooled_reports(spool)}
    return {
        (number, epoch)
        for number, epoch in acknowledged
        if any((number, replicate, epoch) not in recorded for replicate in range(num_replicates))
    }


def num_doubled(store: Store, study_id: int) -> int:
    """Return how many epochs were recorded twice, or came again with other numbers."""
    events = [event for event in store.events(study_id) if event.kind == "conflict"]
    return sum(times - 1 for times in recorded_reports(store, study_id).values()) + len(events)


def check_whole(store: Store, study_id: int) -> None:
    """Check a study that says it is complete: each trial has one ending and all its epochs, and nothing else."""
    trials = {trial.number: trial for trial in store.trials(study_id)}
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials.values())
    expected = {
        (number, replicate, epoch): 1
        for number, trial in trials.items()
        for replicate in range(_num_replicates(store, study_id, number))
        for epoch in range(1, trial.epochs + 1)
    }
    assert recorded_reports(store, study_id) == expected
    decided = [(result.trial_number, result.epoch) for result in store.rung_results(study_id)]
    assert len(decided) == len(set(decided))
    assert all((number, trials[number].rung) in decided for number in trials)


def _num_replicates(store: Store, study_id: int, number: int) -> int:
    table = tables.replicate
    query = select(func.count()).where(table.c.study_id == study_id, table.c.trial_number == number)
    with store.reading() as connection:
        return int(connection.execute(query).scalar_one())


def results(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return everything that a study ends with and a repetition must repeat, decisions in their order."""
    rows = contents(store, *WITHOUT_TIMES)
    with store.reading() as connection:
        table = tables.rung_result
        query = select(table.c.trial_number, table.c.epoch, table.c.objective, table.c.decision)
        decisions = [dict(row) for row in connection.execute(query.order_by(table.c.sequence)).mappings()]
    return {name: rows[name] for name in REPEATED} | {"decision": decisions}
