"""Rules between the fields of a study: what must agree though each field is right by itself."""

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, cast

from optuna.distributions import BaseDistribution, CategoricalDistribution

from search_spaces import Value, spaces
from studies.base.messages import show
from studies.definition import budgets, training_rules
from studies.definition.ranges import num_values
from trainables.data.tables.table_options import is_own_file


def disagreements(values: Mapping[str, Any], broken: set[str]) -> list[str]:
    """Return the mistakes between fields, given those that are right by themselves, each in its one form.

    A rule is silent where a field that it needs is missing from `values`, or where a hyperparameter that it needs is
    in `broken`: that mistake has been told already.
    """
    found = [
        *budgets.rungs_are_geometric(values),
        *budgets.search_ends_where_confirm_ends(values),
        *budgets.trials_are_counted_once(values),
        *budgets.best_are_among_the_trials(values),
        *budgets.looks_begin_with_the_replicates(values),
        *_own_file_has_a_target(values),
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


def _own_file_has_a_target(values: Mapping[str, Any]) -> Iterator[str]:
    if "dataset" not in values or "target" not in values:
        return
    is_own, target = is_own_file(values["dataset"]), values["target"]
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
    """A list names one width a layer, so that every depth must be its length; without a depth it sets it."""
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
    """AdamW has no penalty in the gradient, so that another `weight_decay` than 0 would do nothing there."""
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
    """A configuration is trained once, so that a search cannot ask for more trials than there are."""
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
