"""Configurations proposed by an in-memory Optuna study, for one group of trials that ASHA compares."""

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces import Value
from studies.base.errors import StudiesError
from studies.definition.study import Study
from studies.planning.plan import Cell
from trainables.base.metrics import Direction
from trainables.base.seeds import derive_seed, seed_for_libraries

MAX_REPEATS = 1000
"""Consecutive repeated proposals after which the search space counts as exhausted."""


LEARNS = "tpe"
"""The sampler whose proposals depend on the results so far."""
POINTS_AT_ONCE = 16
"""Points of the quasi-random sequence drawn at a time; a power of two, at which the sequence is balanced."""


class _GivenSpaceQMC(QMCSampler):
    """A quasi-random sampler with a given search space; Optuna's own would draw its first point at random.

    It keeps its sequence and draws several points at a time, because Optuna rebuilds the sequence for every point and
    skips through all earlier ones.
    """

    def __init__(self, space: Mapping[str, BaseDistribution], seed: int) -> None:
        with warnings.catch_warnings():
            # Optuna has called this sampler experimental since 3.0.
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                scramble=True,
                seed=seed,
                independent_sampler=RandomSampler(seed=seed),
                warn_asynchronous_seeding=False,
                warn_independent_sampling=False,
            )
        self._given = {n: d for n, d in space.items() if not isinstance(d, CategoricalDistribution)}
        self._points = self._sequence()

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._given

    def _sample_qmc(self, study: optuna.Study, search_space: dict[str, BaseDistribution]) -> np.ndarray:
        return next(self._points)

    def _sequence(self) -> Iterator[np.ndarray]:
        """Yield the points of the sequence that Optuna would build, each with shape (1, dimensions)."""
        from scipy.stats import qmc  # slow to import, and not needed by a plan

        sequence = qmc.Sobol(len(self._given), seed=self._seed, scramble=self._scramble)
        while True:
            points = sequence.random(POINTS_AT_ONCE)
            yield from (points[row : row + 1] for row in range(POINTS_AT_ONCE))


class Proposals:
    """Proposes the configurations of one group's trials, and learns from their results.

    With a cell, the cell's levels are given and the nuisances proposed; without, factors and nuisances alike. The
    sampler's seed comes from the study's seed, the cell's content and a trial's place among its group (0, 1, ...),
    so the same history gives the same proposals.
    """

    def __init__(self, study: Study, *, seed: int, cell: Cell | None) -> None:
        """Start without history; `cell` is None for a study without cells."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study, self._seed, self._cell = study, seed, cell
        self._levels: Mapping[str, Value] = {} if cell is None else cell.levels
        self._key = "" if cell is None else cell.key
        self._learns = study.search.sampler == LEARNS
        self._sampler = self._qmc() if study.search.sampler == "qmc" else RandomSampler(seed=0)
        self._optuna = self._without_history()
        self._num_asked = 0
        self._running: dict[int, optuna.Trial] = {}
        self._known: set[str] = set()

    def ask(self, number: int, *, place: int) -> dict[str, Value]:
        """Return the parameters of a new trial: factors and nuisances, never a repetition.

        `place` counts the trials of the group from 0. Raises StudiesError if the search space is exhausted.
        """
        for attempt in range(MAX_REPEATS):
            self._forget()
            self._reseed(place, attempt)
            trial = self._optuna.ask()
            params = self._suggest(trial)
            text = json.dumps(params, sort_keys=True)
            if text not in self._known:
                self._known.add(text)
                if self._learns:
                    self._running[number] = trial
                return params
            if self._learns:
                self._optuna.tell(trial, state=TrialState.FAIL)
        raise StudiesError(
            f"the search space is exhausted: {self._study.search.sampler} proposed nothing new in {MAX_REPEATS} tries",
            "Ask for fewer trials (search.trials or search.trials_per_cell) or widen a nuisance.",
        )

    def replay(self, number: int, params: Mapping[str, Value], *, place: int) -> bool:
        """Add a trial of an earlier run as running; return whether it would be proposed again.

        A quasi-random sampler is asked again, because its place in the sequence cannot be set; the others learn
        from the history alone.
        """
        if self._study.search.sampler == "qmc":
            return self.ask(number, place=place) == dict(params)
        self._known.add(json.dumps(dict(params), sort_keys=True))
        if not self._learns:
            return True
        storage, study_id = self._optuna._storage, self._optuna._study_id
        trial_id = storage.create_new_trial(study_id, template_trial=self._frozen(params))
        self._running[number] = optuna.Trial(self._optuna, trial_id)
        return True

    def report(self, number: int, *, epoch: int, objective: float) -> None:
        """Pass a trial's objective after `epoch` to Optuna."""
        if self._learns:
            self._running[number].report(objective, step=epoch)

    def complete(self, number: int, objective: float) -> None:
        """Tell Optuna that a trial reached the last rung."""
        if self._learns:
            self._optuna.tell(self._running.pop(number), objective)

    def prune(self, number: int) -> None:
        """Tell Optuna that ASHA stopped a trial; its intermediate values remain in the history."""
        if self._learns:
            self._optuna.tell(self._running.pop(number), state=TrialState.PRUNED)

    def fail(self, number: int) -> None:
        """Tell Optuna that a trial failed."""
        if self._learns:
            self._optuna.tell(self._running.pop(number), state=TrialState.FAIL)

    def trials(self) -> list[FrozenTrial]:
        """Return the history as Optuna's trials, of a sampler that learns from it."""
        return self._optuna.get_trials(deepcopy=False)

    def _without_history(self) -> optuna.Study:
        return optuna.create_study(direction=optuna_direction(self._study), sampler=self._sampler)

    def _forget(self) -> None:
        """Begin a new history now and then, where the sampler does not learn from it: it would only take memory."""
        if not self._learns:
            self._num_asked += 1
            if self._num_asked % POINTS_AT_ONCE == 0:
                self._optuna = self._without_history()

    def _qmc(self) -> BaseSampler:
        seed = seed_for_libraries(derive_seed(self._seed, "sampler", self._key))
        space = {name: d for name, d in self._space().items() if isinstance(d, BaseDistribution)}
        return _GivenSpaceQMC(space, seed)

    def _reseed(self, place: int, attempt: int) -> None:
        seed = seed_for_libraries(derive_seed(self._seed, "sampler", self._key, place, attempt))
        match self._study.search.sampler:
            case "tpe":
                self._optuna.sampler = TPESampler(seed=seed)
            case "random":
                self._optuna.sampler = RandomSampler(seed=seed)

    def _space(self) -> dict[str, BaseDistribution | Mapping[str, BaseDistribution]]:
        if self._cell is not None:
            return dict(self._study.nuisance_distributions(self._levels))
        factors = {
            name: CategoricalDistribution([as_optuna_choice(level) for level in levels])
            for name, levels in self._study.factors.items()
        }
        return {**factors, **cast(Mapping[str, BaseDistribution], self._study.nuisances)}

    def _suggest(self, trial: optuna.Trial) -> dict[str, Value]:
        levels = dict(self._levels)
        if self._cell is None:
            for name, values in self._study.factors.items():
                choices = {as_optuna_choice(value): value for value in values}
                levels[name] = choices[trial.suggest_categorical(name, list(choices))]
        distributions = self._study.nuisance_distributions(levels)
        nuisances = {
            name: _suggest(trial, self._parameter(name, levels), distribution)
            for name, distribution in distributions.items()
        }
        return {**levels, **nuisances}

    def _parameter(self, name: str, levels: Mapping[str, Value]) -> str:
        """Return a nuisance's name in Optuna: one whose range differs by optimizer is one parameter per optimizer."""
        if self._cell is None and isinstance(self._study.nuisances[name], Mapping):
            return f"{name}.{({**self._study.fixed, **levels})['optimizer']}"
        return name

    def _frozen(self, params: Mapping[str, Value]) -> FrozenTrial:
        values: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        levels = dict(self._levels)
        if self._cell is None:
            for name, choices in self._study.factors.items():
                levels[name] = params[name]
                values[name] = as_optuna_choice(params[name])
                distributions[name] = CategoricalDistribution(
                    [as_optuna_choice(choice) for choice in choices]
                )
        for name, distribution in self._study.nuisance_distributions(levels).items():
            parameter = self._parameter(name, levels)
            values[parameter], distributions[parameter] = params[name], distribution
        return create_trial(state=TrialState.RUNNING, params=values, distributions=distributions)


def optuna_direction(study: Study) -> StudyDirection:
    """Return the direction of a study's objective as Optuna's enum."""
    return StudyDirection.MINIMIZE if study.direction is Direction.MIN else StudyDirection.MAXIMIZE


def as_optuna_choice(level: Any) -> bool | int | float | str | None:
    """Return a level as Optuna can keep it: a list of widths, which a frame may hold as a list, is its JSON text."""
    if isinstance(level, tuple | list):
        return json.dumps(level)
    return cast(bool | int | float | str | None, level)


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Value:
    match distribution:
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_float(name, low, high, log=log, step=step)
        case IntDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case CategoricalDistribution(choices=choices):
            return cast(Value, trial.suggest_categorical(name, list(choices)))
    raise AssertionError(f"unknown distribution {distribution!r}")
