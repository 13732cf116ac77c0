"""The plan of a study: exactly what is trained, frozen and hashed before the first trial."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from search_spaces import Value
from search_spaces.rules import is_whole
from studies.base.errors import DamagedRecordError, UsageError
from studies.base.messages import mistake, show
from studies.base.states import Phase
from studies.definition import plan_versions
from studies.definition.as_recorded import study_as_recorded
from studies.definition.serialization import plain_study
from studies.definition.study import Study
from studies.planning.plan_size import PlanSize
from trainables.user_code.code import OWN, UserCode

if TYPE_CHECKING:
    from trainables.networks.module_stack import BuildModule
    from trainables.user_code.loop import Loop


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of factor levels: its number, from 1, and its levels as canonical JSON, for seeds."""

    number: int
    levels: Mapping[str, Value] = field(hash=False)
    key: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A named study with the seed, dataset fingerprint and source hash that it is run with.

    `version` says which rules it is trained and counted by (`studies.definition.plan_versions`).
    Raises UsageError if the seed is not a whole number from 0 to 2^63 - 1.

    >>> from studies.study import Search, Study
    >>> study = Study(question="Does depth help?", factors={"depth": (3, 5)}, search=Search(trials_per_cell=1))
    >>> plan = Plan(name="depth", study=study, dataset_fingerprint="1797 digits")
    >>> [cell.levels for cell in plan.cells], plan.num_networks
    ([{'depth': 3}, {'depth': 5}], 40)
    >>> Plan.from_dict("depth", plan.to_dict()).hash == plan.hash
    True
    """

    name: str
    study: Study
    seed: int = 0
    dataset_fingerprint: str
    source_hash: str | None = None
    version: int = plan_versions.TODAY
    code: UserCode | None = field(default=None, compare=False, repr=False)
    """The code of the user's file, to run it; only its hash is part of the plan."""

    def __post_init__(self) -> None:
        """Check the fields that are not part of the study, and state the looks that follow from it.

        Before version 4 a study had a single look unless it stated others.
        """
        if self.study.looks is None:
            looks = self.study.all_looks if self.version >= plan_versions.UNTIL_CLEAR else ()
            object.__setattr__(self, "study", replace(self.study, looks=looks if len(looks) > 1 else ()))
        wrong = []
        if not is_whole(self.seed, 0, 2**63 - 1):
            wrong.append(mistake("seed", "a whole number from 0 to 2^63 - 1", self.seed))
        if not isinstance(self.dataset_fingerprint, str):
            wrong.append(mistake("dataset_fingerprint", "a text", self.dataset_fingerprint))
        if not isinstance(self.source_hash, str | None):
            wrong.append(mistake("source_hash", "null or a text", self.source_hash))
        if wrong:
            raise UsageError(wrong, "Correct the plan; nothing was trained.")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination of levels in plan order, the last factor fastest; empty for a study without cells."""
        if not self.study.has_cells:
            return ()
        combinations = product(*self.study.factors.values())
        levels = [dict(zip(self.study.factors, values, strict=True)) for values in combinations]
        return tuple(
            Cell(number=number, levels=level, key=json.dumps(level, sort_keys=True, separators=(",", ":")))
            for number, level in enumerate(levels, start=1)
        )

    @property
    def size(self) -> PlanSize:
        """Number of cells, trials and networks."""
        search, confirm = self.study.search, self.study.confirm
        return PlanSize.of(
            factors=self.study.factors,
            search_trials=search.trials,
            trials_per_cell=search.trials_per_cell,
            replicates=self.study.replicates,
            looks=self.study.all_looks,
            num_confirmed=confirm.best + bool(confirm.default),
            trains_open=self.version >= plan_versions.UNTIL_CLEAR,
        )

    @property
    def num_search_trials(self) -> int:
        """Number of trials of the search phase."""
        return self.size.trials[Phase.SEARCH]

    @property
    def num_confirm_trials(self) -> int:
        """Number of trials of the confirm phase: one a cell and look, or the best and the default beside them."""
        return self.size.trials[Phase.CONFIRM]

    @property
    def num_networks(self) -> int:
        """Number of networks trained in both phases."""
        return self.size.num_networks

    @property
    def max_network_epochs(self) -> int:
        """Epochs summed over networks if ASHA stopped nothing."""
        return self.num_networks * self.study.confirm.epochs

    @property
    def expected_network_epochs(self) -> float:
        """Epochs summed over networks with the trials that ASHA keeps on average."""
        search, confirm, size = self.study.search, self.study.confirm, self.size
        brackets = size.num_cells or 1
        in_search = brackets * expected_epochs(
            self.num_search_trials // brackets, search.rungs, search.reduction_factor
        )
        return in_search * self.study.replicates + size.networks[Phase.CONFIRM] * confirm.epochs

    def up_to_look(self, num_looks: int) -> Plan:
        """Return the plan with only its first `num_looks` looks, with all of its cells at each.

        A study without cells has one look, and is returned as it is.
        """
        if not self.study.has_cells:
            return self
        return replace(self, study=replace(self.study, looks=self.study.all_looks[:num_looks]))

    def num_replicates(self, look: int) -> int:
        """Return how many blocks a look, from 0, adds: the number of replicates of its confirm trials."""
        looks = (0, *self.study.all_looks)
        return looks[look + 1] - looks[look]

    def hyperparameters(self, levels_and_nuisances: Mapping[str, Any]) -> dict[str, Value]:
        """Return every hyperparameter of one configuration: the given values, else the fixed ones, else the defaults.

        A width with one entry for each hidden layer sets the depth where the study does not.
        """
        stated = {**self.study.fixed, **levels_and_nuisances}
        width = stated.get("width")
        if isinstance(width, list | tuple):
            stated = {"depth": len(width)} | stated
        known = self.study.spaces
        return {name: space.canonical(stated.get(name, space.default)) for name, space in known.items()}

    @property
    def build(self) -> BuildModule | None:
        """The user's own build(), if the study uses one and has no train()."""
        return None if self.code is None or self.study.model != OWN or self.loop else self.code.build

    @property
    def loop(self) -> Loop | None:
        """The user's own train(), if the study uses one."""
        return None if self.code is None or self.study.model != OWN else self.code.loop

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data; the order of its fields, factors and levels is significant."""
        study = plain_study(self.study)
        return {
            # Plans of the first version state none.
            **({plan_versions.FIELD: self.version} if self.version > plan_versions.FIRST else {}),
            # Absent where unset, so that plans from before these fields existed keep their hash.
            **{
                name: study[name]
                for name in (
                    *("question", "dataset", "target", "columns", "header", "join_labels"),
                    *("min_class_count", "rare_classes", "hyperparameters"),
                )
                if name in study
            },
            "dataset_fingerprint": self.dataset_fingerprint,
            **{
                name: study[name]
                for name in (
                    *(
                        "model",
                        "objective",
                        "metrics",
                        "factors",
                        "nuisances",
                        "fixed",
                        "replicates",
                        "looks",
                    ),
                )
                if name in study  # absent where unset, for the same reason
            },
            "seed": self.seed,
            **{name: study[name] for name in ("search", "confirm", "smallest_effect")},
            **({"error_shares": study["error_shares"]} if self.version >= plan_versions.ERROR_SHARES else {}),
            "thresholds": study["thresholds"],
            "source_hash": self.source_hash,
        }

    def to_json(self) -> str:
        """Return the plan as canonical JSON: two plans are equal exactly if their texts are."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal; the study's name is not part of it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_dict(cls, name: str, data: Mapping[str, Any]) -> Self:
        """Return a recorded plan, unchecked against today's rules; the result of `to_dict` keeps its hash.

        Raises DamagedRecordError if a field holds what Studies cannot have written, and UsageError if a later version
        of Studies wrote the plan.
        """
        if not isinstance(data, Mapping):
            raise DamagedRecordError("study", name, f"plan holds {show(data)}")
        version = data.get(plan_versions.FIELD, plan_versions.FIRST)
        if not is_whole(version, plan_versions.FIRST, 10**6):
            raise DamagedRecordError("study", name, f"plan: {plan_versions.FIELD} holds {show(version)}")
        if version > plan_versions.TODAY:
            raise UsageError(
                [
                    f"study {name} has a plan of version {version}, and this Studies knows versions up to "
                    f"{plan_versions.TODAY}"
                ],
                "Use the version of Studies that recorded it, or a later one.",
            )
        own = ("seed", "dataset_fingerprint", "source_hash")
        try:
            study = study_as_recorded({k: v for k, v in data.items() if k not in (*own, plan_versions.FIELD)})
            return cls(name=name, study=study, version=version, **{field: data[field] for field in own})
        except UsageError as error:
            raise DamagedRecordError("study", name, f"plan: {error.mistakes[0]}") from error
        except KeyError as error:
            raise DamagedRecordError("study", name, f"plan: {error.args[0]} is missing") from error
        except ValueError as error:
            raise DamagedRecordError("study", name, f"plan: {error}") from error


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return one line for each field in which two plans, as `Plan.to_dict` gives them, differ.

    >>> differences({"seed": 0, "factors": {"depth": [3, 5]}}, {"seed": 0, "factors": {"depth": [3, 7]}})
    ['factors.depth: [3, 5] -> [3, 7]']
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    lines = [
        f"{field}: {before.get(field, '(absent)')} -> {after.get(field, '(absent)')}"
        for field in dict.fromkeys([*before, *after])
        if before.get(field) != after.get(field)
    ]
    orders = [list(plan.get("factors", {})) for plan in (old, new)]
    if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
        lines.append(f"order of factors: {', '.join(orders[0])} -> {', '.join(orders[1])}")
    return lines


def _leaves(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    leaves: list[tuple[str, str]] = []
    for name, value in data.items():
        is_branch = isinstance(value, Mapping) and value
        leaves += (
            _leaves(value, f"{prefix}{name}.") if is_branch else [(f"{prefix}{name}", json.dumps(value))]
        )
    return leaves


def expected_survivors(num_trials: float, reduction_factor: int) -> float:
    """Return the mean number of trials that go on past a rung when `num_trials` reach it in random order.

    Ray's AsyncHyperBandScheduler keeps a trial if it is no worse than the (1 - 1/eta) quantile, interpolated, of
    those before it, and always keeps the first. After n others a new value is equally likely to fall into each of the
    n + 1 gaps between them, so it is kept with probability (1 + (n - 1)/eta) / (n + 1). The sum over n has the form
    below, with the harmonic number written with the digamma function, so that `num_trials` need not be whole. This is
    exact for evenly spread values; where most losses are close and a few are large, slightly more trials are kept.

    >>> round(expected_survivors(6, reduction_factor=3), 2)
    3.15
    """
    from scipy.special import digamma  # here, because a typo in a command should not wait for it

    harmonic = float(digamma(num_trials + 1)) + np.euler_gamma
    return 1 + (num_trials - 1) / reduction_factor + (1 - 2 / reduction_factor) * (harmonic - 1)


def expected_epochs(num_trials: int, rungs: Sequence[int], reduction_factor: int) -> float:
    """Return the mean number of epochs, summed over `num_trials` trials that one ASHA compares.

    >>> round(expected_epochs(6, (6, 18), reduction_factor=3), 1)  # 6 x 6 + 3.15 x 12
    73.8
    """
    epochs, trials, trained = 0.0, float(num_trials), 0
    for rung in rungs:
        epochs += trials * (rung - trained)
        trials, trained = expected_survivors(trials, reduction_factor), rung
    return epochs
