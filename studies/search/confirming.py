"""What the confirm phase trains: a cell's best configuration at each look, or the best of a sweep and its default."""

from collections.abc import Iterable, Mapping

from search_spaces import Value
from studies.planning.plan import Cell, Plan
from studies.planning.planned_trial import PlannedTrial, rank
from studies.planning.trial_numbers import Numbering

Configuration = tuple[Cell | None, Mapping[str, Value]]
"""A cell, if the study has cells, and the values that the confirm phase trains it with."""
Numbered = tuple[int, Configuration]


def of_cell(numbering: Numbering, cell: Cell, best: PlannedTrial | None, num_looks: int) -> list[Numbered]:
    """Return what is trained of a cell up to a look, by number; nothing where every search trial of it failed."""
    if best is None:
        return []
    return [(numbering.confirm(cell.number, look=look), (cell, best.params)) for look in range(num_looks)]


def of_sweep(
    numbering: Numbering, plan: Plan, search: Iterable[PlannedTrial], *, mode: str
) -> list[Numbered]:
    """Return the best configurations of a study without cells and the stated default, by number."""
    confirm = plan.study.confirm
    params = [trial.params for trial in rank(search, mode=mode)[: confirm.best]]
    if confirm.default:
        params.append(_default_params(plan))
    return [(numbering.num_search_trials + place, (None, each)) for place, each in enumerate(params, start=1)]


def _default_params(plan: Plan) -> Mapping[str, Value]:
    """Return the stated default of every factor and nuisance."""
    everything = plan.hyperparameters(plan.study.confirm.default)
    return {name: everything[name] for name in (*plan.study.factors, *plan.study.nuisances)}
