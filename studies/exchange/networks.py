"""One record for each network, as every tracker of runs takes it; read some trials at a time."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from studies.base.states import Outcome, Phase
from studies.base.steps import Tell
from studies.database.frames.networks import NetworkRows, Row, network_rows
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.recorded_scores import scores_of_networks
from studies.planning.plan import Plan
from trainables.base.metrics import HOLDOUT, TEST

EPOCH_SCORES: Final = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate")
LAYER_MEASURES: Final = ("grad_l2", "delta_rms", "update_ratio", "dead_fraction")
FINAL_SCORES: Final = ("val_loss", "val_accuracy", "test_loss", "test_accuracy")
SECONDS_BETWEEN_MESSAGES: Final = 5.0

Plain = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class Network:
    """One trained network.

    `params` are the stated hyperparameters: fixed ones, then levels and nuisances; a list is its JSON text, null the
    text "null". `curves` maps each epoch (0: the initialisation) to its finite measures by name, those of a layer as
    `grad_l2/layer_1`; `scores` are the finite final ones. `cell_levels` is None in a study without cells.
    """

    study: str
    trial: int
    replicate: int
    block: int
    phase: Phase
    cell: int | None
    cell_levels: Mapping[str, Plain] | None
    params: Mapping[str, Plain]
    outcome: Outcome
    verdict_trained: str | None
    started_at: datetime
    ended_at: datetime
    curves: Mapping[int, Mapping[str, float]]
    scores: Mapping[str, float]

    @property
    def key(self) -> str:
        """What tells the network from every other one of its study."""
        return f"{self.trial}/{self.replicate}"

    @property
    def name(self) -> str:
        """A name for people."""
        return f"trial {self.trial} block {self.block} ({self.phase})"

    @property
    def group(self) -> str:
        """The networks that belong together: those of its cell; in a study without cells those of its trial."""
        if self.cell is None or self.cell_levels is None:
            return f"trial {self.trial}"
        levels = ", ".join(f"{name}={_text(level)}" for name, level in self.cell_levels.items())
        return f"cell {self.cell}: {levels}"

    @property
    def is_sound(self) -> bool:
        """Whether training neither diverged nor failed; a network that ASHA stopped is sound."""
        return self.outcome in (Outcome.COMPLETE, Outcome.STOPPED)

    def seconds_at(self, epoch: int) -> float:
        """Return about when an epoch ended, in seconds since 1970: its share of the time that its trial took.

        A network's own times are not recorded. The same network always gets the same times.
        """
        last = max(self.curves, default=0)
        start, end = self.started_at.timestamp(), self.ended_at.timestamp()
        return start + (end - start) * (epoch / last if last else 1.0)


def networks(store: Store, study: StudyRow, *, phase: Phase | None = None) -> Iterator[Network]:
    """Yield the networks of a study's ended trials by trial and replicate, of one phase or of both."""
    plan = Plan.from_dict(study.name, study.plan)
    levels = {cell.number: cell.levels for cell in plan.cells}
    shown_in_search = frozenset(scores_of_networks(study.plan))
    for rows in network_rows(store, study.id, phase=phase):
        trial = rows.trial
        at = trial.ended_at or trial.started_at or study.created_at
        yield Network(
            study=study.name,
            trial=trial.number,
            replicate=rows.replicate["replicate"],
            block=rows.replicate["block"],
            phase=trial.phase,
            cell=trial.cell,
            cell_levels=_plain(levels[trial.cell]) if trial.cell in levels else None,
            params=_plain({**plan.study.fixed, **trial.params}),
            outcome=rows.replicate["outcome"],
            verdict_trained=rows.replicate["verdict_trained"],
            started_at=trial.started_at or at,
            ended_at=at,
            curves=_curves(rows),
            scores=_scores(rows.replicate, trial.phase, shown_in_search),
        )


def telling(found: Iterator[Network], total: int, tell: Tell, *, what: str) -> Iterator[Network]:
    """Yield the networks, and tell every few seconds how many of them are done."""
    told_at = time.monotonic()
    tell(f"{what}: {total:,} networks")
    for done, network in enumerate(found):
        if time.monotonic() - told_at >= SECONDS_BETWEEN_MESSAGES:
            told_at = time.monotonic()
            tell(f"{what}: {done:,} of {total:,} networks")
        yield network


def _curves(rows: NetworkRows) -> dict[int, dict[str, float]]:
    curves: dict[int, dict[str, float]] = {}
    for row in rows.epochs:
        scores = {name: row[name] for name in EPOCH_SCORES} | dict(row["metrics"] or {})
        curves.setdefault(row["epoch"], {}).update(_finite(scores))
    for row in rows.layers:
        measures = {f"{name}/layer_{row['layer']}": row[name] for name in LAYER_MEASURES}
        curves.setdefault(row["epoch"], {}).update(_finite(measures))
    return dict(sorted(curves.items()))


def _scores(row: Row, phase: Phase, shown_in_search: frozenset[str]) -> dict[str, float]:
    """Return a network's final scores; in the search none on the test part, but what the plan itself is about."""
    scores = {name: row[name] for name in FINAL_SCORES} | dict(row["metrics"] or {})
    return {
        name: value
        for name, value in _finite(scores).items()
        if phase is Phase.CONFIRM or name in shown_in_search or not name.startswith((TEST, HOLDOUT))
    }


def _finite(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _plain(params: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        name: value if isinstance(value, bool | int | float | str) else json.dumps(value)
        for name, value in params.items()
    }


def _text(value: Plain) -> str:
    return value if isinstance(value, str) else json.dumps(value)
