"""A tiny study as a run leaves it: two cells, two replicates, both phases, one trial stopped and one failed."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from studies.base.states import Decision, Outcome, Phase, StudyState, TrialState
from studies.database.results import Ending, RungResult, TrialResult
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.parts import Confirm, Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.run_log import run_events
from trainables.base.records import EpochRecord, ReplicateRecord

MOMENT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
NAME = "tiny_study"
COMMAND = f"studies run ./{NAME}.py"
TRACEBACK = (
    'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: \x1b[2Jno such luck\n'
)
RATE = {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}
STUDY = Study(
    question="Does depth help?",
    factors={"depth": (3, 5)},
    nuisances=RATE,
    fixed={"width": 16},
    replicates=2,
    search=Search(trials_per_cell=2, rungs=(1, 3)),
    confirm=Confirm(epochs=3),
)
SWEEP = Study(
    question="Which is best?",
    factors={"depth": (3, 5)},
    nuisances=RATE,
    fixed={"width": 16},
    replicates=2,
    search=Search(trials=2, trials_per_cell=None, rungs=(1, 3), sampler="tpe"),
    confirm=Confirm(epochs=3, best=1, default={"depth": 3, "learning_rate": 0.001}),
)


def add_study(store: Store, *, name: str = NAME, study: Study = STUDY) -> StudyRow:
    """Add a study without trials, as a run that has just begun."""
    plan = Plan(name=name, study=study, dataset_fingerprint="f" * 64)
    row = store.create_study(
        name=name, question=study.question, plan=plan.to_dict(), plan_hash=plan.hash, seed=0
    )
    run_events.note_start(store, row.id, {"command": COMMAND, "dataset": {"num_classes": 10}, "workers": 2})
    return row


def record_search(store: Store, study: StudyRow) -> None:
    """Record four search trials: cell 1 has one complete and one stopped, cell 2 one complete and one failed."""
    search(store, study, 1, cell=1, depth=3, rate=0.01, loss=0.5)
    search(store, study, 2, cell=2, depth=5, rate=0.02, loss=0.4)
    search(store, study, 3, cell=1, depth=3, rate=0.0012, loss=0.9, state=TrialState.PRUNED)
    search(store, study, 4, cell=2, depth=5, rate=0.05, loss=0.7, state=TrialState.FAILED)


def record_confirm(store: Store, study: StudyRow) -> None:
    """Record both confirm trials; in the second one network diverges and so scores as guessing."""
    train(store, study, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01, losses=(0.5, 0.6))
    train(store, study, 6, phase=Phase.CONFIRM, cell=2, depth=5, rate=0.02, losses=(0.4, None))
    store.set_study_state(study.id, StudyState.COMPLETE)


def add_sweep(store: Store) -> StudyRow:
    """Add a complete study without cells, in which the stated default happens to do better than the best found."""
    study = add_study(store, name="sweep", study=SWEEP)
    search(store, study, 1, cell=None, depth=3, rate=0.003, loss=0.4)
    search(store, study, 2, cell=None, depth=5, rate=0.03, loss=0.3)
    train(store, study, 3, phase=Phase.CONFIRM, cell=None, depth=5, rate=0.03, losses=(0.31, 0.33))
    train(store, study, 4, phase=Phase.CONFIRM, cell=None, depth=3, rate=0.001, losses=(0.1, 0.2))
    store.set_study_state(study.id, StudyState.COMPLETE)
    return study


def search(
    store: Store,
    study: StudyRow,
    number: int,
    *,
    cell: int | None,
    depth: int,
    rate: float,
    loss: float,
    state: TrialState = TrialState.COMPLETE,
) -> None:
    """Record a search trial from its start to its end."""
    train(
        store,
        study,
        number,
        phase=Phase.SEARCH,
        cell=cell,
        depth=depth,
        rate=rate,
        losses=(loss, loss),
        state=state,
    )


def start(
    store: Store, study: StudyRow, number: int, *, phase: Phase, cell: int | None, depth: int, rate: float
) -> None:
    """Begin a trial."""
    params = {"depth": depth, "learning_rate": rate}
    store.add_trial(study.id, number=number, phase=phase, cell=cell, params=params)
    store.start_trial(study.id, number, worker="host:7", started_at=MOMENT, versions={"torch": "2.13"})


def train(
    store: Store,
    study: StudyRow,
    number: int,
    *,
    phase: Phase,
    cell: int | None,
    depth: int,
    rate: float,
    losses: tuple[float | None, ...],
    state: TrialState = TrialState.COMPLETE,
) -> None:
    """Record a trial whose networks end with these validation losses; None is one that diverged."""
    start(store, study, number, phase=phase, cell=cell, depth=depth, rate=rate)
    in_search = phase is Phase.SEARCH
    last = 1 if state in (TrialState.PRUNED, TrialState.FAILED) else 3
    objective = sum(math.log(10) if loss is None else loss for loss in losses) / len(losses)
    for epoch in (1, 3)[: 1 if last == 1 else 2]:
        rung = None
        if in_search and state is not TrialState.FAILED:
            decision = Decision.STOP if state is TrialState.PRUNED else Decision.CONTINUE
            rung = RungResult(epoch=epoch, objective=objective, decision=decision)
        ending = _ending(phase, losses, state, objective) if epoch == last else None
        epochs = [_epoch(replicate, epoch, loss) for replicate, loss in enumerate(losses)]
        result = TrialResult(
            epoch=epoch, busy_seconds=1.5, epochs=epochs, rung=rung, ending=ending, worker="host:7"
        )
        store.record_result(study.id, number, result)


def _epoch(replicate: int, epoch: int, loss: float | None) -> EpochRecord:
    return EpochRecord(
        replicate=replicate,
        epoch=epoch,
        train_loss=loss,
        train_accuracy=0.5,
        val_loss=None if loss is None else loss + 3 - epoch,
        val_accuracy=0.75,
        learning_rate=0.01,
    )


def _ending(phase: Phase, losses: tuple[float | None, ...], state: TrialState, objective: float) -> Ending:
    outcomes = {TrialState.PRUNED: Outcome.STOPPED, TrialState.FAILED: Outcome.FAILED}
    return Ending(
        state=state,
        ended_at=MOMENT + timedelta(seconds=3),
        stop_reason="ASHA at epoch 1" if state is TrialState.PRUNED else None,
        objective=None if state is TrialState.FAILED else objective,
        error=TRACEBACK if state is TrialState.FAILED else None,
        replicates=[
            _network(phase, replicate, loss, outcomes.get(state, Outcome.COMPLETE))
            for replicate, loss in enumerate(losses)
        ],
    )


def _network(phase: Phase, replicate: int, loss: float | None, outcome: Outcome) -> ReplicateRecord:
    if outcome is Outcome.FAILED or loss is None:
        lost = Outcome.FAILED if outcome is Outcome.FAILED else Outcome.DIVERGED
        return ReplicateRecord(replicate=replicate, block=replicate, outcome=lost)
    test: dict[str, Any] = {"test_loss": loss + 0.1, "test_accuracy": 0.85} if phase is Phase.CONFIRM else {}
    return ReplicateRecord(
        replicate=replicate, block=replicate, outcome=outcome, val_loss=loss, val_accuracy=0.9, **test
    )


def strict_json(text: str) -> Any:
    """Parse JSON that may hold no NaN and no infinity, which other programs cannot read."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)
