"""What a report is made from: one frozen object that carries the plan and the recorded frames of a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from reports.inputs.measures import Measure, objective_of, outcome_measure, own_measures

Value = bool | int | float | str | None | tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """Everything that a report may use; frames are tidy, a missing value is NaN or None.

    `<params>` stands for one column per factor and nuisance. Losses are nats, accuracies fractions in 0..1, times UTC,
    layers counted from 1 at the input.

    - `trials`: number, phase, cell, <params>, state, stop_reason, rung, epochs, objective, attempt, started_at,
      ended_at, busy_seconds, error, worker
    - `replicates`: trial_number, phase, cell, <params>, replicate, block, outcome, val_loss, val_accuracy, test_loss,
      test_accuracy, verdict_initial, verdict_trained
    - `epochs`: trial_number, replicate, epoch, sequence, train_loss, train_accuracy, val_loss, val_accuracy,
      learning_rate
    - `gradients`: trial_number, replicate, epoch, layer, grad_l2, grad_l2_max, grad_rms, delta_rms, update_ratio,
      dead_fraction; epoch 0 is the initialisation
    - `recorded_epochs`: None, or of a very large study, whose `epochs` and `gradients` are then the confirm phase's
      and of the search the epochs at rungs and at which networks were best: the epochs that are recorded of each
      network, trial_number, replicate, size, nunique, max
    - `events`: sequence, at, kind, trial_number, detail
    - `artifacts`: path, sha256, num_bytes
    - `evaluation`: trial_number, replicate, confusion (counts, rows are true classes), calibration (dicts of low, high,
      count, confidence, accuracy); may be empty
    - `importance`: descriptive shares, or None
    - `linear_models`: model (its name), train_size (NaN: the whole training part), block, strength, val_loss,
      val_accuracy, test_loss, test_accuracy, seconds; empty or None where a study has no such line to beat
    """

    study: str
    question: str
    plan: dict[str, Any]
    plan_hash: str
    state: str
    created_at: datetime
    factors: Mapping[str, tuple[Value, ...]]
    num_classes: int
    trials: pd.DataFrame
    replicates: pd.DataFrame
    epochs: pd.DataFrame
    gradients: pd.DataFrame
    events: pd.DataFrame
    artifacts: pd.DataFrame
    evaluation: pd.DataFrame
    recorded_epochs: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None
    linear_models: pd.DataFrame | None = None
    provenance: dict[str, Any]
    seconds: dict[str, float]
    measuring_share: float | None = None
    generated_at: datetime
    command: str
    older_rules: str | None = None
    """The sentence that names the rules by which the study was made, where they are not today's."""

    @property
    def has_cells(self) -> bool:
        """Whether levels are compared (a search over everything, as in `tuning_study`, has no cells)."""
        return self.plan.get("search", {}).get("trials") is None

    @property
    def is_complete(self) -> bool:
        """Whether the study ran to its end; otherwise the page says "as of" and withholds claims."""
        return self.state == "complete"

    @property
    def search_trials(self) -> pd.DataFrame:
        """The search phase's trials with `objective` to be lowered: of a share that is raised, what it lacks of 1."""
        search = self.trials[self.trials["phase"] == "search"]
        if self.objective.lower_is_better:
            return search
        return search.assign(objective=self.objective.lowered(search["objective"].astype(float)))

    @property
    def objective(self) -> Measure:
        """What the search is after."""
        return objective_of(self.plan, self.num_classes)

    @property
    def validation(self) -> Measure:
        """The outcome that is compared, on the validation part, where it is followed epoch by epoch."""
        return outcome_measure(self.plan, self.num_classes, part="val")

    @property
    def outcome(self) -> Measure:
        """What is compared: log-loss, or the primary metric that the plan declares, on the test part."""
        return outcome_measure(self.plan, self.num_classes)

    @property
    def own(self) -> list[Measure]:
        """The metrics that the plan declares, on the test part, the primary one first; empty for classifiers."""
        return own_measures(self.plan)

    @property
    def smallest_effect(self) -> float | None:
        """The smallest difference of the outcome that is worth acting on; None where the plan names none."""
        if self.own:
            return self.outcome.smallest_effect
        effect: float = self.plan["smallest_effect"]["log_loss"]
        return effect

    @property
    def objective_name(self) -> str:
        """What the search lowers, as `search_trials` gives it: "validation log-loss" or "validation error"."""
        return self.objective.lowered_title

    @property
    def chance_loss(self) -> float:
        """What the outcome scores where a network failed: for log-loss that of uniform guessing, ln C, in nats."""
        return self.outcome.failure
