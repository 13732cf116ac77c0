"""Rules about training: learning-rate schedules, and settings that have an effect only together with others."""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces import Value, spaces
from studies.base.messages import show
from studies.definition.ranges import ends
from trainables.training.schedules import PLATEAU_PATIENCE


def least_rate_is_below_the_rates(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if `min_lr` is above a learning rate, or is set where no schedule falls to it."""
    floors, schedules = [*map(float, _ends("min_lr", values))], _ends("schedule", values)
    if not {"plateau", "cosine"} & set(schedules):
        if any(floors):
            yield (
                f"min_lr must be 0 unless schedule is plateau or cosine; got {show(max(floors))} with schedule "
                f"{', '.join(schedules)}"
            )
        return
    lowest = min(_ends("learning_rate", values))
    if max(floors) > lowest:
        yield (
            f"min_lr must be at most the lowest learning_rate of the study, {show(lowest)}; got {show(max(floors))}"
        )


def monitor_is_looked_at(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if the study sets a monitor that neither its schedule nor early stopping uses."""
    is_used = "plateau" in _ends("schedule", values) or any(_ends("patience", values))
    if not is_used and "val_accuracy" in _ends("monitor", values):
        yield (
            "monitor is what the schedule plateau and early stopping (patience) look at, and this study has neither; "
            'got "val_accuracy": leave it out'
        )


def patience_ends_within_the_epochs(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if no network could stop before its last epoch."""
    epochs, patience = values.get("confirm.epochs"), longest_patience(values)
    if epochs is not None and patience >= epochs:
        yield (
            f"patience must be below confirm.epochs, {epochs}, or no network can stop early; got {patience}: lower it, "
            "or set it to null"
        )


def longest_patience(values: Mapping[str, Any]) -> int:
    """Return the longest patience that occurs in a study, in epochs; 0 if networks never stop early."""
    return max(map(int, filter(None, _ends("patience", values))), default=0)


def plateaus_come_before_the_end(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mistake if early stopping always ends training before the schedule `plateau` lowers the rate."""
    patience = min(map(int, filter(None, _ends("patience", values))), default=None)
    least = PLATEAU_PATIENCE + 1
    if patience is not None and patience <= least and "plateau" in _ends("schedule", values):
        yield (
            f"patience must be above {least} with schedule plateau, whose rate falls after {least} epochs without "
            f"improvement: a network would stop first; got {patience}"
        )


def _ends(name: str, values: Mapping[str, Any]) -> list[Any]:
    """Return every value that a hyperparameter may take in a study; of a range its two ends."""
    found: list[Value] = [values["confirm.default"][name]] if name in values["confirm.default"] else []
    if name in values["factors"]:
        return [*found, *values["factors"][name]]
    if name in values["nuisances"]:
        range_ = values["nuisances"][name]
        if not isinstance(range_, Mapping):
            return [*found, *ends(range_)]
        optimizers = _ends("optimizer", values)
        return [*found, *(end for each in optimizers if each in range_ for end in ends(range_[each]))]
    return [*found, values["fixed"].get(name, spaces()[name].default)]
