"""Rules about a study's budget: its trials, and the epochs at which they are compared and confirmed."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from studies.base.messages import show


def rungs_are_geometric(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistake if a rung is not the one before times the reduction factor, as ASHA needs it."""
    if not {"search.rungs", "search.reduction_factor"} <= set(values):
        return
    rungs, factor = values["search.rungs"], values["search.reduction_factor"]
    if not _is_geometric(rungs, factor):
        nearest = [rungs[0] * factor**k for k in range(len(rungs))]
        other = rungs[1] // rungs[0]
        or_factor = (
            f", or search.reduction_factor={other}"
            if 2 <= other <= 10 and _is_geometric(rungs, other)
            else ""
        )
        yield (
            f"search.rungs must each be {factor} (search.reduction_factor) times the one before; "
            f"got {show(rungs)}: set search.rungs={show(nearest)}{or_factor}"
        )


def search_ends_where_confirm_ends(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistake if values are chosen at another epoch than the one they are used for."""
    if not {"search.rungs", "search.reduction_factor", "confirm.epochs"} <= set(values):
        return
    rungs, factor, epochs = (values[f] for f in ("search.rungs", "search.reduction_factor", "confirm.epochs"))
    if not _is_geometric(rungs, factor) or rungs[-1] == epochs:
        return
    # For someone who wants these epochs: as many rungs, and the nearest epochs that divide so often.
    first = max(1, round(epochs / factor ** (len(rungs) - 1)))
    ladder = [first * factor**k for k in range(len(rungs))]
    and_epochs = "" if ladder[-1] == epochs else f" with confirm.epochs={ladder[-1]}"
    yield (
        f"confirm.epochs must be the last of search.rungs, as what is best depends on the epochs; got {epochs} "
        f"with search.rungs {show(rungs)}: set search.rungs={show(ladder)}{and_epochs}, or confirm.epochs={rungs[-1]}"
    )


def trials_are_counted_once(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistake if a study counts its trials both in all and by cell, or neither."""
    if not {"search.trials", "search.trials_per_cell"} <= set(values):
        return
    in_all, per_cell = values["search.trials"], values["search.trials_per_cell"]
    if in_all is None and per_cell is None:
        yield "search.trials_per_cell must be a number, or search.trials in a study without cells; got null for both"
    if in_all is not None and per_cell is not None:
        yield (
            f"search.trials counts the trials of a study without cells, which this one is not; got {in_all}: set "
            f"search.trials_per_cell instead, now {per_cell}, or set it to null to search without cells"
        )


def looks_begin_with_the_replicates(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistake if the first look has other blocks than the search, or a study without cells has looks."""
    if not {"looks", "replicates"} <= set(values) or not values["looks"]:
        return
    looks, replicates = values["looks"], values["replicates"]
    if looks[0] != replicates:
        yield f"looks must begin with replicates, {replicates}; got {show(looks)}: set replicates={looks[0]}"
    if values.get("search.trials") is not None:
        yield f"looks belong to a study with cells, which this one is not; got {show(looks)}: leave them out"


def best_are_among_the_trials(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the mistake if more configurations are to be confirmed than are tried."""
    trials, best = values.get("search.trials"), values.get("confirm.best")
    if trials is not None and best is not None and best > trials:
        yield f"confirm.best must be at most search.trials, {trials}; got {best}"


def _is_geometric(rungs: tuple[int, ...], factor: int) -> bool:
    return all(later == earlier * factor for earlier, later in itertools.pairwise(rungs))
