"""Predicts the time that a plan takes and the width of its intervals, before anything runs."""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import torch
from scipy import stats

from reports.inputs.early_stopping import stops_early
from reports.results.results import best_of_cells
from reports.statistics.contrasts import contrasts
from studies.base.errors import UsageError
from studies.base.states import Phase
from studies.database.engines.problems import NothingYetError
from studies.database.frames import frames
from studies.database.rows import EventRow, StudyRow
from studies.database.store import Store
from studies.definition.holdout import pools_holdout
from studies.definition.metrics import plain_metrics
from studies.definition.plan_versions import ERROR_SHARES, UNTIL_CLEAR
from studies.definition.study import Study
from studies.forecast.clear_by_look import DIFFERENCES, Question, chance_clear, expected_more
from studies.forecast.gpu_fraction import advice
from studies.forecast.pace import BUSY_SHARE
from studies.forecast.pilot import Pilot, outcome_of, run_pilot
from studies.forecast.question_spreads import spreads_of_past, spreads_of_pilot
from studies.planning.plan import Plan
from studies.planning.resources import Resources, workers_here
from studies.planning.trial_numbers import Numbering
from studies.run_log.run_events import total_seconds
from studies.storage.paths import Locations
from studies.user_files.interface_checks import place_of
from studies.user_files.loader import naming_file
from trainables.base.metrics import Direction, Metric, classification
from trainables.data.dataset import Dataset
from trainables.user_code.loop import LoopError

STARTUP_SECONDS = 12.0
"""Assumed time for imports and a cold start of Ray, until a first run on this machine has measured it."""

REPORT_SECONDS = 8.0
"""Time for statistics, plots and the page of a study with 54 cells."""

LEAST_TELLING = 10
"""A pilot that trains on one example in this many, or fewer, says little about the spread between blocks."""

LEAST_TRAINED = 1 / 3
"""A pilot that trains a smaller share of the epochs says nothing about how much selected cells spread at their end."""


@dataclass(frozen=True, kw_only=True)
class LaterLooks:
    """What a plan's looks after the first may train, and how likely each question is closed by each look.

    `looks` are all of them, the first too. `most_networks` and `most_seconds` are what the later ones add if no
    question closes before the last. `spreads` holds each question's standard deviation over blocks, `chances` by true
    difference (in smallest effects) and question the chance by each look, `expected_networks` by true difference the
    mean number that the later looks add if all questions have it. The last three are empty where no spread is known.
    """

    looks: tuple[int, ...]
    most_networks: int
    most_seconds: float
    spreads: Mapping[Question, float]
    chances: Mapping[float, Mapping[Question, tuple[float, ...]]]
    expected_networks: Mapping[float, float]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A plan's expected wall time in seconds, and for each factor the half-width of its 95 % intervals.

    Half-widths are in the outcome's unit. Of a plan with several looks both are those of the first one, and `later` is
    what may follow. `source` names the basis of the prediction; `alternatives` are predictions for other numbers of
    replicates.
    """

    replicates: int
    seconds: float
    half_widths: Mapping[str, float]
    source: str
    later: LaterLooks | None = None
    alternatives: tuple["Prediction", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Measured quantities that predictions use: seconds per epoch of one network in a worker, and spreads.

    `spreads` holds for each factor the standard deviation over blocks of its contrasts, in the outcome's unit;
    `question_spreads` for each question at best that of the difference of two single cells. `official_test` says
    whether the data have an official test set.
    """

    seconds_per_network_epoch: float
    startup_seconds: float
    spreads: Mapping[str, float]
    source: str
    question_spreads: Mapping[Question, float] = field(default_factory=dict)
    official_test: bool = False


def predict_here(plan: Plan, dataset: Dataset, locations: Locations, resources: Resources) -> Prediction:
    """Return a prediction from the studies in the storage, if there are any, else from a pilot. Writes nothing."""
    return predict(plan, find_basis_here(plan, dataset, locations), num_workers=workers_here(resources))


def advice_here(plan: Plan, locations: Locations, resources: Resources) -> str | None:
    """Return which fraction of a GPU to give a trial, from what earlier trials of the study took; None if unknown."""
    events: list[EventRow] = []
    if (store := Store.open_existing(locations.storage)) is not None:
        with store:
            study = store.find_study(plan.name)
            events = [] if study is None else store.events(study.id)
    return advice(events, num_workers=workers_here(resources), has_gpu=torch.cuda.is_available())


def find_basis_here(plan: Plan, dataset: Dataset, locations: Locations) -> Basis:
    """Return the basis from the studies in the storage, if there are any, else from a pilot. Writes nothing."""
    try:
        opened = Store.open(locations.storage, create=False)
    except NothingYetError:  # a first run is planned without any
        opened = None
    with opened or nullcontext() as store:
        return find_basis(plan, dataset, store)


def predict(plan: Plan, basis: Basis, *, num_workers: int) -> Prediction:
    """Return the prediction for `plan`, with alternatives for 10, 20 and 40 replicates."""
    mine = _predict(plan, basis, num_workers)
    others = [count for count in (10, 20, 40) if count != plan.study.replicates]
    alternatives = tuple(
        _predict(replace(plan, study=replace(plan.study, replicates=count, looks=())), basis, num_workers)
        for count in others
    )
    return replace(mine, alternatives=alternatives)


def find_basis(plan: Plan, dataset: Dataset, store: Store | None) -> Basis:
    """Return the basis from the most similar finished study, else from a pilot of a few seconds.

    Raises UsageError with file and line if the pilot finds a mistake in the user's own train().
    """
    past = None if store is None else _past_study(plan, store)
    if store is not None and past is not None:
        return _from_past(plan, store, past, dataset)
    pilot = _pilot(plan, dataset)
    is_telling = bool(plan.cells) and pilot.stride < LEAST_TELLING
    return Basis(
        seconds_per_network_epoch=pilot.seconds_per_network_epoch,
        startup_seconds=STARTUP_SECONDS,
        spreads=_pilot_spread(plan, pilot.outcomes) if is_telling else {},
        source=f"a pilot of {len(pilot.outcomes)} networks{_cut(plan, pilot)}, just now",
        question_spreads=spreads_of_pilot(
            plan.study.factors, pilot.outcomes, outcome_of(plan.study), _metric(plan.study, dataset)
        )
        if is_telling and pilot.epochs >= LEAST_TRAINED * plan.study.confirm.epochs
        else {},
        official_test=dataset.official_test is not None,
    )


def _pilot(plan: Plan, dataset: Dataset) -> Pilot:
    if plan.loop is None or plan.code is None:
        return run_pilot(plan, dataset)
    with naming_file(plan.code, "train() raised "):
        try:
            return run_pilot(plan, dataset)
        except LoopError as error:
            said = f"{place_of(plan.code, 'train')}: {error}"
    raise UsageError([said], "Correct the file; nothing was trained.")


def _cut(plan: Plan, pilot: Pilot) -> str:
    planned = plan.study.confirm.epochs
    examples = "" if pilot.stride == 1 else f" on one of {pilot.stride} examples"
    return examples + ("" if pilot.epochs == planned else f" over {pilot.epochs} of {planned} epochs")


def predict_seconds(plan: Plan, basis: Basis, *, num_workers: int) -> float:
    """Return the predicted wall time in seconds, from the command to the report."""
    training = plan.expected_network_epochs * basis.seconds_per_network_epoch
    return basis.startup_seconds + training / (num_workers * BUSY_SHARE) + REPORT_SECONDS


def _predict(plan: Plan, basis: Basis, num_workers: int) -> Prediction:
    return Prediction(
        replicates=plan.study.replicates,
        seconds=predict_seconds(plan.up_to_look(1), basis, num_workers=num_workers),
        half_widths={
            factor: half_width(spread, plan.study.replicates) for factor, spread in basis.spreads.items()
        },
        source=basis.source,
        later=_later(plan, basis, num_workers) if len(plan.study.all_looks) > 1 else None,
    )


def _later(plan: Plan, basis: Basis, num_workers: int) -> LaterLooks:
    """Return what the looks after the first may come to.

    Plans whose looks train all cells, whatever is open, have no expected number of networks: only the user ends them.
    """
    study, smallest = plan.study, _smallest_effect(plan)
    seconds_per_network = study.confirm.epochs * basis.seconds_per_network_epoch / (num_workers * BUSY_SHARE)
    chances: dict[float, dict[Question, tuple[float, ...]]] = {}
    if smallest is not None and basis.question_spreads and plan.version >= ERROR_SHARES:
        pools = pools_holdout(
            plan.to_dict(), official_test=basis.official_test, has_loop=plan.loop is not None
        )
        # The comparison with a linear model, which classifiers have, counts among the hypotheses.
        num_hypotheses = len(basis.question_spreads) + (not study.metrics)
        share, looks = study.error_shares.loss_at_best, study.all_looks
        chances = {
            difference: {
                question: chance_clear(
                    spread, smallest, looks, share, num_hypotheses, difference * smallest, pools
                )
                for question, spread in basis.question_spreads.items()
            }
            for difference in DIFFERENCES
        }
    trains_open = plan.version >= UNTIL_CLEAR
    return LaterLooks(
        looks=study.all_looks,
        most_networks=plan.size.most_more,
        most_seconds=plan.size.most_more * seconds_per_network,
        spreads=basis.question_spreads if chances else {},
        chances=chances,
        expected_networks={
            difference: expected_more(study.factors, study.all_looks, by_question)
            for difference, by_question in chances.items()
            if trains_open
        },
    )


def _smallest_effect(plan: Plan) -> float | None:
    """Return the smallest effect of the outcome that questions are about; None where a metric names none."""
    study = plan.study
    return study.metrics[0].smallest_effect if study.metrics else study.smallest_effect.log_loss


def half_width(spread: float, num_blocks: int) -> float:
    """Return the expected half-width of a 95 % t interval over blocks; infinite for a single block.

    >>> round(half_width(0.05, 10), 4)
    0.0358
    """
    if num_blocks < 2:
        return float("inf")
    return float(stats.t.ppf(0.975, num_blocks - 1) * spread / num_blocks**0.5)


def _past_study(plan: Plan, store: Store) -> StudyRow | None:
    """Return the finished study on the same data, share of it, and model that is most like the plan; None without any.

    It is the one with the most common factors, then the most replicates, then the latest. Studies that trained
    nothing are skipped.
    """
    factors = set(plan.study.factors)
    alike = [
        study
        for study in store.studies()
        if study.state == "complete"
        and study.plan["dataset_fingerprint"] == plan.dataset_fingerprint
        and study.plan["model"] == plan.study.model
        and study.plan.get("metrics", []) == plain_metrics(plan.study.metrics)
        and study.plan["fixed"].get("train_size") == plan.study.fixed.get("train_size")
        and factors & set(study.plan["factors"])
    ]
    likest = sorted(
        alike,
        key=lambda study: (len(factors & set(study.plan["factors"])), study.plan["replicates"], study.id),
        reverse=True,
    )
    return next((study for study in likest if _seconds_per_network_epoch(store, study) is not None), None)


def _seconds_per_network_epoch(store: Store, study: StudyRow) -> float | None:
    """Return a worker's seconds per epoch of one network; None if the study trained nothing or recorded no time."""
    trials = frames.trials(store, study.id)
    plan, trained = Plan.from_dict(study.name, study.plan), _trained(trials, store, study)
    numbering = Numbering.of(plan)
    network_epochs = sum(
        epochs * plan.num_replicates(numbering.look(number))
        for number, epochs in zip(trained.index, trained, strict=True)
    )
    busy = float(trials["busy_seconds"].sum())
    return busy / network_epochs if network_epochs > 0 and 0 < busy < math.inf else None


def _from_past(plan: Plan, store: Store, study: StudyRow, dataset: Dataset) -> Basis:
    pace = _seconds_per_network_epoch(store, study)
    assert pace is not None, f"study {study.name} trained nothing"
    startup = total_seconds(store.events(study.id)).get("startup", 0.0)
    past = Plan.from_dict(study.name, study.plan)
    shared = [name for name in plan.study.factors if name in past.study.factors]
    confirm = frames.replicates(store, study.id, Phase.CONFIRM)
    return Basis(
        seconds_per_network_epoch=pace,
        startup_seconds=startup if startup > 0 else STARTUP_SECONDS,
        spreads=_spreads(confirm, list(past.study.factors), outcome_of(past.study), shared)
        if past.cells
        else {},
        source=f"study {study.name}, run on {study.created_at:%Y-%m-%d}",
        question_spreads=_past_questions(plan, past, store, study, confirm, dataset)
        if plan.cells and past.cells
        else {},
        official_test=dataset.official_test is not None,
    )


def _past_questions(
    plan: Plan, past: Plan, store: Store, study: StudyRow, confirm: pd.DataFrame, dataset: Dataset
) -> dict[Question, float]:
    """Return the spread of each question of `plan`, from the cells that a past study's search selected."""
    trials = frames.trials(store, study.id)
    sign = 1 if past.study.direction is Direction.MIN else -1
    search = trials[trials["phase"] == Phase.SEARCH]
    selected = best_of_cells(search.assign(objective=sign * search["objective"].astype(float)))
    # Blocks of later looks are scored otherwise, and not of all cells.
    first = confirm[confirm["block"] < past.study.replicates]
    return spreads_of_past(
        plan.study.factors,
        selected,
        first,
        outcome_of(past.study),
        _metric(past.study, dataset),
        past.study.factors,
    )


def _metric(study: Study, dataset: Dataset) -> Metric:
    """Return the metric that the confirm phase of a study compares."""
    return (study.metrics or classification(dataset.num_classes))[0]


def _trained(trials: pd.DataFrame, store: Store, study: StudyRow) -> "pd.Series[Any]":
    """Return the epochs for which each trial's stack was trained, by its number.

    A trial whose networks have all stopped early trains no more.
    """
    if not stops_early(study.plan):
        return trials.set_index("number")["epochs"]
    return frames.epochs(store, study.id).groupby("trial_number")["epoch"].max()


def _pilot_spread(plan: Plan, outcomes: pd.DataFrame) -> dict[str, float]:
    """Return the spread for the first factor only: a pilot trains pairs of its levels, not every combination."""
    first = next(iter(plan.study.factors))
    outcome = outcome_of(plan.study)
    return _spreads(outcomes.groupby([first, "block"], as_index=False)[[outcome]].mean(), [first], outcome)


def _spreads(
    outcomes: pd.DataFrame, factors: Sequence[str], outcome: str, wanted: Sequence[str] | None = None
) -> dict[str, float]:
    """Return for each factor the largest standard deviation over blocks among its contrasts."""
    every = [name for name in outcomes.columns if name in factors]
    rows = outcomes[[*every, "block", outcome]].dropna()
    found = contrasts(rows, every, outcome)
    return {
        str(factor): float(group["sd"].max())
        for factor, group in found.groupby("factor")
        if (wanted is None or factor in wanted) and group["sd"].notna().any()
    }
