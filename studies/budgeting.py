"""A plan cut to a time that it may take: what harms the answer least is given up first, and told."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from studies.errors import UsageError
from studies.planning import Plan
from studies.study import Study

MIN_CLAIM_REPLICATES = 10
"""Blocks below which no gate lets a claim pass."""
MIN_TRIALS = 3
"""Trials of a cell below which its learning rate is hardly tuned."""

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_TIME = re.compile("".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?){unit})?" for unit in _SECONDS))


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A plan that fits, the seconds that it is predicted to take, and a line for each thing given up."""

    plan: Plan
    seconds: float
    given_up: tuple[str, ...]


def parse_budget(text: str) -> float:
    """Return the seconds of a time such as 90s, 30m, 2h or 1h30m; anything else is a UsageError.

    >>> parse_budget("1h30m"), parse_budget("0.5h")
    (5400.0, 1800.0)
    """
    found = _TIME.fullmatch(text.strip())
    seconds = 0.0
    if found is not None:
        seconds = sum(float(found[unit] or 0) * length for unit, length in _SECONDS.items())
    if not seconds:
        raise UsageError(
            [f"--budget must be a time such as 90s, 30m, 2h or 1h30m; got {text!r}"],
            "Give it in days, hours, minutes or seconds.",
        )
    return seconds


def fit(plan: Plan, budget_seconds: float, predict: Callable[[Plan], float]) -> Fitted:
    """Return the plan that gives up least of what was asked for and is predicted to take no longer than the budget.

    Replicates go first, down to the ten that a claim needs, then trials, then epochs; looks go with the replicates.
    A plan of fewer than ten replicates wants no claim and keeps its replicates. Raises UsageError with the least time
    where nothing fits. `predict` returns a plan's seconds.
    """
    shortest = None
    for study in _cuts(plan.study):
        cut = replace(plan, study=study)
        seconds = predict(cut)
        if seconds <= budget_seconds:
            return Fitted(plan=cut, seconds=seconds, given_up=tuple(_given_up(plan.study, study)))
        shortest = seconds if shortest is None else min(shortest, seconds)
    assert shortest is not None, "the plan itself is the first of its cuts"
    raise UsageError(
        [
            f"--budget {told(budget_seconds)} is too short: the least that answers takes about {told(shortest)}"
        ],
        f"Give --budget {told(shortest * 1.2)}, fewer levels, or --profile smoke, which points and claims nothing.",
    )


def told(seconds: float) -> str:
    """Return a time as people say it.

    >>> told(5400), told(42.3), told(7200)
    ('1h30m', '43s', '2h')
    """
    if seconds < 60:
        return f"{int(seconds + 0.999)}s"
    hours, minutes = divmod(int(seconds / 60 + 0.999), 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"


def _cuts(study: Study) -> Iterator[Study]:
    """Yield the study and ever smaller ones: each thing given up is at its least before the next is touched."""
    yield study
    for cut in (_fewer_replicates, _fewer_trials, _fewer_epochs):
        for smaller in cut(study):
            study = smaller
            yield study


def _fewer_replicates(study: Study) -> Iterator[Study]:
    """Yield fewer and fewer replicates; the search and the first look have as many as are left."""
    if study.looks:
        study = replace(study, looks=())
        yield study
    for replicates in range(study.replicates - 1, MIN_CLAIM_REPLICATES - 1, -1):
        yield replace(study, replicates=replicates)


def _fewer_trials(study: Study) -> Iterator[Study]:
    search = study.search
    if search.trials_per_cell is not None:
        for trials in range(search.trials_per_cell - 1, MIN_TRIALS - 1, -1):
            yield replace(study, search=replace(search, trials_per_cell=trials))
    elif search.trials is not None:
        for trials in range(search.trials - 1, study.confirm.best, -1):
            yield replace(study, search=replace(search, trials=trials))


def _fewer_epochs(study: Study) -> Iterator[Study]:
    first, *_ = rungs = study.search.rungs
    for shorter in range(first - 1, 0, -1):
        ladder = tuple(shorter * rung // first for rung in rungs)
        confirm = replace(study.confirm, epochs=ladder[-1])
        yield replace(study, search=replace(study.search, rungs=ladder), confirm=confirm)


def _given_up(asked: Study, got: Study) -> Iterator[str]:
    if asked.all_looks != got.all_looks:
        looks = f" in looks at {', '.join(map(str, asked.looks))}" if len(asked.all_looks) > 1 else ""
        wider = (asked.all_looks[-1] / got.replicates) ** 0.5
        yield (
            f"{got.replicates} replicates instead of {asked.all_looks[-1]}{looks}: "
            f"intervals about {wider:.1f} times as wide"
        )
    trials = [study.search.trials_per_cell or study.search.trials for study in (asked, got)]
    if trials[0] != trials[1]:
        unit = " in a cell" if asked.has_cells else ""
        yield f"{trials[1]} trials{unit} instead of {trials[0]}: learning rates tuned less well"
    if asked.confirm.epochs != got.confirm.epochs:
        yield (
            f"{got.confirm.epochs} epochs instead of {asked.confirm.epochs}: the answer is about that many epochs"
        )
