"""Check I2: the study trained what its plan allows, and no more."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from studies.base.states import Phase
from studies.base.wording import count
from studies.verification.check import Check, named
from studies.verification.record import Record

RULE = "trials and epochs within the plan's budget, each in its own cell"


def check_budget(record: Record) -> Check:
    """Compare each trial's place, levels and length with the plan, and the sum of all epochs with its budget."""
    plan = record.plan
    planned = plan.num_search_trials + plan.num_confirm_trials
    num_epochs = len(record.rows.epochs)
    return Check(
        name="I2",
        rule=RULE,
        looked_at=f"{count(len(record.trials))} of {count(planned)} trials, {count(num_epochs)} of at most "
        f"{count(plan.max_network_epochs)} epochs of one network",
        faults=[
            *_too_many(record),
            *(fault for trial in record.trials for fault in _misplaced(record, trial)),
            *_too_long(record, num_epochs),
        ],
    )


def _too_many(record: Record) -> Iterator[str]:
    plan = record.plan
    phases = Counter(trial["phase"] for trial in record.trials)
    for phase, most in ((Phase.SEARCH, plan.num_search_trials), (Phase.CONFIRM, plan.num_confirm_trials)):
        if phases[phase] > most:
            yield f"{count(phases[phase])} trials in the {phase} phase, where {count(most)} are planned"


def _misplaced(record: Record, trial: dict[str, Any]) -> Iterator[str]:
    number, phase, cell = trial["number"], trial["phase"], trial["cell"]
    expected = _place(record, number)
    if expected is None:
        yield f"trial {number} is not one of the plan's"
        return
    if (phase, cell) != expected:
        where = ", ".join(str(part) if part in tuple(Phase) else f"cell {part}" for part in (phase, cell))
        yield f"trial {number} is in {where}; its place is the {expected[0]} phase, cell {expected[1]}"
        return
    yield from _odd_params(record, trial)


def _place(record: Record, number: int) -> tuple[Phase, int | None] | None:
    """Return the phase and cell of a trial number by the plan; None if the plan has no such number."""
    plan, num_cells = record.plan, len(record.cells)
    if not 1 <= number <= plan.num_search_trials + plan.num_confirm_trials:
        return None
    phase = Phase.SEARCH if number <= plan.num_search_trials else Phase.CONFIRM
    first = 1 if phase is Phase.SEARCH else plan.num_search_trials + 1
    return phase, (number - first) % num_cells + 1 if num_cells else None


def _odd_params(record: Record, trial: dict[str, Any]) -> Iterator[str]:
    number, params, study = trial["number"], trial["params"], record.plan.study
    names = {*study.factors, *study.nuisances}
    if not isinstance(params, dict) or set(params) != names:
        given = ", ".join(sorted(params)) if isinstance(params, dict) else "nothing readable"
        yield f"trial {number} has values of {given}; the plan asks for {', '.join(sorted(names))}"
        return
    for factor, levels in study.factors.items():
        allowed = [record.cells[trial["cell"]][factor]] if record.cells else [_plain(each) for each in levels]
        if params[factor] not in allowed:
            yield f"trial {number} was trained at {factor} {params[factor]}; the plan says {allowed}"


def _plain(level: Any) -> Any:
    return list(level) if isinstance(level, tuple) else level


def _too_long(record: Record, num_epochs: int) -> Iterator[str]:
    last = record.plan.study.confirm.epochs
    long = [trial["number"] for trial in record.trials if (trial["epochs"] or 0) > last]
    if long:
        yield f"{named(long)}: trained for more than the plan's {last} epochs"
    if num_epochs > record.plan.max_network_epochs:
        yield f"{count(num_epochs)} epochs, more than all networks may have together"
