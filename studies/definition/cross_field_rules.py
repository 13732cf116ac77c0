"""Rules between the fields of a study."""

import itertools
import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, cast

from optuna.distributions import BaseDistribution, CategoricalDistribution

from search_spaces import Value, spaces
from studies.base.messages import show
from studies.definition import training_rules
from studies.definition.fields import MOST_ERRORS
from studies.definition.parts import MIN_BLOCKS_OF_LOOKS
from studies.definition.ranges import num_values
from trainables.data.tables.table_options import is_user_file


def disagreements(values: Mapping[str, Any], broken: set[str]) -> list[str]:
    """Return the mistakes between fields; `values` holds the fields that are right by themselves, in canonical form.

    A rule is skipped where a field that it needs is missing from `values`, or where a hyperparameter that it needs is
    in `broken`: that mistake has been reported already.
    """
    found = [
        *rungs_are_geometric(values),
        *search_ends_where_confirm_ends(values),
        *trials_are_counted_once(values),
        *best_are_among_the_trials(values),
        *looks_begin_with_the_replicates(values),
        *shares_stay_within_five_per_cent(values),
        *_user_file_has_a_target(values),
        *_rare_classes_have_a_count(values),
        *_one_role_each(values),
        *_default_is_of_what_is_searched(values, broken),
    ]
    if not {"width", "depth"} & broken:
        found += _list_widths_fit_depth(values)
    if not broken:
        found += _ranges_cover_optimizers(values) or [*_sampler_suits(values), *_enough_to_search(values)]
        found += _weight_decay_suits(values)
        found += training_rules.least_rate_is_below_the_rates(values)
        found += training_rules.monitor_is_looked_at(values)
        found += training_rules.patience_ends_within_the_epochs(values)
        found += training_rules.plateaus_come_before_the_end(values)
    return found


def _user_file_has_a_target(values: Mapping[str, Any]) -> Iterator[str]:
    if "dataset" not in values or "target" not in values:
        return
    is_own, target = is_user_file(values["dataset"]), values["target"]
    if is_own and target is None:
        kind = values["dataset"].partition(":")[0]
        yield (
            f"target must name the column of the classes where dataset is {kind}:PATH; got null, which means none "
            "(a column that is called null: --set 'target=\"null\"')"
        )
    stray = {
        "target": target,
        "columns": values["columns"] or None,
        "header": None if values.get("header", True) else False,
        "join_labels": values.get("join_labels") or None,
    }
    for field, value in stray.items():
        if not is_own and value is not None:
            yield (
                f"{field} belongs to a dataset csv:PATH or parquet:PATH, and dataset is {values['dataset']}; "
                f"got {show(value)}"
            )
    if values["dataset"].startswith("parquet:") and not values.get("header", True):
        yield "header belongs to a dataset csv:PATH: a Parquet file always names its columns; got false"


def _rare_classes_have_a_count(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("rare_classes") == "merge" and values.get("min_class_count", 0) is None:
        yield (
            "rare_classes is for classes with fewer rows than min_class_count, which is null; got "
            '"merge": set min_class_count, too'
        )


def shares_stay_within_five_per_cent(values: Mapping[str, Any]) -> Iterator[str]:
    """All families of claims together may be wrong in 5 % of studies."""
    shares = {name: value for name, value in values.items() if name.startswith("error_shares.")}
    total = math.fsum(shares.values())
    if total > MOST_ERRORS * (1 + 1e-9):
        yield (
            f"error_shares must add up to at most {MOST_ERRORS:g}, the share of studies that may say anything false; "
            f"they add up to {total:g}: lower one of them, such as {max(shares, key=lambda name: shares[name])}"
        )


def _one_role_each(values: Mapping[str, Any]) -> Iterator[str]:
    for name in [n for n in values["factors"] if n in values["nuisances"]]:
        yield f"nuisances.{name}: {name} is a factor already, and has one role only: leave it out of one of the two"
    for name in values["fixed"]:
        role = next((role for role in ("factor", "nuisance") if name in values[f"{role}s"]), None)
        if role is not None:
            yield f"fixed.{name}: {name} is a {role} already, and has one role only: leave it out of one of the two"


def _default_is_of_what_is_searched(values: Mapping[str, Any], broken: set[str]) -> Iterator[str]:
    default = values["confirm.default"]
    if default and values.get("search.trials_per_cell") is not None and values.get("search.trials") is None:
        yield f"confirm.default belongs to a study without cells (search.trials); got {show(default)}"
        return
    for name in [n for n in default if n not in {*values["factors"], *values["nuisances"], *broken}]:
        yield f"confirm.default.{name}: {name} is neither a factor nor a nuisance; set fixed.{name} for all trials"


def _list_widths_fit_depth(values: Mapping[str, Any]) -> Iterator[str]:
    """A list of widths needs a depth equal to its length everywhere; without a depth its length sets it."""
    if "depth" in values["nuisances"]:
        depths: list[Value] = ["a range"]
    else:
        depths = _values_of("depth", values)
    pairs = list(product(_values_of("width", values), depths))
    default = values["confirm.default"]
    if default and "depth" in {*values["factors"], *values["nuisances"], *values["fixed"]}:
        fixed = {name: values["fixed"].get(name, spaces()[name].default) for name in ("width", "depth")}
        pairs.append((default.get("width", fixed["width"]), default.get("depth", fixed["depth"])))
    for width, depth in pairs:
        if isinstance(width, tuple) and len(width) != depth:
            yield (
                f"width {show(width)} has one entry for each of {len(width)} hidden layers, but depth is {depth}: "
                f"use one number, or make depth {len(width)} everywhere, or leave depth out"
            )
            return


def _values_of(name: str, values: Mapping[str, Any]) -> list[Value]:
    if name in values["factors"]:
        return list(values["factors"][name])
    return [values["fixed"][name]] if name in values["fixed"] else []


def _ranges_cover_optimizers(values: Mapping[str, Any]) -> list[str]:
    by_optimizer = {name: r for name, r in values["nuisances"].items() if isinstance(r, Mapping)}
    if by_optimizer and "optimizer" in values["nuisances"]:
        name = next(iter(by_optimizer))
        return [
            f"nuisances.{name}: ranges by optimizer need optimizer as a factor or fixed; it is a nuisance"
        ]
    return [
        f"nuisances.{name} must have a range for every optimizer of the study; {optimizer} has none"
        for name, ranges in by_optimizer.items()
        for optimizer in _optimizers(values)
        if optimizer not in ranges
    ]


def _weight_decay_suits(values: Mapping[str, Any]) -> Iterator[str]:
    """AdamW adds no penalty to the gradient, so `weight_decay` must be 0 there."""
    decay = values["nuisances"].get("weight_decay")
    own = decay.get("adamw") if isinstance(decay, Mapping) else decay
    decays = [*_values_of("weight_decay", values), *([] if own is None else ["a range"])]
    tuned = values["nuisances"].get("optimizer")
    optimizers = tuned.choices if isinstance(tuned, CategoricalDistribution) else _optimizers(values)
    if "adamw" in optimizers and any(decays):
        yield (
            f"weight_decay must be 0 with adamw, which has decoupled_weight_decay instead; got {show(decays[-1])}"
        )


def _optimizers(values: Mapping[str, Any]) -> list[str]:
    return cast(list[str], _values_of("optimizer", values) or [spaces()["optimizer"].default])


def _ranges(values: Mapping[str, Any], optimizer: str) -> list[BaseDistribution]:
    return [r[optimizer] if isinstance(r, Mapping) else r for r in values["nuisances"].values()]


def _sampler_suits(values: Mapping[str, Any]) -> Iterator[str]:
    counted_twice = None not in (values.get("search.trials"), values.get("search.trials_per_cell"))
    if values.get("search.sampler") != "qmc" or "search.trials" not in values or counted_twice:
        return
    ranges = [r for optimizer in _optimizers(values) for r in _ranges(values, optimizer)]
    categories = any(isinstance(r, CategoricalDistribution) for r in ranges)
    if categories or (values["search.trials"] is not None and values["factors"]):
        what = "some nuisances are" if categories else "without cells factors are searched as"
        yield f'search.sampler must be tpe or random, as {what} categories and qmc knows numbers only; got "qmc"'


def _enough_to_search(values: Mapping[str, Any]) -> Iterator[str]:
    """A configuration is trained once, so a search cannot have more trials than there are configurations."""
    if not {"search.trials", "search.trials_per_cell"} <= set(values):
        return
    in_all, per_cell = values["search.trials"], values["search.trials_per_cell"]
    tunings = [math.prod(map(num_values, _ranges(values, optimizer))) for optimizer in _optimizers(values)]
    if in_all is None and per_cell is not None and per_cell > min(tunings):
        yield (
            f"search.trials_per_cell must be at most {min(tunings)}, the number of different configurations that its "
            f"nuisances give a cell; got {per_cell}"
        )
    combinations = math.prod(map(len, values["factors"].values()))
    if per_cell is None and in_all is not None and in_all > combinations * max(tunings):
        yield (
            f"search.trials must be at most {combinations * max(tunings)}, the number of different configurations of "
            f"its factors and nuisances; got {in_all}"
        )


def rungs_are_geometric(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if a rung is not the one before it times the reduction factor, as ASHA requires."""
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
    """Yield a mistake if the search ends at another epoch than the confirm phase trains to."""
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
    """Yield a mistake if a study counts its trials both in all and by cell, or neither."""
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
    """Yield a mistake if the first look differs from `replicates`, or if a study that cannot have looks has some."""
    if not {"looks", "replicates"} <= set(values) or not values["looks"]:
        return
    looks, replicates = values["looks"], values["replicates"]
    if looks[0] != replicates:
        yield f"looks must begin with replicates, {replicates}; got {show(looks)}: set replicates={looks[0]}"
    if values.get("search.trials") is not None:
        yield f"looks belong to a study with cells, which this one is not; got {show(looks)}: leave them out"
    elif len(looks) > 1 and looks[0] < MIN_BLOCKS_OF_LOOKS:
        yield (
            f"several looks need at least {MIN_BLOCKS_OF_LOOKS} blocks at the first one, as no claim is made with "
            f"fewer; got {show(looks)}: leave looks out, or let them and replicates begin at {MIN_BLOCKS_OF_LOOKS}"
        )


def best_are_among_the_trials(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if more configurations are confirmed than are tried."""
    trials, best = values.get("search.trials"), values.get("confirm.best")
    if trials is not None and best is not None and best > trials:
        yield f"confirm.best must be at most search.trials, {trials}; got {best}"


def _is_geometric(rungs: tuple[int, ...], factor: int) -> bool:
    return all(later == earlier * factor for earlier, later in itertools.pairwise(rungs))
